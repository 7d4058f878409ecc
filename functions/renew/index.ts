import { Logger } from "@aws-lambda-powertools/logger";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";
import { environment } from "../../shared/aws/environment.ts";
import { sendTo } from "../../shared/aws/queue.ts";
import { createTable } from "../../shared/aws/table.ts";
import { emf } from "../../shared/observability/emf.ts";
import { renew } from "./renew.ts";

const deps = {
  table: createTable(new DynamoDBClient(), environment("TABLE_NAME")),
  send: sendTo(new SQSClient(), environment("QUEUE_URL")),
  now: () => new Date(),
  log: new Logger({ serviceName: "renew" }),
  metrics: emf(),
};

export const handler = async (_event: unknown, context: Context): Promise<void> => {
  await renew(deps, () => context.getRemainingTimeInMillis());
};
