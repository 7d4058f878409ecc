import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Clock, createClock } from "../../local/clock.ts";
import { startQueue } from "../../local/queue.ts";
import { serveSecrets } from "../../local/secrets.ts";
import { createSandbox, type Sandbox } from "../../local/simulators/billmgr/index.ts";
import { tableName } from "../../local/table.ts";
import { publishTo } from "../../shared/aws/bus.ts";
import { secretsIn } from "../../shared/aws/secrets.ts";
import { serve } from "../../shared/http/serve.ts";
import { startDynamoDbLocal } from "../support/dynamodb-local.ts";
import { serveEventBus } from "../support/event-bus.ts";
import { authinfo, secrets, testCatalog } from "../support/local.ts";
import type { ProcessConfig } from "./life.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

export type System = Awaited<ReturnType<typeof startSystem>>;

/** Everything that outlives the functions: table, queue, secrets, billmgr, bus, and their clock. */
export async function startSystem() {
  const clock = createClock(Date.parse("2026-11-02T08:00:00Z") - Date.now());
  const sandbox = createSandbox({ now: clock.now, authinfo: () => authinfo });
  const table = await startDynamoDbLocal();
  // A message whose receiver was killed is delivered again a second later.
  const queue = await startQueue(aws, undefined, 1);
  const secretsServer = await serveSecrets(() => secrets);
  const secretsClient = new SecretsManagerClient({ ...aws, endpoint: secretsServer.url });
  const billmgr = await serveBillmgr(sandbox);
  const bus = await serveEventBus();
  const busClient = new EventBridgeClient({ ...aws, endpoint: bus.url });
  const catalog = testCatalog({}, { ordersPerHour: 1000, ordersPerDay: 1000 });
  return {
    clock,
    sandbox,
    table,
    queue,
    billmgr,
    catalog,
    bus,
    publish: publishTo(busClient, "events"),
    secrets: secretsIn(secretsClient, "local"),
    config: (): ProcessConfig => ({
      aws,
      table: { endpoint: table.endpoint, name: tableName },
      queue: { endpoint: queue.endpoint, url: queue.url },
      secrets: secretsServer.url,
      bus: bus.url,
      billmgr: billmgr.address,
      catalog,
      clockOffset: clock.offset(),
    }),
    stop: async () => {
      await Promise.all([table.stop(), queue.stop(), secretsServer.close(), billmgr.close(), bus.close()]);
      secretsClient.destroy();
      busClient.destroy();
    },
  };
}

/** Calls the watcher with the number of each call, when it arrives and when it was answered. */
async function serveBillmgr(sandbox: Sandbox) {
  let calls = 0;
  let watch: (call: number, at: "arrival" | "answer") => void = () => {};
  const { url, close } = await serve(async (request, response) => {
    const call = ++calls;
    watch(call, "arrival");
    await sandbox.handle(request, response);
    watch(call, "answer");
  });
  return {
    address: `${url}/manager/billmgr`,
    forgetFaults: () => fetch(`${url}/sandbox/faults`, { method: "DELETE" }),
    calls: () => calls,
    watch: (watcher: typeof watch) => {
      watch = watcher;
    },
    close,
  };
}

export const moveBy = (clock: Clock, ms: number): void => clock.moveTo(new Date(clock.now().getTime() + ms));
