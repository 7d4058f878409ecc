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

/** Starts an emulator of DynamoDB with the table. @param path keeps the table between runs; without it, it is in memory */
export async function startTable(aws: LocalAws, path?: string): Promise<LocalTable> {
  const server = dynalite({ createTableMs: 0, ...(path && { path }) });
  const running = new Set<Promise<void>>();
  server.prependListener("request", (_, response: ServerResponse) => {
    const finished = new Promise<void>((resolve) => response.once("close", resolve)).then(() => {
      running.delete(finished);
    });
    running.add(finished);
  });
  const endpoint = await listen(server);
  const client = new DynamoDBClient({ ...aws, endpoint });
  if (await tableExists(client)) await repairIndexes(client);
  else await client.send(new CreateTableCommand(tableDefinition(tableName)));
  return {
    client,
    endpoint,
    stop: async () => {
      // dynalite ends the process if its store closes during a request.
      while (running.size > 0) await Promise.all(running);
      client.destroy();
      // This also closes the store, after the open connections.
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function tableExists(client: DynamoDBClient): Promise<boolean> {
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
 * Makes the indexes agree with the items. dynalite writes an item and its index entry one after the other, so a killed
 * process can leave them different for good, and an item that is not in the index is never woken. Putting an item as the
 * index has it, and then as it is, makes dynalite write both again.
 */
async function repairIndexes(client: DynamoDBClient): Promise<void> {
  const TableName = tableName;
  const put = (Item: Item) => client.send(new PutItemCommand({ TableName, Item }));
  const items = new Map<string, Item>();
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) {
    for (const item of Items) items.set(keyOf(item), item);
  }
  for (const { name: IndexName, keys } of tableIndexes) {
    const indexKeyOf = (item: Item): string => keys.map((key) => item[key]?.S).join(" ");
    const indexed = new Set<string>();
    for await (const { Items = [] } of paginateScan({ client }, { TableName, IndexName })) {
      for (const row of Items) {
        const item = items.get(keyOf(row));
        if (!item) continue;
        if (indexKeyOf(item) === indexKeyOf(row)) indexed.add(keyOf(item));
        else {
          await put({ ...item, ...row });
          await put(item);
        }
      }
    }
    for (const [key, item] of items) {
      if (item[keys[0]] === undefined || indexed.has(key)) continue;
      const notIndexed = Object.fromEntries(Object.entries(item).filter(([name]) => !keys.some((one) => one === name)));
      await put(notIndexed);
      await put(item);
    }
  }
}

const keyOf = ({ pk, sk }: Item): string => `${pk?.S} ${sk?.S}`;
