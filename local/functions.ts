/** Runs the Lambda functions in this process. */

import { announce } from "../functions/announce/announce.ts";
import { createHandler as createProvision } from "../functions/provision/handler.ts";
import { renew } from "../functions/renew/renew.ts";
import { createHandler as createWebhook } from "../functions/webhook/handler.ts";
import { breakerIn } from "../shared/aws/breaker.ts";
import type { Publish } from "../shared/aws/bus.ts";
import { returnSoonTo, sendTo } from "../shared/aws/queue.ts";
import type { Secrets } from "../shared/aws/secrets.ts";
import type { Table } from "../shared/aws/table.ts";
import { provisionTimeoutMs } from "../shared/aws/timeouts.ts";
import { createBillmgr } from "../shared/billmgr/billmgr.ts";
import { postTo } from "../shared/billmgr/transport.ts";
import { acceptingTests, type Catalog } from "../shared/licensing/catalog.ts";
import type { Log } from "../shared/observability/log.ts";
import { type Metrics, noMetrics } from "../shared/observability/metrics.ts";
import { freshAt } from "../shared/storefronts/signatures.ts";
import { pump, type QueueAddress } from "./pump.ts";

export type LocalFunctionsDependencies = {
  table: Table;
  queue: QueueAddress;
  secrets: () => Promise<Secrets>;
  /** The URL of billmgr. */
  billmgr: string;
  catalog: Catalog;
  now: () => Date;
  log: Log;
  /** Replaces the event bus. */
  publish?: Publish;
  metrics?: Metrics;
  /** Real time between two runs of the schedule. On AWS it is a minute. */
  scheduleIntervalMs?: number;
};

export type LocalFunctions = {
  webhook: ReturnType<typeof createWebhook>;
  /** Runs the schedule once. @returns how many subscriptions were woken */
  sweep: (options?: { includeAttention: boolean }) => Promise<number>;
  /** Publishes pending announcements, as each run of the schedule also does. */
  announce: () => Promise<unknown>;
  /** Stops after the current work. */
  stop: () => Promise<void>;
};

/** Starts the same code that is deployed, with a pump and a timer in place of Lambda's event sources. */
export function startFunctions(deps: LocalFunctionsDependencies): LocalFunctions {
  const {
    table,
    queue,
    secrets,
    catalog,
    now,
    log,
    publish = async () => [],
    metrics = noMetrics,
    scheduleIntervalMs = 1000,
  } = deps;
  const send = sendTo(queue.client, queue.url);
  // A script may sign by the local clock; a storefront's test mode signs by the real one.
  const isFresh = freshAt(() => now().getTime(), Date.now);
  const provision = createProvision({
    table,
    billmgr: createBillmgr(postTo(deps.billmgr), async () => (await secrets()).billmgr, {
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
  const unlimited = () => Number.POSITIVE_INFINITY;
  const announceAll = () => announce({ table, publish, now, log, metrics }, unlimited);
  const sweep = async (options?: { includeAttention: boolean }) => {
    // As on AWS, a failure of one function does not affect the other.
    const [woken] = await Promise.all([
      renew({ table, send, now, log, metrics }, unlimited, options?.includeAttention),
      announceAll().catch((error: unknown) => log.error("announce failed", { error: String(error) })),
    ]);
    return woken;
  };
  const schedule = setInterval(() => {
    sweep().catch((error: unknown) => log.error("renew failed", { error: String(error) }));
  }, scheduleIntervalMs);
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
