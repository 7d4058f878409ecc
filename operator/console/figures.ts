import type { Page } from "../../shared/aws/items.ts";
import { agendaShards, type Table } from "../../shared/aws/table.ts";
import { addDays, type Day, dayOf, type Instant, startOf } from "../../shared/licensing/time.ts";

/** What was finished on one day. `waits`: how many licenses came how soon after their payment, by `waitSteps`. */
export type DayFigures = { day: Day; kinds: Record<string, number>; outcomes: Record<string, number>; waits: number[] };

/** Seconds; the last step holds all that took longer. */
export const waitSteps = [10, 60, 600, 3600, 86_400, Number.POSITIVE_INFINITY] as const;

export type Figures = { past: DayFigures[]; due: { day: Day; count: number }[] };

export type Plots = () => Promise<Figures>;

const daysShown = 30;
/** Today's changes all the time. What is due is a plot of thirty days, and reads the index of all of them. */
const [freshMs, slowMs] = [10_000, 600_000];
/** An operation gets into its day's journal once it was announced: days later, where the bus did not take it. */
const lateDays = 3;

/** The figures of thirty days each way. A day that has long been over is counted once. */
export function createFigures(table: Pick<Table, "journal" | "due">, now: () => Date): Plots {
  const finished = keeping(now, (day) => countDay(table, day));
  const due = keeping(now, () => countDue(table, now().toISOString()));
  return async () => {
    const today = dayOf(now().toISOString());
    const lasting = (day: Day) => {
      if (day === today) return freshMs;
      return day < addDays(today, -lateDays) ? Number.POSITIVE_INFINITY : slowMs;
    };
    const days = Array.from({ length: daysShown }, (_, i) => addDays(today, i - daysShown + 1));
    const past = Promise.all(days.map((day) => finished(day, lasting(day))));
    const [figures, coming] = await Promise.all([past, due(today, slowMs)]);
    return { past: figures, due: coming };
  };
}

/** What was counted for a day, for as long as it was to last when it was counted. */
function keeping<T>(now: () => Date, count: (day: Day) => Promise<T>): (day: Day, lastsMs: number) => Promise<T> {
  const kept = new Map<Day, { until: number; counted: Promise<T> }>();
  return (day, lastsMs) => {
    const at = now().getTime();
    const known = kept.get(day);
    if (known && at < known.until) return known.counted;
    const counted = count(day);
    kept.set(day, { until: at + lastsMs, counted });
    counted.catch(() => kept.delete(day));
    return counted;
  };
}

async function countDay(table: Pick<Table, "journal">, day: Day): Promise<DayFigures> {
  const figures: DayFigures = { day, kinds: {}, outcomes: {}, waits: waitSteps.map(() => 0) };
  let from: Page | undefined;
  do {
    const { entries, next } = await table.journal(day, from);
    for (const { kind, outcome, seconds } of entries) {
      figures.outcomes[outcome] = (figures.outcomes[outcome] ?? 0) + 1;
      if (outcome === "done" || outcome === "already_done") figures.kinds[kind] = (figures.kinds[kind] ?? 0) + 1;
      if (seconds === undefined) continue;
      const step = waitSteps.findIndex((most) => seconds < most);
      figures.waits[step] = (figures.waits[step] ?? 0) + 1;
    }
    from = next;
  } while (from);
  return figures;
}

/** From now on; what is late already counts for today. */
async function countDue(table: Pick<Table, "due">, now: Instant): Promise<Figures["due"]> {
  const days = new Map(Array.from({ length: daysShown + 1 }, (_, i) => [addDays(dayOf(now), i), 0] as [Day, number]));
  const until = startOf(addDays(dayOf(now), daysShown + 1));
  const shards = Array.from({ length: agendaShards }, async (_, shard) => {
    let from: Page | undefined;
    do {
      const { keys, next } = await table.due(shard, until, from);
      for (const { due } of keys) {
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
