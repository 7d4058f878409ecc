/** Runs the functions in their own process, which the test kills. Everything persistent is in another process. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { createClock } from "../../local/clock.ts";
import { startFunctions } from "../../local/functions.ts";
import { consoleLog } from "../../local/log.ts";
import { createRequestHandler } from "../../local/routes.ts";
import { publishTo } from "../../shared/aws/bus.ts";
import { secretsIn } from "../../shared/aws/secrets.ts";
import { createTable } from "../../shared/aws/table.ts";
import { serve } from "../../shared/http/serve.ts";
import type { ProcessConfig } from "./life.ts";

const config = JSON.parse(process.argv[2] ?? "") as ProcessConfig;
const { aws } = config;
const clock = createClock(config.clockOffset);
const table = createTable(new DynamoDBClient({ ...aws, endpoint: config.table.endpoint }), config.table.name);
const { webhook } = startFunctions({
  table,
  queue: { client: new SQSClient({ ...aws, endpoint: config.queue.endpoint }), url: config.queue.url },
  secrets: secretsIn(new SecretsManagerClient({ ...aws, endpoint: config.secrets }), "local"),
  billmgr: config.billmgr,
  catalog: config.catalog,
  now: clock.now,
  log: consoleLog(),
  publish: publishTo(new EventBridgeClient({ ...aws, endpoint: config.bus }), "events"),
  scheduleIntervalMs: 200,
});
const advanceTo = async (moment: Date) => clock.moveTo(moment);
const { url } = await serve(createRequestHandler({ webhook, sandbox: undefined, clock, advanceTo, table }));

// The process ends when the test that started it ends.
process.on("disconnect", () => process.exit());
process.send?.({ url });
