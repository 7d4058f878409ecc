import type { Page } from "../../shared/aws/items.ts";
import type { Send } from "../../shared/aws/queue.ts";
import { agendaShards, type DuePage, type Table } from "../../shared/aws/table.ts";
import { type Instant, toInstant } from "../../shared/licensing/time.ts";
import { partsOf } from "../../shared/message.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";

export type World = {
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
  { table, send, now, log, metrics }: World,
  timeLeft: () => number,
  attentionToo = now().getUTCMinutes() % attentionEvery === 0,
): Promise<number> {
  const until = toInstant(now());
  const pages = (from?: Page) => table.attention(from);
  const [due, asked] = await Promise.all([
    wakeDue({ table, send }, until, timeLeft),
    attentionToo ? wakeAll(pages, send, timeLeft, until.slice(0, 16)) : 0,
  ]);
  if (due + asked > 0) log.info("woken", { subscriptions: due + asked });
  metrics.put("Woken", due + asked);
  return due + asked;
}

/**
 * Wakes what is due until then.
 * @param once what else makes these wakes one with others: what is woken before its time has to be woken again at its time
 * @returns how many
 */
export async function wakeDue(
  { table, send }: { table: Pick<Table, "due">; send: Send },
  until: Instant,
  timeLeft: () => number,
  once?: string,
): Promise<number> {
  const shards = Array.from({ length: agendaShards }, (_, shard) =>
    wakeAll((from) => table.due(shard, until, from), send, timeLeft, once),
  );
  return (await Promise.all(shards)).reduce((sum, count) => sum + count, 0);
}

async function wakeAll(
  pageAfter: (from?: Page) => Promise<DuePage>,
  send: Send,
  timeLeft: () => number,
  once?: string,
): Promise<number> {
  let count = 0;
  let page: DuePage | undefined;
  do {
    page = await pageAfter(page?.next);
    const keys = page.keys.filter(({ key }) => partsOf(key).kind === "subscription");
    await send(keys.map(({ key, due }) => ({ message: { key, kind: "wake" }, once: once ?? due })));
    count += keys.length;
  } while (page.next && timeLeft() > 5_000);
  return count;
}
