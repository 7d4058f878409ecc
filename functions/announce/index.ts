import { Logger } from "@aws-lambda-powertools/logger";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { Context } from "aws-lambda";
import { publishTo } from "../../shared/aws/bus.ts";
import { environment } from "../../shared/aws/environment.ts";
import { createTable } from "../../shared/aws/table.ts";
import { emf } from "../../shared/observability/emf.ts";
import { announce } from "./announce.ts";

const deps = {
  table: createTable(new DynamoDBClient(), environment("TABLE_NAME")),
  publish: publishTo(new EventBridgeClient(), environment("BUS_NAME")),
  now: () => new Date(),
  log: new Logger({ serviceName: "announce" }),
  metrics: emf(),
};

export const handler = async (_event: unknown, context: Context): Promise<void> => {
  await announce(deps, () => context.getRemainingTimeInMillis());
};
