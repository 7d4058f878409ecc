import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import type { Witness } from "../billmgr/readback.ts";
import type { Event } from "../licensing/event.ts";
import type { Balance, Operation } from "../licensing/operation.ts";
import type { Subscription } from "../licensing/subscription.ts";
import type { Instant } from "../licensing/time.ts";
import { digestOf, type Key, type Received } from "../message.ts";

/** Raised by whoever reads an older item: what is stored outlives the code that stored it. */
const schema = 1;

/** Renew reads each shard by itself, so that one partition of the index need not carry all that is due at midnight. */
export const agendaShards = 8;

/** Events that meant nothing are kept this long; what was folded is kept for good. */
const ignoredKeptDays = 90;

/** Where a subscription stands in the agenda: due at a moment, or waiting for a person since one. */
export type Agenda = { due: Instant } | { attention: Instant; reason: string };

export type Stored = { subscription: Subscription; version: number; agenda?: Agenda };

/** What became of a received event. */
export type Reception = { became: "folded" } | { became: "ignored" | "unclear"; reason: string };

/** What an operator made of an event later. `why` says as what it was understood, or why it needs no person any more. */
export type Settled = { as: "replayed" | "ignored" | "dismissed"; at: Instant; why: string };

export type StoredEvent = { received: Received; events: Event[]; settled?: Settled } & Reception;

export type Halt = { since: Instant; reason: string };

/** `low`: below `limits.minimumBalance`. */
export type ReadBalance = Balance & { at: Instant; low: boolean };

/** All that is remembered. Single-item conditional writes only. */
export type Table = {
  load(key: Key): Promise<Stored | undefined>;
  /** Writes only over the version that was loaded; false when it has changed since. */
  save(key: Key, stored: Stored): Promise<boolean>;
  /** Over an earlier state of the same operation; never over another one's call. */
  putOperation(key: Key, operation: Operation): Promise<void>;
  /** Keeps an event as received, for good; a second delivery changes nothing. */
  putEvent(key: Key, received: Received, events: readonly Event[], reception: Reception): Promise<void>;
  events(key: Key): Promise<StoredEvent[]>;
  /** Takes the event off the agenda, for good; `events` is what it is read as by then. False when it is not there. */
  settleEvent(key: Key, received: Received, events: readonly Event[], settled: Settled): Promise<boolean>;
  operations(key: Key): Promise<Operation[]>;
  putLink(key: Key, to: Key): Promise<void>;
  link(key: Key): Promise<Key | undefined>;
  /** One page of all subscriptions, in no order. */
  subscriptions(from?: Page): Promise<SubscriptionPage>;
  /** One page of what is due in a shard. */
  due(shard: number, now: Instant, from?: Page): Promise<DuePage>;
  /** One page of what waits for a person, longest first. */
  attention(from?: Page): Promise<DuePage>;
  halt(): Promise<Halt | undefined>;
  setHalt(halt: Halt): Promise<void>;
  liftHalt(): Promise<void>;
  /** The account's balance as it was read last. */
  putBalance(balance: ReadBalance): Promise<void>;
  balance(): Promise<ReadBalance | undefined>;
  /** Takes one of the orders allowed in the hour and the day; where none is left, says which limit it is. */
  takeOrder(now: Instant, limits: { ordersPerHour: number; ordersPerDay: number }): Promise<true | string>;
  /** Some licenses of a family that are known to be ours. */
  witnesses(family: string): Promise<Witness[]>;
  addWitness(family: string, witness: Witness): Promise<void>;
};

/** `due`: since when, of what waits for a person. */
export type DuePage = { keys: { key: Key; due: Instant }[]; next?: Page };

export type SubscriptionPage = { found: { key: Key; subscription: Subscription }[]; next?: Page };

export type Page = Record<string, AttributeValue>;

const control = "control";
/** Of each family: a license can be deleted, and a list that leaves those out then shows none of it. */
const mostWitnesses = 5;
const shardOf = (key: Key): number => Number.parseInt(digestOf(key).slice(0, 8), 16) % agendaShards;

