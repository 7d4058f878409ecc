import { Logger } from "@aws-lambda-powertools/logger";
import { SQSClient } from "@aws-sdk/client-sqs";
import { sendTo } from "../../shared/aws/queue.ts";
import { environment } from "../environment.ts";
import { createHandler } from "./handler.ts";

export const handler = createHandler(JSON.parse(environment("EVENT_SOURCES")), {
  send: sendTo(new SQSClient(), environment("QUEUE_URL")),
  now: () => new Date(),
  log: new Logger({ serviceName: "partner" }),
});
