import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { agendaIndex } from "./table.ts";

/** The table as the stack deploys it, for the local system and for tests. */
export const tableDefinition = (name: string): CreateTableCommandInput => ({
  TableName: name,
  BillingMode: "PAY_PER_REQUEST",
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
  AttributeDefinitions: ["pk", "sk", "agenda", "agendaAt"].map((AttributeName) => ({
    AttributeName,
    AttributeType: "S",
  })),
  GlobalSecondaryIndexes: [
    {
      IndexName: agendaIndex,
      KeySchema: [
        { AttributeName: "agenda", KeyType: "HASH" },
        { AttributeName: "agendaAt", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "KEYS_ONLY" },
    },
  ],
});
