import type { Publish } from "../../shared/aws/bus.ts";
import type { Page } from "../../shared/aws/items.ts";
import { agendaShards, type Table } from "../../shared/aws/table.ts";
import { type Announcement, announcementOf, attentionOf, unclearOf } from "../../shared/licensing/announcement.ts";
import type { Instant } from "../../shared/licensing/time.ts";
import { type Key, partsOf } from "../../shared/message.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";

export type World = { table: Table; publish: Publish; log: Log; metrics: Metrics };

/** What is to be told, and how it is remembered that it was. */
type Pending = { announcement?: Announcement | undefined; remember: () => Promise<void> };

/**
 * Tells others what was done, and where a person is needed. It lies in the table until the bus has taken it, so none is
 * lost; whoever dies between the two tells it again, by the same id.
 *
 * @param timeLeft milliseconds: it stops in time, and the next run goes on
 * @returns how many were told
 * @throws Error when the bus did not take some of them, which the next run tells again
 */
export async function announce(world: World, timeLeft: () => number): Promise<number> {
  const shards = Array.from({ length: agendaShards }, (_, shard) =>
    tellAll((from) => doneIn(shard, from, world), world, timeLeft),
  );
  const told = await Promise.allSettled([...shards, tellAll((from) => waiting(from, world), world, timeLeft)]);
  const count = told.reduce((sum, one) => sum + (one.status === "fulfilled" ? one.value : 0), 0);
  if (count > 0) world.log.info("announced", { events: count });
  world.metrics.put("Announcements", count);
  const failed = told.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return count;
}

async function tellAll(
  pageAfter: (from?: Page) => Promise<{ pending: Pending[]; next?: Page | undefined }>,
  { publish }: World,
  timeLeft: () => number,
): Promise<number> {
  let count = 0;
  let from: Page | undefined;
  do {
    const { pending, next } = await pageAfter(from);
    await publish(pending.flatMap(({ announcement }) => announcement ?? []));
    for (const { announcement, remember } of pending) {
      await remember();
      if (announcement) count++;
    }
    from = next;
  } while (from && timeLeft() > 5_000);
  return count;
}

async function doneIn(shard: number, from: Page | undefined, { table }: World) {
  const { operations, next } = await table.unannounced(shard, from);
  const pending = await Promise.all(
    operations.map(async ({ key, n }): Promise<Pending[]> => {
      const [stored, operation] = await Promise.all([table.load(key), table.operation(key, n)]);
      if (!stored || !operation) return [];
      const announcement = announcementOf(stored.subscription, operation);
      return [{ announcement, remember: () => table.putAnnounced(key, operation) }];
    }),
  );
  return { pending: pending.flat(), next };
}

async function waiting(from: Page | undefined, { table }: World) {
  const { keys, next } = await table.attention(from);
  const pending = await Promise.all(
    keys.map(async ({ key, due }): Promise<Pending[]> => {
      if (await table.attentionTold(key, due)) return [];
      const announcement = await attentionAt(key, due, table);
      // The index is read late: by now it may be settled.
      return announcement ? [{ announcement, remember: () => table.putAttentionTold(key, due) }] : [];
    }),
  );
  return { pending: pending.flat(), next };
}

async function attentionAt(key: Key, since: Instant, table: Table): Promise<Announcement | undefined> {
  const { kind, storefront, id } = partsOf(key);
  if (kind === "subscription") {
    const { subscription, agenda } = (await table.load(key)) ?? {};
    if (!subscription || !agenda || !("attention" in agenda) || agenda.attention !== since) return undefined;
    return attentionOf(subscription, since, agenda.reason);
  }
  const event = (await table.events(key)).find(({ became, settled }) => became === "unclear" && !settled);
  return event?.became === "unclear" ? unclearOf(storefront, id, since, event.reason) : undefined;
}
