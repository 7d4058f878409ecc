import { readFileSync } from "node:fs";
import { Logger } from "@aws-lambda-powertools/logger";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { breakerIn } from "../../shared/aws/breaker.ts";
import { environment } from "../../shared/aws/environment.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import { secretsIn } from "../../shared/aws/secrets.ts";
import { createTable } from "../../shared/aws/table.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { emf } from "../../shared/observability/emf.ts";
import { createHandler } from "./handler.ts";

// The stack puts the catalog next to the bundle.
const catalog = parseCatalog(JSON.parse(readFileSync(new URL("catalog.json", import.meta.url), "utf8")));
const sqs = new SQSClient();
const queueUrl = environment("QUEUE_URL");
const secrets = secretsIn(new SecretsManagerClient(), environment("SECRET_ID"));

const table = createTable(new DynamoDBClient(), environment("TABLE_NAME"));
const log = new Logger({ serviceName: "provision" });
const now = () => new Date();
const { url, fundsErrors } = catalog.billmgr;

export const handler = createHandler({
  table,
  billmgr: createBillmgr(postTo(url), async () => (await secrets()).billmgr, {
    breaker: breakerIn(table, now, log),
    fundsErrors,
  }),
  catalog,
  send: sendTo(sqs, queueUrl),
  returnSoon: returnSoonTo(sqs, queueUrl),
  now,
  log,
  metrics: emf(),
});
