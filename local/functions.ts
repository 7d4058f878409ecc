import { announce } from "../functions/announce/announce.ts";
import { createHandler as createProvision } from "../functions/provision/handler.ts";
import { renew } from "../functions/renew/renew.ts";
import { createHandler as createWebhook } from "../functions/webhook/handler.ts";
import { breakerIn } from "../shared/aws/breaker.ts";
import type { Publish } from "../shared/aws/bus.ts";
import { returnSoonTo, sendTo } from "../shared/aws/queue.ts";
import type { Secrets } from "../shared/aws/secrets.ts";
import type { Table } from "../shared/aws/table.ts";
import { createBillmgr } from "../shared/billmgr/billmgr.ts";
import { postTo } from "../shared/billmgr/transport.ts";
import { acceptingTests, type Catalog } from "../shared/licensing/catalog.ts";
import type { Log } from "../shared/observability/log.ts";
import { type Metrics, noMetrics } from "../shared/observability/metrics.ts";
import { freshAt } from "../shared/storefronts/signatures.ts";
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
  /** Stands for the bus. */
  publish?: Publish;
  metrics?: Metrics;
  /** Milliseconds of real time between two runs of the schedule; AWS has a minute. */
  scheduleEvery?: number;
};

export type LocalFunctions = {
  webhook: ReturnType<typeof createWebhook>;
  /** One run of the schedule. */
  sweep: (attentionToo?: boolean) => Promise<number>;
  /** Puts onto the bus what is to be told, as each run of the schedule does too. */
  announce: () => Promise<unknown>;
  /** Once what is being worked on is done. */
  stop: () => Promise<void>;
};

const provisionTimeoutMs = 180_000;

/** The functions as they are deployed, with what stands in for Lambda around them, before services that run already. */
export function startFunctions(parts: Parts): LocalFunctions {
  const {
    table,
    queue,
    secrets,
    catalog,
    now,
    log,
    publish = async () => [],
    metrics = noMetrics,
    scheduleEvery = 1000,
  } = parts;
  const send = sendTo(queue.client, queue.url);
  // A script may sign by the local clock, a storefront's test mode signs by the real one.
  const isFresh = freshAt(() => now().getTime(), Date.now);
  const provision = createProvision({
    table,
    billmgr: createBillmgr(postTo(parts.billmgr), async () => (await secrets()).billmgr, {
      breaker: breakerIn(table, now, log),
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
  const endless = () => Number.POSITIVE_INFINITY;
  const announceAll = () => announce({ table, publish, now, log, metrics }, endless);
  const sweep = async (attentionToo?: boolean) => {
    // As on AWS, one that fails does not hold up the other.
    const [woken] = await Promise.all([
      renew({ table, send, now, log, metrics }, endless, attentionToo),
      announceAll().catch((error: unknown) => log.error("announcing failed", { error: String(error) })),
    ]);
    return woken;
  };
  const schedule = setInterval(() => {
    sweep().catch((error: unknown) => log.error("the schedule failed", { error: String(error) }));
  }, scheduleEvery);
  return {
    webhook: createWebhook({ secrets, send, isFresh, now, log, metrics }),
    sweep,
    announce: announceAll,
    stop: async () => {
      clearInterval(schedule);
      await stopPump();
    },
  };
}
