import type { Page } from "../../shared/aws/items.ts";
import { wakeAll, wakeDue } from "../../shared/aws/schedule.ts";
import type { DuePage, Table } from "../../shared/aws/table.ts";
import type { Send } from "../../shared/intake/message.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import type { Log } from "../../shared/observability/log.ts";
import type { Metrics } from "../../shared/observability/metrics.ts";

export type RenewDependencies = {
  table: Pick<Table, "due" | "attention">;
  send: Send;
  now: () => Date;
  log: Log;
  metrics: Metrics;
};

const attentionIntervalMinutes = 10;

/**
 * Wakes each subscription that is due. It stays due until provision has handled it, so a lost wake is sent again a minute
 * later; within five minutes SQS drops the repetition as a duplicate. Subscriptions that need attention are woken too,
 * at a longer interval: the catalog may have been fixed, or billmgr may have finished its work.
 *
 * @param timeLeft milliseconds; the run stops in time, and the next run continues with what is still due
 * @param includeAttention whether this run wakes subscriptions that need attention
 * @returns how many were woken
 */
export async function renew(
  { table, send, now, log, metrics }: RenewDependencies,
  timeLeft: () => number,
  includeAttention = now().getUTCMinutes() % attentionIntervalMinutes === 0,
): Promise<number> {
  const until = toInstant(now());
  const attentionPage = async (from?: Page): Promise<DuePage> => {
    const { keys, next } = await table.attention(from);
    return { keys: keys.map(({ key, since }) => ({ key, due: since })), ...(next && { next }) };
  };
  const counts = await Promise.all([
    wakeDue({ table, send }, until, timeLeft),
    includeAttention ? wakeAll(attentionPage, send, timeLeft, until.slice(0, 16)) : 0,
  ]);
  const subscriptions = counts[0] + counts[1];
  if (subscriptions > 0) log.info("woken", { subscriptions });
  metrics.put("Woken", subscriptions);
  return subscriptions;
}
