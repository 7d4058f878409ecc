/** The functions in a process of their own, which is there to be killed. Everything that lasts is in other processes. */

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
import type { Told } from "./life.ts";

const told = JSON.parse(process.argv[2] ?? "") as Told;
const { aws } = told;
const clock = createClock(told.clockOffset);
const table = createTable(new DynamoDBClient({ ...aws, endpoint: told.table.endpoint }), told.table.name);
const { webhook } = startFunctions({
  table,
  queue: { client: new SQSClient({ ...aws, endpoint: told.queue.endpoint }), url: told.queue.url },
  secrets: secretsIn(new SecretsManagerClient({ ...aws, endpoint: told.secrets }), "local"),
  billmgr: told.billmgr,
  catalog: told.catalog,
  now: clock.now,
  log: consoleLog(),
  publish: publishTo(new EventBridgeClient({ ...aws, endpoint: told.bus }), "events"),
  scheduleIntervalMs: 200,
});
const advanceTo = async (moment: Date) => clock.moveTo(moment);
const { url } = await serve(createRequestHandler({ webhook, sandbox: undefined, clock, advanceTo, table }));

// It dies by itself only with the test that started it.
process.on("disconnect", () => process.exit());
process.send?.({ url });
