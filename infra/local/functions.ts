import type { Log } from "../../functions/log.ts";
import { type Metrics, noMetrics } from "../../functions/metrics.ts";
import { brakeIn } from "../../functions/provision/brake.ts";
import { createHandler as createProvision } from "../../functions/provision/handler.ts";
import { renew } from "../../functions/renew/renew.ts";
import { createHandler as createWebhook } from "../../functions/webhook/handler.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import type { Secrets } from "../../shared/aws/secrets.ts";
import type { Table } from "../../shared/aws/table.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { timelyAt } from "../../shared/storefronts/signatures.ts";
import { pump, type QueueAddress } from "./pump.ts";

export type Parts = {
  table: Table;
  queue: QueueAddress;
  secrets: () => Promise<Secrets>;
  /** billmgr's address. */
  billmgr: string;
  catalog: Catalog;
  now: () => Date;
  log: Log;
  metrics?: Metrics;
  /** Milliseconds of real time between two runs of the schedule; AWS has a minute. */
  scheduleEvery?: number;
};

export type LocalFunctions = {
  webhook: ReturnType<typeof createWebhook>;
  /** One run of the schedule. */
  sweep: (attentionToo?: boolean) => Promise<number>;
  /** Once what is being worked on is done. */
  stop: () => Promise<void>;
};

/** Events of a storefront's test mode count locally as any others. */
export const acceptingTests = (catalog: Catalog): Catalog => ({
  ...catalog,
  policy: { ...catalog.policy, acceptTestMode: true },
});

const provisionTimeoutMs = 180_000;

/** The three functions as they are deployed, with what stands in for Lambda around them, before services that run already. */
export function startFunctions(parts: Parts): LocalFunctions {
  const { table, queue, secrets, catalog, now, log, metrics = noMetrics, scheduleEvery = 1000 } = parts;
  const send = sendTo(queue.client, queue.url);
  // A script may sign by the local clock, a storefront's test mode signs by the real one.
  const timely = timelyAt(() => now().getTime(), Date.now);
  const provision = createProvision({
    table,
    billmgr: createBillmgr(postTo(parts.billmgr), async () => (await secrets()).billmgr, {
      brake: brakeIn(table, now, log),
      fundsErrors: catalog.billmgr.fundsErrors,
    }),
    catalog: acceptingTests(catalog),
    send,
    returnSoon: returnSoonTo(queue.client, queue.url),
    now,
    log,
    metrics,
  });
  const stopPump = pump(queue, provision, provisionTimeoutMs, catalog.limits.concurrency);
  const sweep = (attentionToo?: boolean) =>
    renew({ table, send, now, log, metrics }, () => Number.POSITIVE_INFINITY, attentionToo);
  const schedule = setInterval(() => {
    sweep().catch((error: unknown) => log.error("the schedule failed", { error: String(error) }));
  }, scheduleEvery);
  return {
    webhook: createWebhook({ secrets, send, timely, now, log, metrics }),
    sweep,
    stop: async () => {
      clearInterval(schedule);
      await stopPump();
    },
  };
}