export function createTable(client: Pick<DynamoDBClient, "send">, name: string): Table {
  const toItem = (value: Record<string, unknown>) => marshall(value, { removeUndefinedValues: true });

  async function put(item: Record<string, unknown>, condition: Partial<PutItemCommandInput> = {}): Promise<boolean> {
    try {
      await client.send(new PutItemCommand({ TableName: name, Item: toItem(item), ...condition }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async function get(pk: string, sk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: name, Key: toItem({ pk, sk }), ConsistentRead: true }),
    );
    return Item && unmarshall(Item);
  }

  const query = (input: Omit<QueryCommandInput, "TableName">) =>
    client.send(new QueryCommand({ TableName: name, ...input }));

  /** Adds one where that stays within the limit. */
  async function count(sk: string, limit: number, expiresAt: number): Promise<boolean> {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: name,
          Key: toItem({ pk: control, sk }),
          UpdateExpression: "SET expiresAt = :expiresAt ADD orders :one",
          ConditionExpression: "attribute_not_exists(orders) OR orders < :limit",
          ExpressionAttributeValues: toItem({ ":one": 1, ":limit": limit, ":expiresAt": expiresAt }),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof DynamoDBServiceException && error.name === "ConditionalCheckFailedException") return false;
      throw error;
    }
  }

  async function agendaPage(agenda: string, until: Instant, from?: Page): Promise<DuePage> {
    const { Items = [], LastEvaluatedKey } = await query({
      IndexName: agendaIndex,
      KeyConditionExpression: "agenda = :agenda AND agendaAt <= :until",
      ExpressionAttributeValues: toItem({ ":agenda": agenda, ":until": until }),
      ...(from && { ExclusiveStartKey: from }),
    });
    const keys = Items.map((item) => {
      const { pk, agendaAt } = unmarshall(item);
      return { key: pk as Key, due: agendaAt as Instant };
    });
    return { keys, ...(LastEvaluatedKey && { next: LastEvaluatedKey }) };
  }

  /** The items of one kind in a collection, in their order. */
  async function collect<T>(key: string, prefix: string): Promise<T[]> {
    const found: T[] = [];
    let from: Page | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await query({
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: toItem({ ":pk": key, ":prefix": prefix }),
        ConsistentRead: true,
        ...(from && { ExclusiveStartKey: from }),
      });
      for (const item of Items) {
        const { pk, sk, schema, ...value } = unmarshall(item);
        found.push(value as T);
      }
      from = LastEvaluatedKey;
    } while (from);
    return found;
  }

  return {
    async load(key) {
      const item = await get(key, "state");
      if (!item) return undefined;
      const {
        subscription,
        version,
        agenda,
        agendaAt,
        reason = "",
      } = item as {
        subscription: Subscription;
        version: number;
        agenda?: string;
        agendaAt?: Instant;
        reason?: string;
      };
      if (agenda === undefined || agendaAt === undefined) return { subscription, version };
      return {
        subscription,
        version,
        agenda: agenda === "attention" ? { attention: agendaAt, reason } : { due: agendaAt },
      };
    },

    save: (key, { subscription, version, agenda }) =>
      put(
        { pk: key, sk: "state", schema, version: version + 1, subscription, ...agendaOf(key, agenda) },
        version === 0
          ? { ConditionExpression: "attribute_not_exists(pk)" }
          : {
              ConditionExpression: "version = :version",
              ExpressionAttributeValues: toItem({ ":version": version }),
            },
      ),

    async putOperation(key, operation) {
      // A worker that was overtaken may bring something else under the number that another one has called for since.
      await put(
        { pk: key, sk: `operation#${String(operation.n).padStart(6, "0")}`, schema, ...operation },
        {
          ConditionExpression: "attribute_not_exists(attempt) OR claimedAt = :claimedAt",
          ExpressionAttributeValues: toItem({ ":claimedAt": operation.claimedAt }),
        },
      );
    },

    async putEvent(key, received, events, reception) {
      const { occurredAt, receivedAt } = received;
      const attention = reception.became === "unclear" && { agenda: "attention", agendaAt: receivedAt };
      const expiresAt = reception.became === "ignored" && {
        expiresAt: Math.floor(Date.parse(receivedAt) / 1000) + ignoredKeptDays * 86_400,
      };
      await put(
        {
          pk: key,
          sk: `event#${occurredAt}#${received.id}`,
          schema,
          received,
          events,
          ...reception,
          ...attention,
          ...expiresAt,
        },
        { ConditionExpression: "attribute_not_exists(pk)" },
      );
    },

    events: (key) => collect<StoredEvent>(key, "event#"),

    async settleEvent(key, { occurredAt, id }, events, settled) {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: name,
            Key: toItem({ pk: key, sk: `event#${occurredAt}#${id}` }),
            // What somebody looked at must not go after a while.
            UpdateExpression: "SET events = :events, settled = :settled REMOVE agenda, agendaAt, expiresAt",
            ConditionExpression: "attribute_exists(pk)",
            ExpressionAttributeValues: toItem({ ":events": events, ":settled": settled }),
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    operations: (key) => collect<Operation>(key, "operation#"),

    async putLink(key, to) {
      await put({ pk: key, sk: "link", schema, to });
    },

    async link(key) {
      return (await get(key, "link"))?.to as Key | undefined;
    },

    async subscriptions(from) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new ScanCommand({
          TableName: name,
          FilterExpression: "sk = :state",
          ExpressionAttributeValues: toItem({ ":state": "state" }),
          ConsistentRead: true,
          ...(from && { ExclusiveStartKey: from }),
        }),
      );
      const found = Items.map((item) => {
        const { pk, subscription } = unmarshall(item);
        return { key: pk as Key, subscription: subscription as Subscription };
      });
      return { found, ...(LastEvaluatedKey && { next: LastEvaluatedKey }) };
    },

    due: (shard, now, from) => agendaPage(`due#${shard}`, now, from),
    attention: (from) => agendaPage("attention", "9999", from),

    async halt() {
      const { since, reason } = ((await get(control, "halt")) ?? {}) as Partial<Halt>;
      return since === undefined || reason === undefined ? undefined : { since, reason };
    },

    async setHalt({ since, reason }) {
      // The first refusal is the one to read about.
      await put({ pk: control, sk: "halt", since, reason }, { ConditionExpression: "attribute_not_exists(pk)" });
    },

    async liftHalt() {
      await client.send(new DeleteItemCommand({ TableName: name, Key: toItem({ pk: control, sk: "halt" }) }));
    },

    async putBalance(balance) {
      await put({ pk: control, sk: "balance", ...balance });
    },

    async balance() {
      const item = await get(control, "balance");
      if (!item) return undefined;
      const { pk, sk, ...balance } = item;
      return balance as ReadBalance;
    },

    async takeOrder(now, { ordersPerHour, ordersPerDay }) {
      const expiresAt = Math.floor(Date.parse(now) / 1000) + 3 * 86_400;
      if (!(await count(`orders#${now.slice(0, 13)}`, ordersPerHour, expiresAt)))
        return `${ordersPerHour} orders per hour`;
      if (!(await count(`orders#${now.slice(0, 10)}`, ordersPerDay, expiresAt)))
        return `${ordersPerDay} orders per day`;
      return true;
    },

    witnesses: (family) => collect<Witness>(control, `witness#${family}#`),

    async addWitness(family, { elid, reference }) {
      const place = Number.parseInt(digestOf(elid).slice(0, 8), 16) % mostWitnesses;
      await put({ pk: control, sk: `witness#${family}#${place}`, elid, reference });
    },
  };
}

export const agendaIndex = "agenda";

function agendaOf(key: Key, agenda: Agenda | undefined): Record<string, string> {
  if (!agenda) return {};
  if ("attention" in agenda) return { agenda: "attention", agendaAt: agenda.attention, reason: agenda.reason };
  return { agenda: `due#${shardOf(key)}`, agendaAt: agenda.due };
}
