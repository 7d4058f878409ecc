import { readFileSync } from "node:fs";
import { Logger } from "@aws-lambda-powertools/logger";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { sendTo } from "../../shared/aws/queue.ts";
import { secretsIn } from "../../shared/aws/secrets.ts";
import { createTable } from "../../shared/aws/table.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { environment } from "../environment.ts";
import { createHandler } from "./handler.ts";

// The stack puts the catalog beside the bundle.
const catalog = parseCatalog(JSON.parse(readFileSync(new URL("catalog.json", import.meta.url), "utf8")));
const secrets = secretsIn(new SecretsManagerClient(), environment("SECRET_ID"));

export const handler = createHandler({
  table: createTable(new DynamoDBClient(), environment("TABLE_NAME")),
  billmgr: createBillmgr(postTo(catalog.billmgr.url), async () => (await secrets()).billmgr),
  catalog,
  send: sendTo(new SQSClient(), environment("QUEUE_URL")),
  now: () => new Date(),
  log: new Logger({ serviceName: "provision" }),
});
