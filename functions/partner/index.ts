import { Logger } from "@aws-lambda-powertools/logger";
import { SQSClient } from "@aws-sdk/client-sqs";
import { environment } from "../../shared/aws/environment.ts";
import { sendTo } from "../../shared/aws/queue.ts";
import { createHandler } from "./handler.ts";

export const handler = createHandler(JSON.parse(environment("EVENT_SOURCES")), {
  send: sendTo(new SQSClient(), environment("QUEUE_URL")),
  now: () => new Date(),
  log: new Logger({ serviceName: "partner" }),
});
