import type { Policy } from "./catalog.ts";
import type { Interval, Payment, Renewal, Subscription } from "./subscription.ts";
import { type Instant, instantPlus, instantPlusMonths, toInstant } from "./time.ts";

/** Paid time without a gap. */
export type Run = { since: Instant; through: Instant };

/** The end of a run is this many months after `from`. Counting from one start keeps January 31 + 2 months = March 31. */
export type Counted = { from: Instant; months: number };
export type CountedRun = Run & { counted?: Counted };

type Paid = NonNullable<Payment["paid"]>;
type Covers = Paid["value"]["covers"];

/** The time of the first event about the payment. */
export const statedAt = ({ statedAt, paid }: Payment): Instant => statedAt ?? paid?.at ?? "";

/** The payments with their periods. A payment that omits its period gets it from the renewals and intervals. */
export function withPeriods({ payments, renewals = [], intervals = [] }: Subscription): Payment[] {
  return payments.map((payment) => {
    const { paid } = payment;
    const covers = paid && periodOf(statedAt(payment), paid.value.covers, renewals, intervals);
    return covers ? { ...payment, paid: { ...paid, value: { ...paid.value, covers } } } : payment;
  });
}

function periodOf(
  at: Instant,
  covers: Covers,
  renewals: readonly Renewal[],
  intervals: readonly Interval[],
): Covers | undefined {
  if ("periodFrom" in covers) {
    const through = endOfPeriod(covers.periodFrom, renewals);
    return through === undefined ? undefined : { from: covers.periodFrom, through };
  }
  if ("intervals" in covers) {
    // The first payment can be older than the first event that contains an interval.
    const known = intervals.findLast(({ id }) => id <= at) ?? intervals[0];
    return known && { months: known.months.value * covers.intervals };
  }
  return undefined;
}

/**
 * The first end that was stated after the period began, or the end that it was moved to during the period. Storefronts
 * charge a renewal, and state its end, some hours before or after the end of the old period. No period is as short as a
 * day.
 */
function endOfPeriod(from: Instant, renewals: readonly Renewal[]): Instant | undefined {
  const stated = renewals.flatMap(({ id, first, last }) => [first, last].map((at) => ({ at, id })));
  stated.sort((a, b) => (`${a.at} ${a.id}` < `${b.at} ${b.id}` ? -1 : 1));
  return stated.reduce<Instant | undefined>((end, { at, id }) => {
    if (id <= instantPlus(from, { days: 1 })) return end;
    return end === undefined || at < instantPlus(end, { days: -1 }) ? id : end;
  }, undefined);
}

/**
 * The time that the payments cover: the union of their periods, independent of the order in which they arrived. Runs
 * with a gap shorter than the grace are merged. A payment with an explicit end covers its stated period. A payment that
 * counts months continues the run in which it was stated. Without such a run it begins one.
 */
export const coverage = (payments: readonly Payment[], policy: Pick<Policy, "graceDays" | "late">): Run[] =>
  countedCoverage(payments, policy).map(({ since, through }) => ({ since, through }));

/** The coverage, with how the end of each run was counted. */
export function countedCoverage(
  payments: readonly Payment[],
  { graceDays, late }: Pick<Policy, "graceDays" | "late">,
): CountedRun[] {
  const placed = payments.flatMap((payment) =>
    payment.paid ? [{ id: payment.id, at: statedAt(payment), covers: payment.paid.value.covers }] : [],
  );
  placed.sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? -1 : 1));
  const ends = placed.flatMap(({ covers }) => ("through" in covers ? [covers.through] : [])).sort();
  const runs = new Runs(graceDays);
  for (const { at, covers } of placed) {
    if ("through" in covers) runs.add(startOf(at, covers, ends), covers.through, covers.counted);
  }
  runs.merge();
  for (const { at, covers } of placed) if ("months" in covers) runs.count(at, covers.months, late);
  return runs.list();
}

/**
 * The start of a payment's period. A period without a stated start begins when it was stated, with one exception. In a
 * shop with fixed due dates, a late payment through the next due date pays from the due date before. The signs of it
 * are a whole number of months from that date to the end, and no whole number from the statement to the end.
 */
function startOf(
  at: Instant,
  { from, through }: { from?: Instant; through: Instant },
  ends: readonly Instant[],
): Instant {
  if (from !== undefined) return from < through ? from : through;
  if (at >= through) return through;
  if (isWholeMonths(at, through)) return at;
  const before = ends.findLast((end) => end < at);
  if (before === undefined || !isWholeMonths(before, through)) return at;
  // A gap as long as the period itself is a return after an absence.
  return Date.parse(at) - Date.parse(before) < Date.parse(through) - Date.parse(at) ? before : at;
}

const dayMs = 86_400_000;

const after = (moment: Instant, ms: number): Instant => toInstant(Date.parse(moment) + ms);

/** Allows a difference of one day, because storefronts round and months end on different days. */
function isWholeMonths(from: Instant, through: Instant): boolean {
  const months = Math.round((Date.parse(through) - Date.parse(from)) / (30.4375 * dayMs));
  return months > 0 && Math.abs(Date.parse(instantPlusMonths(from, months)) - Date.parse(through)) <= dayMs;
}

class Runs {
  readonly #graceDays: number;
  #runs: CountedRun[] = [];

  constructor(graceDays: number) {
    this.#graceDays = graceDays;
  }

  list(): CountedRun[] {
    return this.#runs;
  }

  add(since: Instant, through: Instant, counted?: Counted): void {
    this.#runs.push({ since, through, ...(counted && { counted }) });
  }

  /** Adds months to the run that the moment continues. Without such a run it begins one at the moment. */
  count(at: Instant, months: number, late: Policy["late"]): void {
    const run = this.#runs.findLast(({ since }) => since <= at);
    const continues =
      run !== undefined &&
      (at <= this.#graceAfter(run.through) ||
        // A shop with fixed due dates counts a late payment from the due date, unless all of that time has passed.
        (late === "prolong" && at < instantPlusMonths(run.through, months)));
    const counted = continues
      ? { from: run.counted?.from ?? run.through, months: (run.counted?.months ?? 0) + months }
      : { from: at, months };
    const through = instantPlusMonths(counted.from, counted.months);
    // Time that another payment already covers is not paid twice: the overlap is appended to that payment's end.
    let end = through;
    for (const next of this.#runs) {
      if (next.since > at && next.since < end) end = after(next.through, Date.parse(end) - Date.parse(next.since));
    }
    const isCounted = end === through;
    if (continues) Object.assign(run, { through: end, counted: isCounted ? counted : undefined });
    else this.#runs.push({ since: at, through: end, ...(isCounted && { counted }) });
    this.merge();
  }

  #graceAfter(moment: Instant): Instant {
    return instantPlus(moment, { days: this.#graceDays });
  }

  /** Runs that touch, or are closer together than the grace, become one. */
  merge(): void {
    this.#runs.sort((a, b) => (a.since < b.since || (a.since === b.since && a.through < b.through) ? -1 : 1));
    const merged: CountedRun[] = [];
    for (const run of this.#runs) {
      const last = merged.at(-1);
      if (!last || run.since > this.#graceAfter(last.through)) {
        merged.push({ ...run });
        continue;
      }
      if (run.through <= last.through) continue;
      last.through = run.through;
      if (run.counted) last.counted = run.counted;
      else delete last.counted;
    }
    this.#runs = merged;
  }
}
