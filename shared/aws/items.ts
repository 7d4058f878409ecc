import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { ExpectedError } from "../errors.ts";

/** The start of the next page. */
export type Page = Record<string, AttributeValue>;

/** The schema version of every item. Raise it when older code would misread what newer code stores. */
export const schema = 1;

/** An item that newer code stored. After a rollback it must be neither misread nor overwritten. */
export class NewerItem extends ExpectedError {
  override name = "NewerItem";
  readonly code = "newer_item";
}

type Plain = Record<string, unknown>;
type Condition = { if: string; with?: Plain; names?: Record<string, string> };
type Paged = { rows: Plain[]; next?: Page };

/** Access to the items of one table as plain values. */
export type Items = ReturnType<typeof itemsIn>;

export function itemsIn(client: Pick<DynamoDBClient, "send">, TableName: string) {
  const conditionOf = ({ if: ConditionExpression, with: values, names }: Condition) => ({
    ConditionExpression,
    ...(names && { ExpressionAttributeNames: names }),
    ...(values && { ExpressionAttributeValues: toItem(values) }),
  });

  async function page(command: QueryCommand | ScanCommand): Promise<Paged> {
    const { Items = [], LastEvaluatedKey } = await client.send(command as QueryCommand);
    return { rows: Items.map(plain), ...(LastEvaluatedKey && { next: LastEvaluatedKey }) };
  }

  const query = (input: Omit<QueryCommandInput, "TableName">, values: Plain, from?: Page): Promise<Paged> => {
    const ExpressionAttributeValues = toItem(values);
    const start = from && { ExclusiveStartKey: from };
    return page(new QueryCommand({ TableName, ...input, ExpressionAttributeValues, ...start }));
  };

  return {
    query,

    async get(pk: string, sk: string): Promise<Plain | undefined> {
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: toItem({ pk, sk }), ConsistentRead: true }),
      );
      return Item && plain(Item);
    },

    /** @returns false if the condition is not met */
    put: (item: Plain, condition?: Condition): Promise<boolean> => {
      const input: PutItemCommandInput = {
        TableName,
        Item: toItem({ schema, ...item }),
        ...(condition && conditionOf(condition)),
      };
      return isConditionMet(client.send(new PutItemCommand(input)));
    },

    /** @returns false if the condition is not met */
    update: (pk: string, sk: string, UpdateExpression: string, condition: Condition): Promise<boolean> => {
      const Key = toItem({ pk, sk });
      const input: UpdateItemCommandInput = { TableName, Key, UpdateExpression, ...conditionOf(condition) };
      return isConditionMet(client.send(new UpdateItemCommand(input)));
    },

    async remove(pk: string, sk: string): Promise<void> {
      await client.send(new DeleteItemCommand({ TableName, Key: toItem({ pk, sk }) }));
    },

    /** One page of the whole table, unordered. */
    scan: (FilterExpression: string, values: Plain, from?: Page): Promise<Paged> =>
      page(
        new ScanCommand({
          TableName,
          FilterExpression,
          ExpressionAttributeValues: toItem(values),
          ConsistentRead: true,
          ...(from && { ExclusiveStartKey: from }),
        }),
      ),

    /** All items of a partition whose sort key begins with `prefix`, in order. */
    async collect<T>(pk: string, prefix: string): Promise<T[]> {
      const found: T[] = [];
      let next: Page | undefined;
      do {
        const KeyConditionExpression = "pk = :pk AND begins_with(sk, :prefix)";
        const read = await query(
          { KeyConditionExpression, ConsistentRead: true },
          { ":pk": pk, ":prefix": prefix },
          next,
        );
        for (const { pk, sk, ...value } of read.rows) found.push(value as T);
        next = read.next;
      } while (next);
      return found;
    },
  };
}

/** @throws NewerItem */
function plain(item: Record<string, AttributeValue>): Plain {
  const { schema: storedSchema = schema, ...value } = unmarshall(item);
  if (storedSchema <= schema) return value;
  throw new NewerItem(
    `${value.pk} ${value.sk} was stored as schema ${storedSchema}, but this version supports schemas up to ${schema}; deploy the newer version again`,
  );
}

const toItem = (value: Plain) => marshall(value, { removeUndefinedValues: true });

async function isConditionMet(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
