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

/** An announcement to publish, if the change has one, and the write that marks it as published. */
type Pending = { announcement?: Announcement | undefined; markPublished: () => Promise<void> };
/** Reads one pending announcement when its turn comes; undefined if there is nothing to publish. */
type PendingReader = () => Promise<Pending | undefined>;
type PendingPage = { readers: PendingReader[]; next?: Page | undefined };

/** One request to the bus. Published announcements are marked before more are read. */
const batchSize = 10;
/** Enough time to finish one more batch. */
const minTimeLeftMs = 5_000;

/**
 * Publishes completed operations and attention items on the bus. Each stays pending in the table until the bus has accepted
 * it, so none is lost. A run that dies in between publishes it again with the same id.
 *
 * @param timeLeft milliseconds; the run stops in time, and the next run continues
 * @returns how many were published
 * @throws the first fault, after publishing everything else; the next run retries what could not be read or was rejected
 */
export async function announce(deps: AnnounceDependencies, timeLeft: () => number): Promise<number> {
  const faults: unknown[] = [];
  const shards = Array.from({ length: agendaShards }, (_, shard) => (from?: Page) => operationsPage(shard, from, deps));
  const sources = [...shards, (from?: Page) => attentionPage(from, deps)];
  const counts = await Promise.all(sources.map((source) => publishAll(source, deps, timeLeft, faults)));
  const count = counts.reduce((sum, one) => sum + one, 0);
  if (count > 0) deps.log.info("events published", { events: count });
  deps.metrics.put("Announcements", count);
  if (faults.length > 0) throw faults[0];
  return count;
}

async function publishAll(
  pageAfter: (from?: Page) => Promise<PendingPage>,
  deps: AnnounceDependencies,
  timeLeft: () => number,
  faults: unknown[],
): Promise<number> {
  let count = 0;
  try {
    let from: Page | undefined;
    do {
      const { readers, next } = await pageAfter(from);
      for (let i = 0; i < readers.length && timeLeft() > minTimeLeftMs; i += batchSize)
        count += await publishBatch(readers.slice(i, i + batchSize), deps, faults);
      from = next;
    } while (from && timeLeft() > minTimeLeftMs);
  } catch (error) {
    faults.push(error);
  }
  return count;
}

/** An announcement that cannot be read, or that the bus rejects, does not delay others. */
async function publishBatch(
  readers: readonly PendingReader[],
  { publish }: AnnounceDependencies,
  faults: unknown[],
): Promise<number> {
  const reads = await Promise.allSettled(readers.map((read) => read()));
  faults.push(...reads.flatMap((one) => (one.status === "rejected" ? [one.reason] : [])));
  const pending = reads.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const announcements = pending.flatMap(({ announcement }) => announcement ?? []);
  const refused = announcements.length === 0 ? [] : await publish(announcements);
  faults.push(...refused.map(({ id, why }) => new Error(`the bus rejected ${id}: ${why}`)));
  const accepted = pending.filter(({ announcement }) => !refused.some(({ id }) => id === announcement?.id));
  await Promise.all(accepted.map(({ markPublished }) => markPublished()));
  return accepted.filter(({ announcement }) => announcement).length;
}

async function operationsPage(
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

async function attentionPage(from: Page | undefined, { table }: AnnounceDependencies): Promise<PendingPage> {
  const { keys, next } = await table.attention(from);
  const readers = (await Promise.all(keys.map((listed) => readersOf(listed, table)))).flat();
  return { readers, next };
}

/** One reader for each attention item that was not published. An item is published once, as long as it lasts. */
async function readersOf(entry: AttentionPage["keys"][number], table: Table): Promise<PendingReader[]> {
  const { key, since, latest, codes } = entry;
  // While the list shows the same, nothing is new: one read a minute for an item that stands.
  const listed = [since, latest, ...codes].join("#");
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
