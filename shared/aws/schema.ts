import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { tableIndexes } from "./table.ts";

/** The table as the stack deploys it, for the local system and for tests. */
export const tableDefinition = (name: string): CreateTableCommandInput => ({
  TableName: name,
  BillingMode: "PAY_PER_REQUEST",
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
  AttributeDefinitions: ["pk", "sk", ...tableIndexes.flatMap(({ keys }) => keys)].map((AttributeName) => ({
    AttributeName,
    AttributeType: "S",
  })),
  GlobalSecondaryIndexes: tableIndexes.map(({ name: IndexName, keys: [hash, range] }) => ({
    IndexName,
    KeySchema: [
      { AttributeName: hash, KeyType: "HASH" },
      { AttributeName: range, KeyType: "RANGE" },
    ],
    Projection: { ProjectionType: "KEYS_ONLY" },
  })),
});
