import type { Page } from "../../shared/aws/items.ts";
import { agendaShards, type Table } from "../../shared/aws/table.ts";
import { addDays, type Day, dayOf, type Instant, instantPlus, startOf } from "../../shared/licensing/time.ts";

/** What was finished on one day. `waits`: how many licenses came how soon after their payment, by `waitSteps`. */
export type DayFigures = { day: Day; kinds: Record<string, number>; outcomes: Record<string, number>; waits: number[] };

/** Seconds; the last step holds all that took longer. */
export const waitSteps = [10, 60, 600, 3600, 86_400, Number.POSITIVE_INFINITY] as const;

export type Figures = { past: DayFigures[]; due: { day: Day; count: number }[] };

export type Plots = () => Promise<Figures>;

const daysShown = 30;
/** An operation gets into its day's journal once it was announced: some minutes after midnight, too. */
const lateHours = 2;
/** What changes all the time is read again after so long. */
const freshMs = 10_000;

/** The figures of thirty days each way. A day that is over is counted once. */
export function createFigures(table: Pick<Table, "journal" | "due">, now: () => Date): Plots {
  const over = new Map<Day, DayFigures>();
  const figuresOf = async (day: Day, today: Instant): Promise<DayFigures> => {
    const known = over.get(day);
    if (known) return known;
    const counted = await countDay(table, day);
    if (instantPlus(startOf(addDays(day, 1)), { seconds: lateHours * 3600 }) <= today) over.set(day, counted);
    return counted;
  };
  const read = async (): Promise<Figures> => {
    const at = now().toISOString();
    const days = Array.from({ length: daysShown }, (_, i) => addDays(dayOf(at), i - daysShown + 1));
    const [past, due] = await Promise.all([Promise.all(days.map((day) => figuresOf(day, at))), countDue(table, at)]);
    return { past, due };
  };
  let kept: { at: number; minute: string; figures: Promise<Figures> } | undefined;
  return () => {
    // The local clock may have been moved meanwhile.
    const minute = now().toISOString().slice(0, 16);
    if (!kept || Date.now() - kept.at > freshMs || kept.minute !== minute) {
      const figures = read();
      kept = { at: Date.now(), minute, figures };
      figures.catch(() => {
        kept = undefined;
      });
    }
    return kept.figures;
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
