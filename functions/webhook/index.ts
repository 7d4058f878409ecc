import { Logger } from "@aws-lambda-powertools/logger";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { environment } from "../../shared/aws/environment.ts";
import { sendTo } from "../../shared/aws/queue.ts";
import { secretsIn } from "../../shared/aws/secrets.ts";
import { emf } from "../../shared/observability/emf.ts";
import { freshAt } from "../../shared/storefronts/signatures.ts";
import { createHandler } from "./handler.ts";

export const handler = createHandler({
  secrets: secretsIn(new SecretsManagerClient(), environment("SECRET_ID")),
  send: sendTo(new SQSClient(), environment("QUEUE_URL")),
  isFresh: freshAt(Date.now),
  now: () => new Date(),
  log: new Logger({ serviceName: "webhook" }),
  metrics: emf(),
});
