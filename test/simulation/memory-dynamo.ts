import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DeleteItemCommandInput,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type ScanCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { Item } from "./attributes.ts";
import { conditionOf, refuseUnused, type Scope, updateOf } from "./expressions.ts";

export type { Item } from "./attributes.ts";

export type Options = {
  /** The table's key attributes, hash first. */
  keys?: readonly [string, ...string[]];
  /** Sparse indexes that project keys only, by the names of their own keys. */
  indexes?: readonly { name: string; keys: readonly [string, string] }[];
  /** Items on a page of a query; DynamoDB ends a page at 1 MB. */
  pageSize?: number;
  /** Schedules when an index shows a write. On AWS there is a short delay. */
  indexLater?: (show: () => void) => void;
  /** DynamoDB refuses items above 400 KB. */
  maxItemBytes?: number;
  /** Runs after each write, with the new item. */
  onWrite?: (item: Item | undefined, key: Item) => void;
};

/** One table in memory. It supports the commands that this system sends, and refuses all others. */
export type MemoryDynamo = {
  client: Pick<DynamoDBClient, "send">;
  /** Executes a command synchronously. @throws as the client does */
  perform(command: unknown): unknown;
  get(...key: string[]): Item | undefined;
  /** Replaces the content of the table with these items. */
  restore(items: readonly Item[]): void;
  items(): Item[];
};

