import type { Publish } from "../../shared/aws/bus.ts";
import type { Page } from "../../shared/aws/items.ts";
import { agendaShards, type Table } from "../../shared/aws/table.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import { type Announcement, announcementOf, attentionOf, unclearOf } from "../../shared/licensing/announcement.ts";
import { awaitsKey } from "../../shared/licensing/license-keys.ts";
import { type Instant, toInstant } from "../../shared/licensing/time.ts";
import type { Log } from "../../shared/observability/log.ts";
import type { Metrics } from "../../shared/observability/metrics.ts";

export type World = { table: Table; publish: Publish; now: () => Date; log: Log; metrics: Metrics };

/** What is to be told, if there is anything, and how it is remembered that it was. */
type Pending = { announcement?: Announcement | undefined; remember: () => Promise<void> };
/** Where something may be to be told: read only when its turn comes. */
type Place = () => Promise<Pending | undefined>;
type Places = { places: Place[]; next?: Page | undefined };

/** One request to the bus. What it took is remembered before more is read. */
const atOnce = 10;

/**
 * Tells others what was done, and where a person is needed. It lies in the table until the bus has taken it, so none is
 * lost; whoever dies between the two tells it again, by the same id.
 *
 * @param timeLeft milliseconds: it stops in time, and the next run goes on
 * @returns how many were told
 * @throws the first fault, after all else was told: what could not be read, or was not taken, the next run tells again
 */
export async function announce(world: World, timeLeft: () => number): Promise<number> {
  const faults: unknown[] = [];
  const shards = Array.from({ length: agendaShards }, (_, shard) => (from?: Page) => doneIn(shard, from, world));
  const sources = [...shards, (from?: Page) => waiting(from, world)];
  const told = await Promise.all(sources.map((source) => tellAll(source, world, timeLeft, faults)));
  const count = told.reduce((sum, one) => sum + one, 0);
  if (count > 0) world.log.info("announced", { events: count });
  world.metrics.put("Announcements", count);
  if (faults.length > 0) throw faults[0];
  return count;
}

async function tellAll(
  placesAfter: (from?: Page) => Promise<Places>,
  world: World,
  timeLeft: () => number,
  faults: unknown[],
): Promise<number> {
  let count = 0;
  try {
    let from: Page | undefined;
    do {
      const { places, next } = await placesAfter(from);
      for (let i = 0; i < places.length && timeLeft() > 5_000; i += atOnce)
        count += await tell(places.slice(i, i + atOnce), world, faults);
      from = next;
    } while (from && timeLeft() > 5_000);
  } catch (error) {
    faults.push(error);
  }
  return count;
}

/** One that cannot be read, or is not taken, holds up no other. */
async function tell(places: readonly Place[], { publish }: World, faults: unknown[]): Promise<number> {
  const read = await Promise.allSettled(places.map((place) => place()));
  faults.push(...read.flatMap((one) => (one.status === "rejected" ? [one.reason] : [])));
  const pending = read.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const announcements = pending.flatMap(({ announcement }) => announcement ?? []);
  const refused = announcements.length === 0 ? [] : await publish(announcements);
  faults.push(...refused.map(({ id, why }) => new Error(`the bus did not take ${id}: ${why}`)));
  const taken = pending.filter(({ announcement }) => !refused.some(({ id }) => id === announcement?.id));
  await Promise.all(taken.map(({ remember }) => remember()));
  return taken.filter(({ announcement }) => announcement).length;
}

async function doneIn(shard: number, from: Page | undefined, { table, now }: World): Promise<Places> {
  const { operations, next } = await table.unannounced(shard, from);
  const places = operations.map(({ key, n }) => async () => {
    const [stored, operation] = await Promise.all([table.load(key), table.untold(key, n)]);
    if (!stored || !operation || awaitsKey(stored.subscription, operation, toInstant(now()))) return undefined;
    const announcement = announcementOf(stored.subscription, operation);
    return { announcement, remember: () => table.putAnnounced(key, operation) };
  });
  return { places, next };
}

async function waiting(from: Page | undefined, { table }: World): Promise<Places> {
  const { keys, next } = await table.attention(from);
  const places = keys.map(({ key, due }) => async () => {
    if (await table.attentionTold(key, due)) return undefined;
    const announcement = await attentionAt(key, due, table);
    // The index is read late: by now it may be settled.
    return announcement && { announcement, remember: () => table.putAttentionTold(key, due) };
  });
  return { places, next };
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
