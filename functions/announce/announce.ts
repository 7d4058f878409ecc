import type { Publish } from "../../shared/aws/bus.ts";
import type { Page } from "../../shared/aws/items.ts";
import { type AttentionPage, agendaShards, type Table } from "../../shared/aws/table.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import {
  type Announcement,
  announcementOf,
  attentionIdOf,
  attentionOf,
  unparseableOf,
} from "../../shared/licensing/announcement.ts";
import { awaitsKey } from "../../shared/licensing/license-keys.ts";
import { type Instant, toInstant } from "../../shared/licensing/time.ts";
import type { Log } from "../../shared/observability/log.ts";
import type { Metrics } from "../../shared/observability/metrics.ts";

export type AnnounceDependencies = { table: Table; publish: Publish; now: () => Date; log: Log; metrics: Metrics };

/** What is to be told, if there is anything, and how it is remembered that it was. */
type Pending = { announcement?: Announcement | undefined; markPublished: () => Promise<void> };
/** Where something may be to be told: read only when its turn comes. */
type PendingReader = () => Promise<Pending | undefined>;
type PendingPage = { readers: PendingReader[]; next?: Page | undefined };

/** One request to the bus. What it took is remembered before more is read. */
const batchSize = 10;

/**
 * Tells others what was done, and where a person is needed. It lies in the table until the bus has taken it, so none is
 * lost; whoever dies between the two tells it again, by the same id.
 *
 * @param timeLeft milliseconds: it stops in time, and the next run goes on
 * @returns how many were told
 * @throws the first fault, after all else was told: what could not be read, or was not taken, the next run tells again
 */
export async function announce(deps: AnnounceDependencies, timeLeft: () => number): Promise<number> {
  const faults: unknown[] = [];
  const shards = Array.from({ length: agendaShards }, (_, shard) => (from?: Page) => doneIn(shard, from, deps));
  const sources = [...shards, (from?: Page) => attentionIn(from, deps)];
  const told = await Promise.all(sources.map((source) => publishAll(source, deps, timeLeft, faults)));
  const count = told.reduce((sum, one) => sum + one, 0);
  if (count > 0) deps.log.info("announced", { events: count });
  deps.metrics.put("Announcements", count);
  if (faults.length > 0) throw faults[0];
  return count;
}

async function publishAll(
  placesAfter: (from?: Page) => Promise<PendingPage>,
  deps: AnnounceDependencies,
  timeLeft: () => number,
  faults: unknown[],
): Promise<number> {
  let count = 0;
  try {
    let from: Page | undefined;
    do {
      const { readers, next } = await placesAfter(from);
      for (let i = 0; i < readers.length && timeLeft() > 5_000; i += batchSize)
        count += await publishBatch(readers.slice(i, i + batchSize), deps, faults);
      from = next;
    } while (from && timeLeft() > 5_000);
  } catch (error) {
    faults.push(error);
  }
  return count;
}

/** One that cannot be read, or is not taken, holds up no other. */
async function publishBatch(
  places: readonly PendingReader[],
  { publish }: AnnounceDependencies,
  faults: unknown[],
): Promise<number> {
  const read = await Promise.allSettled(places.map((place) => place()));
  faults.push(...read.flatMap((one) => (one.status === "rejected" ? [one.reason] : [])));
  const pending = read.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const announcements = pending.flatMap(({ announcement }) => announcement ?? []);
  const refused = announcements.length === 0 ? [] : await publish(announcements);
  faults.push(...refused.map(({ id, why }) => new Error(`the bus did not take ${id}: ${why}`)));
  const taken = pending.filter(({ announcement }) => !refused.some(({ id }) => id === announcement?.id));
  await Promise.all(taken.map(({ markPublished }) => markPublished()));
  return taken.filter(({ announcement }) => announcement).length;
}

async function doneIn(
  shard: number,
  from: Page | undefined,
  { table, now }: AnnounceDependencies,
): Promise<PendingPage> {
  const { operations, next } = await table.unpublished(shard, from);
  const readers = operations.map(({ key, n }) => async () => {
    const [stored, operation] = await Promise.all([table.load(key), table.unpublishedOperation(key, n)]);
    if (!stored || !operation || awaitsKey(stored.subscription, operation, toInstant(now()))) return undefined;
    const announcement = announcementOf(stored.subscription, operation);
    return { announcement, markPublished: () => table.markPublished(key, operation) };
  });
  return { readers, next };
}

async function attentionIn(from: Page | undefined, { table }: AnnounceDependencies): Promise<PendingPage> {
  const { keys, next } = await table.attention(from);
  const readers = (await Promise.all(keys.map((listed) => readersOf(listed, table)))).flat();
  return { readers, next };
}

/** One reader for each attention item that was not published. An item is published once, as long as it lasts. */
async function readersOf({ key, since, codes }: AttentionPage["keys"][number], table: Table): Promise<PendingReader[]> {
  // While the list shows the same, nothing is new: one read a minute for an item that stands.
  const listed = [since, ...codes].join("#");
  if (await table.isAttentionPublished(key, listed)) return [];
  const found = await itemsAt(key, since, table);
  const published = await Promise.all(found.map(({ id }) => table.isAttentionPublished(key, id)));
  const unpublished = found.filter((_, i) => !published[i]);
  if (unpublished.length === 0) await table.markAttentionPublished(key, listed);
  return unpublished.map(({ id, announcement }) => async () => ({
    announcement,
    markPublished: () => table.markAttentionPublished(key, id),
  }));
}

/** The items as they are now: the index is read late, and by now they may be over. */
async function itemsAt(key: Key, since: Instant, table: Table): Promise<{ id: string; announcement: Announcement }[]> {
  const { kind, storefront, id } = partsOf(key);
  if (kind === "subscription") {
    const { subscription } = (await table.load(key)) ?? {};
    const items = subscription?.attention ?? [];
    return subscription
      ? items.map((item) => ({ id: attentionIdOf(item), announcement: attentionOf(subscription, item) }))
      : [];
  }
  const events = await table.events(key);
  const event = events.find(({ status, resolution }) => status === "unparseable" && !resolution);
  if (event?.status !== "unparseable") return [];
  return [{ id: since, announcement: unparseableOf(storefront, id, since, event.reason) }];
}
