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

/** Minutes between two looks at what waits for a person. */
const attentionEvery = 10;

/**
 * Wakes each subscription whose next action is due. What was woken stays due until provision has dealt with it, so a lost
 * wake is sent again a minute later; within five minutes SQS takes the second for the first. What waits for a person is
 * woken too, now and then: the catalog may have been mended, or billmgr may have finished what it was at.
 *
 * @param timeLeft milliseconds: it stops in time, and the next run goes on from what is then due
 * @param attentionToo whether this run wakes what waits for a person
 * @returns how many were woken
 */
export async function renew(
  { table, send, now, log, metrics }: RenewDependencies,
  timeLeft: () => number,
  attentionToo = now().getUTCMinutes() % attentionEvery === 0,
): Promise<number> {
  const until = toInstant(now());
  const pages = async (from?: Page): Promise<DuePage> => {
    const { keys, next } = await table.attention(from);
    return { keys: keys.map(({ key, since }) => ({ key, due: since })), ...(next && { next }) };
  };
  const [due, asked] = await Promise.all([
    wakeDue({ table, send }, until, timeLeft),
    attentionToo ? wakeAll(pages, send, timeLeft, until.slice(0, 16)) : 0,
  ]);
  if (due + asked > 0) log.info("woken", { subscriptions: due + asked });
  metrics.put("Woken", due + asked);
  return due + asked;
}
