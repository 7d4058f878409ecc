/** Figures for the plots of the home page: thirty days back, and thirty days ahead. */
import type { Page } from "../../shared/aws/items.ts";
import { agendaShards, type Table } from "../../shared/aws/table.ts";
import { partsOf } from "../../shared/intake/message.ts";
import { addDays, type Day, dayOf, type Instant, startOf } from "../../shared/licensing/time.ts";

/** The operations that finished on one day. `waits` counts licenses by the time since their payment, in `waitSteps`. */
export type DayFigures = { day: Day; kinds: Record<string, number>; outcomes: Record<string, number>; waits: number[] };

/** Upper limits in seconds. */
export const waitSteps = [10, 60, 600, 3600, 86_400, Number.POSITIVE_INFINITY] as const;

export type Figures = { past: DayFigures[]; due: { day: Day; count: number }[] };

const daysShown = 30;
/** Today's operations change often. The due count reads the index of thirty days, so it is refreshed less often. */
const [freshMs, slowMs] = [10_000, 600_000];
/** An operation enters its day's journal when it is published, which takes days if the event bus refuses it. */
const lateDays = 3;

/** Counts a day that has long been over only once. */
export function createFigures(table: Pick<Table, "journal" | "due">, now: () => Date): () => Promise<Figures> {
  const finished = cacheByDay(now, (day) => countFinished(table, day));
  const due = cacheByDay(now, () => countDue(table, now().toISOString()));
  return async () => {
    const today = dayOf(now().toISOString());
    const maxAgeMs = (day: Day) => {
      if (day === today) return freshMs;
      return day < addDays(today, -lateDays) ? Number.POSITIVE_INFINITY : slowMs;
    };
    const days = Array.from({ length: daysShown }, (_, i) => addDays(today, i - daysShown + 1));
    const [past, coming] = await Promise.all([
      Promise.all(days.map((day) => finished(day, maxAgeMs(day)))),
      due(today, slowMs),
    ]);
    return { past, due: coming };
  };
}

/** The maximum age is fixed when a day is counted: a count of today's figures expires even when the day is over. */
function cacheByDay<T>(now: () => Date, count: (day: Day) => Promise<T>): (day: Day, maxAgeMs: number) => Promise<T> {
  const cache = new Map<Day, { expiresAtMs: number; counted: Promise<T> }>();
  return (day, maxAgeMs) => {
    const nowMs = now().getTime();
    const cached = cache.get(day);
    if (cached && nowMs < cached.expiresAtMs) return cached.counted;
    const counted = count(day);
    cache.set(day, { expiresAtMs: nowMs + maxAgeMs, counted });
    counted.catch(() => cache.delete(day));
    return counted;
  };
}

async function countFinished(table: Pick<Table, "journal">, day: Day): Promise<DayFigures> {
  const figures: DayFigures = { day, kinds: {}, outcomes: {}, waits: waitSteps.map(() => 0) };
  let from: Page | undefined;
  do {
    const { entries, next } = await table.journal(day, from);
    for (const { kind, outcome, seconds } of entries) {
      figures.outcomes[outcome] = (figures.outcomes[outcome] ?? 0) + 1;
      if (outcome === "done" || outcome === "already_done") figures.kinds[kind] = (figures.kinds[kind] ?? 0) + 1;
      if (seconds === undefined) continue;
      const step = waitSteps.findIndex((limit) => seconds < limit);
      figures.waits[step] = (figures.waits[step] ?? 0) + 1;
    }
    from = next;
  } while (from);
  return figures;
}

/** Overdue subscriptions count as due today. */
async function countDue(table: Pick<Table, "due">, now: Instant): Promise<Figures["due"]> {
  const days = new Map(Array.from({ length: daysShown + 1 }, (_, i) => [addDays(dayOf(now), i), 0] as [Day, number]));
  const until = startOf(addDays(dayOf(now), daysShown + 1));
  const shards = Array.from({ length: agendaShards }, async (_, shard) => {
    let from: Page | undefined;
    do {
      const { keys, next } = await table.due(shard, until, from);
      for (const { key, due } of keys) {
        if (partsOf(key).kind !== "subscription") continue;
        const day = due < now ? dayOf(now) : dayOf(due);
        const count = days.get(day);
        if (count !== undefined) days.set(day, count + 1);
      }
      from = next;
    } while (from);
  });
  await Promise.all(shards);
  return [...days].map(([day, count]) => ({ day, count }));
}
