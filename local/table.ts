import type { ServerResponse } from "node:http";
import { createRequire } from "node:module";
import {
  type AttributeValue,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  paginateScan,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import type { LocalAws } from "../shared/aws/local-parts.ts";
import { tableDefinition } from "../shared/aws/schema.ts";
import { tableIndexes } from "../shared/aws/table.ts";
import { listen } from "../shared/http/serve.ts";

type Dynalite = (options: { path?: string; createTableMs?: number }) => import("node:http").Server;
const dynalite = createRequire(import.meta.url)("dynalite") as Dynalite;

export const tableName = "billmgr-webhooks";

export type LocalTable = { client: DynamoDBClient; endpoint: string; stop: () => Promise<void> };

/** @param path where the table outlives a restart; without it it is in memory */
export async function startTable(aws: LocalAws, path?: string): Promise<LocalTable> {
  const server = dynalite({ createTableMs: 0, ...(path && { path }) });
  const working = new Set<Promise<void>>();
  server.prependListener("request", (_, response: ServerResponse) => {
    const over = new Promise<void>((resolve) => response.once("close", resolve)).then(() => {
      working.delete(over);
    });
    working.add(over);
  });
  const endpoint = await listen(server);
  const client = new DynamoDBClient({ ...aws, endpoint });
  if (await isThere(client)) await repairIndexes(client);
  else await client.send(new CreateTableCommand(tableDefinition(tableName)));
  return {
    client,
    endpoint,
    stop: async () => {
      // dynalite ends the process when its store closes under a request.
      while (working.size > 0) await Promise.all(working);
      client.destroy();
      // Closes the store too, after the connections that are still open.
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function isThere(client: DynamoDBClient): Promise<boolean> {
  try {
    await client.send(new DescribeTableCommand({ TableName: tableName }));
    return true;
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    return false;
  }
}

type Item = Record<string, AttributeValue>;

/**
 * dynalite writes an item and its place in the index one after the other: a process that is killed in between leaves them
 * different for good, and what is not in the agenda is woken never. Putting an item as the index has it, and then as it is,
 * makes dynalite write both anew.
 */
async function repairIndexes(client: DynamoDBClient): Promise<void> {
  const TableName = tableName;
  const put = (Item: Item) => client.send(new PutItemCommand({ TableName, Item }));
  const items = new Map<string, Item>();
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
    for (const item of Items) items.set(nameOf(item), item);
  }
  for (const { name: IndexName, keys } of tableIndexes) {
    const placeOf = (item: Item): string => keys.map((key) => item[key]?.S).join(" ");
    const indexed = new Set<string>();
    for await (const { Items = [] } of paginateScan({ client }, { TableName, IndexName })) {
      for (const row of Items) {
        const item = items.get(nameOf(row));
        if (!item) continue;
        if (placeOf(item) === placeOf(row)) indexed.add(nameOf(item));
        else {
          await put({ ...item, ...row });
          await put(item);
        }
      }
    }
    for (const [name, item] of items) {
      if (item[keys[0]] === undefined || indexed.has(name)) continue;
      const outside = Object.fromEntries(Object.entries(item).filter(([key]) => !keys.some((one) => one === key)));
      await put(outside);
      await put(item);
    }
  }
}

const nameOf = ({ pk, sk }: Item): string => `${pk?.S} ${sk?.S}`;