export function createMemoryDynamo(options: Options = {}): MemoryDynamo {
  const {
    keys = ["pk", "sk"],
    indexes = [],
    pageSize = 1000,
    indexLater = (show) => show(),
    onWrite,
    maxItemBytes,
  } = options;
  /** Items by hash key, then by the whole key. An item is only replaced, never changed. */
  const partitions = new Map<string, Map<string, Item>>();
  /** Items by index, its hash key, and the whole key. */
  const shown = new Map(indexes.map(({ name }) => [name, new Map<string, Map<string, Item>>()]));
  /** The hash key under which each index shows an item. */
  const shownUnder = new Map<string, string>();

  const pick = (item: Item, names: readonly string[]): Item =>
    Object.fromEntries(names.flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
  const text = (value: AttributeValue | undefined): string => value?.S ?? value?.N ?? "";
  const idOf = (item: Item): string => {
    const id = keys.map((name) => item[name]?.S);
    if (id.includes(undefined) || id.includes("")) throw new Error(`the item lacks a key of ${keys.join(", ")}`);
    return id.join("\u0000");
  };
  const held = (key: Item): Item | undefined => partitions.get(text(key[keys[0]]))?.get(idOf(key));

  function write(key: Item, item: Item | undefined): void {
    const partition = partitions.get(text(key[keys[0]])) ?? new Map<string, Item>();
    partitions.set(text(key[keys[0]]), partition);
    if (item) partition.set(idOf(key), item);
    else partition.delete(idOf(key));
    if (indexes.length > 0) indexLater(() => show(key));
    onWrite?.(item, key);
  }

  function show(key: Item): void {
    const item = held(key);
    const id = idOf(key);
    for (const { name: index, keys: indexKeys } of indexes) {
      const place = `${index}\u0000${id}`;
      const before = shownUnder.get(place);
      if (before !== undefined) shown.get(index)?.get(before)?.delete(id);
      if (!item || !indexKeys.every((name) => item[name])) {
        shownUnder.delete(place);
        continue;
      }
      const hash = text(item[indexKeys[0]]);
      const rows = shown.get(index)?.get(hash) ?? new Map<string, Item>();
      shown.get(index)?.set(hash, rows.set(id, pick(item, [...keys, ...indexKeys])));
      shownUnder.set(place, hash);
    }
  }

  function check(
    item: Item | undefined,
    input: Pick<PutItemCommandInput, "ConditionExpression" | "ReturnValuesOnConditionCheckFailure">,
    scope: Scope,
  ): void {
    if (input.ConditionExpression === undefined) return;
    if (conditionOf(input.ConditionExpression)(item ?? {}, scope)) return;
    throw new ConditionalCheckFailedException({
      message: "The conditional request failed",
      $metadata: {},
      ...(input.ReturnValuesOnConditionCheckFailure === "ALL_OLD" && item && { Item: item }),
    });
  }

  function putItem(input: PutItemCommandInput) {
    const item = input.Item ?? {};
    const scope = scopeOf(input, [input.ConditionExpression]);
    check(held(item), input, scope);
    if (maxItemBytes !== undefined && JSON.stringify(item).length > 2 * maxItemBytes) throw new ItemTooLarge();
    write(item, item);
    return {};
  }

  function updateItem(input: UpdateItemCommandInput) {
    const key = input.Key ?? {};
    const scope = scopeOf(input, [input.ConditionExpression, input.UpdateExpression]);
    check(held(key), input, scope);
    const updated = updateOf(input.UpdateExpression ?? "")(held(key) ?? key, scope);
    write(key, updated);
    return input.ReturnValues === "ALL_NEW" ? { Attributes: updated } : {};
  }

  function deleteItem(input: DeleteItemCommandInput) {
    const key = input.Key ?? {};
    check(held(key), input, scopeOf(input, [input.ConditionExpression]));
    write(key, undefined);
    return {};
  }

  function query(input: QueryCommandInput) {
    const index = indexes.find(({ name }) => name === input.IndexName);
    if (input.IndexName !== undefined && !index) throw new Error("no such index");
    const [hash, sort] = index ? index.keys : keys;
    const wanted = /^(\w+) = (:\w+)(?: AND (.+))?$/.exec(input.KeyConditionExpression ?? "");
    if (!wanted || wanted[1] !== hash || !hash) throw new Error(`cannot query by ${input.KeyConditionExpression}`);
    const scope = scopeOf(input, [input.KeyConditionExpression, input.FilterExpression]);
    const value = text(scope.values?.[wanted[2] ?? ""]);
    const among = index
      ? [...(shown.get(index.name)?.get(value)?.values() ?? [])]
      : [...(partitions.get(value)?.values() ?? [])];
    const matches = wanted[3] ? conditionOf(wanted[3]) : () => true;
    const found = among.filter((item) => matches(item, scope));
    return page(found, input, scope, [...(sort ? [sort] : []), ...keys]);
  }

  function scan(input: ScanCommandInput) {
    const scope = scopeOf(input, [input.FilterExpression]);
    const all = [...partitions.values()].flatMap((partition) => [...partition.values()]);
    return page(all, input, scope, keys);
  }

  /** One page in the order of the given attributes, after the start key. The filter applies to the items of the page. */
  function page(
    found: Item[],
    input: Pick<
      QueryCommandInput,
      "IndexName" | "ExclusiveStartKey" | "FilterExpression" | "Limit" | "ScanIndexForward"
    >,
    scope: Scope,
    order: readonly string[],
  ) {
    const place = (item: Item) => order.map((name) => text(item[name])).join("\u0000");
    const forward = input.ScanIndexForward !== false;
    found.sort((a, b) => (place(a) < place(b) === forward ? -1 : 1));
    const start = input.ExclusiveStartKey && place(input.ExclusiveStartKey);
    const rest =
      start === undefined ? found : found.filter((item) => place(item) !== start && place(item) > start === forward);
    const read = rest.slice(0, Math.min(pageSize, input.Limit ?? pageSize));
    const last = read.length < rest.length ? read.at(-1) : undefined;
    const filter = input.FilterExpression === undefined ? undefined : conditionOf(input.FilterExpression);
    const Items = filter ? read.filter((item) => filter(item, scope)) : read;
    return {
      Items,
      Count: Items.length,
      ScannedCount: read.length,
      ...(last && {
        LastEvaluatedKey: pick(last, [
          ...indexes.flatMap(({ name, keys: own }) => (name === input.IndexName ? own : [])),
          ...keys,
        ]),
      }),
    };
  }

  function perform(command: unknown): unknown {
    if (command instanceof GetItemCommand) {
      refuseOther(command.input, ["Key", "ConsistentRead"]);
      const item = held(command.input.Key ?? {});
      return item ? { Item: item } : {};
    }
    if (command instanceof PutItemCommand) return putItem(refuseOther(command.input, ["Item", ...condition]));
    if (command instanceof UpdateItemCommand)
      return updateItem(refuseOther(command.input, ["Key", "UpdateExpression", "ReturnValues", ...condition]));
    if (command instanceof DeleteItemCommand) return deleteItem(refuseOther(command.input, ["Key", ...condition]));
    if (command instanceof QueryCommand)
      return query(refuseOther(command.input, ["KeyConditionExpression", "IndexName", ...reading]));
    if (command instanceof ScanCommand) return scan(refuseOther(command.input, reading));
    throw new Error(`no such command: ${(command as object).constructor.name}`);
  }

  return {
    client: { send: async (command: unknown) => perform(command) } as unknown as Pick<DynamoDBClient, "send">,
    perform,
    get: (...key) => held(Object.fromEntries(keys.map((name, i) => [name, { S: key[i] ?? "" }]))),
    restore(restored) {
      const kept = new Set(restored.map(idOf));
      for (const item of [...partitions.values()].flatMap((partition) => [...partition.values()])) {
        if (!kept.has(idOf(item))) write(pick(item, keys), undefined);
      }
      for (const item of restored) write(pick(item, keys), item);
    },
    items: () => [...partitions.values()].flatMap((partition) => [...partition.values()]),
  };
}

class ItemTooLarge extends Error {
  override name = "ValidationException";
  override message = "Item size has exceeded the maximum allowed size";
}

const named = ["ExpressionAttributeNames", "ExpressionAttributeValues"];
const condition = [...named, "ConditionExpression", "ReturnValuesOnConditionCheckFailure"];
const reading = [...named, "FilterExpression", "ExclusiveStartKey", "Limit", "ConsistentRead", "ScanIndexForward"];

function refuseOther<T extends object>(input: T, known: readonly string[]): T {
  const other = Object.keys(input).filter((name) => name !== "TableName" && !known.includes(name));
  if (other.length > 0) throw new Error(`not known of this command: ${other.join(", ")}`);
  return input;
}

function scopeOf(
  input: {
    ExpressionAttributeNames?: Record<string, string> | undefined;
    ExpressionAttributeValues?: Item | undefined;
  },
  expressions: readonly (string | undefined)[],
): Scope {
  const scope = { names: input.ExpressionAttributeNames, values: input.ExpressionAttributeValues };
  refuseUnused(expressions, scope);
  return scope;
}
