import { startTable } from "../../local/table.ts";
import { type createTable, tableIndexes } from "../../shared/aws/table.ts";
import { createMemoryDynamo } from "../simulation/memory-dynamo.ts";
import { hasJava, startDynamoDbLocal } from "./dynamodb-local.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

export type Backend = { client: Parameters<typeof createTable>[0]; stop: () => Promise<void> };

/** Its pages are short, as if each item were large. */
const startMemory = async (): Promise<Backend> => {
  return { client: createMemoryDynamo({ indexes: tableIndexes, pageSize: 20 }).client, stop: async () => {} };
};

/** The local substitutes for DynamoDB. */
export const tables: { name: string; start: () => Promise<Backend>; runs: boolean }[] = [
  { name: "dynalite", start: () => startTable(aws), runs: true },
  { name: "the simulation's DynamoDB", start: startMemory, runs: true },
  // In CI it must run: without Java it fails there instead of being skipped.
  { name: "AWS's DynamoDB Local", start: startDynamoDbLocal, runs: hasJava() || process.env.CI === "true" },
];
