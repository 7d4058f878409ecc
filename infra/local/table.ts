import { createRequire } from "node:module";
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import { tableDefinition } from "../../shared/aws/schema.ts";
import type { LocalAws } from "./aws.ts";
import { listen } from "./serve.ts";

type Dynalite = (options: { path?: string; createTableMs?: number }) => import("node:http").Server;
const dynalite = createRequire(import.meta.url)("dynalite") as Dynalite;

export const tableName = "billmgr-webhooks";

export type LocalTable = { client: DynamoDBClient; endpoint: string; stop: () => Promise<void> };

/** @param path where the table outlives a restart; without it it is in memory */
export async function startTable(aws: LocalAws, path?: string): Promise<LocalTable> {
  const server = dynalite({ createTableMs: 0, ...(path && { path }) });
  const endpoint = await listen(server);
  const client = new DynamoDBClient({ ...aws, endpoint });
  await createUnlessThere(client);
  return {
    client,
    endpoint,
    stop: async () => {
      client.destroy();
      // Closes the store too, after the connections that are still open.
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function createUnlessThere(client: DynamoDBClient): Promise<void> {
  try {
    await client.send(new DescribeTableCommand({ TableName: tableName }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(new CreateTableCommand(tableDefinition(tableName)));
  }
}
