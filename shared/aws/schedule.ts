import { type Key, partsOf, type Send } from "../intake/message.ts";
import type { Instant } from "../licensing/time.ts";
import type { Page } from "./items.ts";
import { agendaShards, type DuePage, type Table } from "./table.ts";

/**
 * Wakes what is due until then.
 * @param deduplicationId what else makes these wakes one with others: what is woken before its time has to be woken again at its time
 * @returns how many
 */
export async function wakeDue(
  { table, send }: { table: Pick<Table, "due">; send: Send },
  until: Instant,
  timeLeft: () => number,
  deduplicationId?: string,
): Promise<number> {
  const shards = Array.from({ length: agendaShards }, (_, shard) =>
    wakeAll((from) => table.due(shard, until, from), send, timeLeft, deduplicationId),
  );
  return (await Promise.all(shards)).reduce((sum, count) => sum + count, 0);
}

export async function wakeAll(
  pageAfter: (from?: Page) => Promise<DuePage>,
  send: Send,
  timeLeft: () => number,
  deduplicationId?: string,
): Promise<number> {
  let count = 0;
  let page: DuePage | undefined;
  do {
    page = await pageAfter(page?.next);
    const keys = page.keys.filter(({ key }) => partsOf(key).kind === "subscription");
    await send(
      keys.map(({ key, due }) => ({ message: { key, kind: "wake" }, deduplicationId: deduplicationId ?? due })),
    );
    count += keys.length;
  } while (page.next && timeLeft() > 5_000);
  return count;
}

/** Of what was due until then the longest. */
export async function oldestDue(
  table: Pick<Table, "due">,
  until: Instant,
): Promise<{ key: Key; due: Instant } | undefined> {
  const pages = await Promise.all(
    Array.from({ length: agendaShards }, (_, shard) => table.due(shard, until, undefined, 1)),
  );
  const [first] = pages.flatMap(({ keys }) => keys.slice(0, 1)).sort((a, b) => (a.due < b.due ? -1 : 1));
  return first;
}
