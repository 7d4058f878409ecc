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

/** From where the next page goes on. */
export type Page = Record<string, AttributeValue>;

/** Of each item: what is stored outlives the code that stored it. Raised by whoever has to read an older one otherwise. */
export const schema = 1;

/** Stored by newer code than this: after a rollback it must not be misread, nor written over. */
export class NewerItem extends Error {
  override name = "NewerItem";
}

type Plain = Record<string, unknown>;
type Condition = { if: string; with?: Plain; names?: Record<string, string> };
type Paged = { rows: Plain[]; next?: Page };

/** The items of one table as plain values: what each of DynamoDB's requests is made of. */
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
    const rest = from && { ExclusiveStartKey: from };
    return page(new QueryCommand({ TableName, ...input, ExpressionAttributeValues, ...rest }));
  };

  return {
    query,

    async get(pk: string, sk: string): Promise<Plain | undefined> {
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: toItem({ pk, sk }), ConsistentRead: true }),
      );
      return Item && plain(Item);
    },

    /** False when the condition does not hold. */
    put: (item: Plain, condition?: Condition): Promise<boolean> => {
      const input: PutItemCommandInput = {
        TableName,
        Item: toItem({ schema, ...item }),
        ...(condition && conditionOf(condition)),
      };
      return holds(client.send(new PutItemCommand(input)));
    },

    /** False when the condition does not hold. */
    update: (pk: string, sk: string, UpdateExpression: string, condition: Condition): Promise<boolean> => {
      const Key = toItem({ pk, sk });
      const input: UpdateItemCommandInput = { TableName, Key, UpdateExpression, ...conditionOf(condition) };
      return holds(client.send(new UpdateItemCommand(input)));
    },

    async remove(pk: string, sk: string): Promise<void> {
      await client.send(new DeleteItemCommand({ TableName, Key: toItem({ pk, sk }) }));
    },

    /** Of the whole table, in no order. */
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

    /** The items of one kind in a collection, in their order. */
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
  const { schema: of = schema, ...value } = unmarshall(item);
  if (of <= schema) return value;
  const what = `${value.pk} ${value.sk} was stored as schema ${of}`;
  throw new NewerItem(`${what}, and this version knows none after ${schema}: deploy the newer version again`);
}

const toItem = (value: Plain) => marshall(value, { removeUndefinedValues: true });

async function holds(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
