import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { environment } from "../../shared/aws/environment.ts";
import { createTable } from "../../shared/aws/table.ts";
import { emf } from "../../shared/observability/emf.ts";
import { watch } from "./watch.ts";

const deps = {
  table: createTable(new DynamoDBClient(), environment("TABLE_NAME")),
  now: () => new Date(),
  metrics: emf(),
};

export const handler = (): Promise<void> => watch(deps);
