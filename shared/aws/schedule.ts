import { type Key, partsOf, type Send } from "../intake/message.ts";
import type { Instant } from "../licensing/time.ts";
import type { Page } from "./items.ts";
import { agendaShards, type DuePage, type Table } from "./table.ts";

/** Enough time to finish one more page. */
const minTimeLeftMs = 5_000;

/**
 * Wakes the subscriptions that are due by `until`.
 * @param deduplicationId replaces the due time as the deduplication id. It is needed when subscriptions are woken early,
 *   so that their regular wake is not dropped as a duplicate.
 * @returns how many were woken
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

/** Wakes the subscriptions on all pages, until the time runs out. @returns how many were woken */
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
    const keys = page.keys.filter(({ key }) => partsOf(key).kind !== "event");
    await send(
      keys.map(({ key, due }) => ({ message: { key, kind: "wake" }, deduplicationId: deduplicationId ?? due })),
    );
    count += keys.length;
  } while (page.next && timeLeft() > minTimeLeftMs);
  return count;
}

/** The oldest entry that is due by `until`, if any. */
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
