import { addMonths, day, type Fact, type Meaning, type Sold } from "./shop.ts";

/** The rules of the catalog that decide what a customer gets, as docs/catalog.md states them. */
export type Rules = {
  graceDays: number;
  slackDays: number;
  retentionDays: number;
  renewAheadDays: number;
  onEnd: "suspend" | "delete" | "lapse";
  renew: "on_payment" | "before_expiry";
  late: "order" | "prolong";
};

/** The time that one payment covers. */
export type Span = { from: number; to: number };

/** The standing of a customer in the shop at one moment. */
export type Standing = {
  /** Paid until this moment, including trials: the end of the paid time that has begun, with its continuation. */
  paidTo?: number;
  /** Served until this moment: `paidTo`, or an earlier end. */
  until?: number;
  /** Paid with money until this moment, without trials. */
  moneyTo?: number;
  endedAt?: number;
  isSetToEnd: boolean;
  withheld?: "paused" | "taken back" | "unpaid";
  items: Sold[];
  /** Unpaid days between paid ones that a prolonged license served: it ends as many days earlier. */
  graceServedDays: number;
  /** The sold items have never changed. */
  isSteady: boolean;
};

type Paid = Extract<Meaning, { kind: "paid" }>;
type Payment = Paid & { statedAt: number; isTakenBack: boolean };
/** One member of the union lists several kinds without further fields. */
type Stating<K extends Meaning["kind"]> = Extract<Meaning, { kind: unknown }> & { kind: K };
type Stated<K extends Meaning["kind"]> = { at: number; id: string; means: Stating<K> };

/**
 * The facts of one subscription from the view of the shop. It shares no code with the system, and implements the rules again
 * in the simplest way.
 */
export class Truth {
  readonly #facts: readonly Fact[];
  readonly #rules: Rules;

  constructor(facts: readonly Fact[], rules: Rules) {
    this.#facts = facts;
    this.#rules = rules;
  }

  /** Limits the facts to those that had happened by a moment. */
  by(moment: number): Truth {
    return new Truth(
      this.#facts.filter(({ at }) => at <= moment),
      this.#rules,
    );
  }

  /** The moments of all facts, in order. */
  get moments(): number[] {
    return [...new Set(this.#facts.map(({ at }) => at))].sort((a, b) => a - b);
  }

  /** The time that all payments covered, including refunded ones. */
  moneySpans(): Span[] {
    return this.#moneySpansOf(this.#payments());
  }

  /** The latest end of the paid time, with or without the refunded payments. */
  moneyEnd(): number {
    const payments = this.#payments();
    const standing = payments.filter(({ isTakenBack }) => !isTakenBack);
    return Math.max(0, ...[payments, standing].flatMap((some) => this.#moneySpansOf(some).map(({ to }) => to)));
  }

  /** A trial is not paid, though what is paid during it follows it. */
  #moneySpansOf(payments: readonly Payment[]): Span[] {
    const trials = payments.filter(({ trial }) => trial);
    return this.#spansOf(payments).filter(({ from, to }) => !trials.some((one) => one.from === from && one.to === to));
  }

  /** The moments at which the sold items changed. */
  get offerMoments(): number[] {
    const offers = this.#all("sells").sort((a, b) => a.means.asOf - b.means.asOf);
    const texts = offers.map(({ means }) => JSON.stringify(means.items));
    return offers.flatMap(({ at }, i) => (i > 0 && texts[i] !== texts[i - 1] ? [at] : []));
  }

  /** The items of each offer. */
  get offers(): Sold[][] {
    return this.#all("sells").map(({ means }) => means.items);
  }

  standing(now: number): Standing {
    const payments = this.#payments();
    const kept = payments.filter(({ isTakenBack }) => !isTakenBack);
    const paidTo = this.#reach(kept, now);
    const moneyTo = this.#reach(
      kept.filter(({ trial }) => !trial),
      now,
    );
    const everPaidTo = this.#reach(payments, now);
    const endsAt = this.#endOf(kept, paidTo);
    const isPaid = paidTo !== undefined && paidTo > now;
    let withheld: Standing["withheld"];
    if (this.#isPaused()) withheld = "paused";
    else if (!isPaid && everPaidTo !== undefined && everPaidTo > now) withheld = "taken back";
    else if (!isPaid && this.#isGraceOver(paidTo ?? everPaidTo, now)) withheld = "unpaid";
    const items = this.#all("sells").sort(
      (a, b) => a.means.asOf - b.means.asOf || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    );
    return {
      ...(paidTo !== undefined && { paidTo, until: Math.min(paidTo, endsAt ?? paidTo) }),
      ...(moneyTo !== undefined && { moneyTo }),
      ...(endsAt !== undefined && endsAt <= now && { endedAt: endsAt }),
      isSetToEnd: endsAt !== undefined,
      ...(withheld && { withheld }),
      items: items.at(-1)?.means.items ?? [],
      graceServedDays: this.#graceServedDays(kept),
      isSteady: this.offerMoments.length === 0,
    };
  }

  #all<K extends Meaning["kind"]>(...kinds: K[]): Stated<K>[] {
    return this.#facts.flatMap(({ at, id, means }) =>
      means.flatMap((one) => (kinds.some((kind) => kind === one.kind) ? [{ at, id, means: one as Stating<K> }] : [])),
    );
  }

  /** Each payment once, at the time of its first statement. */
  #payments(): Payment[] {
    const payments = new Map<string, Payment>();
    const moved = new Set(this.#all("moved").map(({ means }) => means.payment));
    for (const { at, means } of this.#all("paid").sort((a, b) => a.at - b.at)) {
      if (payments.has(means.payment)) continue;
      payments.set(means.payment, { ...means, statedAt: at, isTakenBack: false });
    }
    // At the same moment, a refund takes precedence over its return.
    const revocations = this.#all("taken_back").sort(
      (a, b) => a.at - b.at || Number(b.means.isReturned ?? false) - Number(a.means.isReturned ?? false),
    );
    for (const { means } of revocations) {
      const payment = payments.get(means.payment);
      if (payment) payment.isTakenBack = !means.isReturned;
    }
    return [...payments.values()].filter(({ payment }) => !moved.has(payment));
  }

  /** A payment that counts months continues what was paid before it, unless that was over too long ago. */
  #spansOf(payments: readonly Payment[]): Span[] {
    const { graceDays, late } = this.#rules;
    const spans = payments.flatMap(({ from, to }) => (from !== undefined && to !== undefined ? [{ from, to }] : []));
    let run: { since: number; months: number; to: number } | undefined;
    const trialEnd = Math.max(...spans.map(({ to }) => to));
    for (const { months, statedAt } of [...payments].sort((a, b) => a.statedAt - b.statedAt)) {
      if (months === undefined) continue;
      if (run === undefined && trialEnd > 0) run = { since: trialEnd, months: 0, to: trialEnd };
      const continues: boolean =
        run !== undefined &&
        (statedAt <= run.to + graceDays * day || (late === "prolong" && statedAt < addMonths(run.to, months)));
      if (run === undefined || !continues) run = { since: statedAt, months: 0, to: statedAt };
      const from: number = run.to;
      run.months += months;
      run.to = addMonths(run.since, run.months);
      spans.push({ from, to: run.to });
    }
    return spans;
  }

  /** The end of the paid time that has begun. It continues over gaps that are not longer than the grace. */
  #reach(payments: readonly Payment[], now: number): number | undefined {
    const spans = this.#spansOf(payments);
    const begun = spans.filter(({ from }) => from <= now);
    if (begun.length === 0) return undefined;
    let to = Math.max(...begun.map((span) => span.to));
    for (;;) {
      const next = Math.max(...spans.filter(({ from }) => from <= to + this.#rules.graceDays * day).map((s) => s.to));
      if (next <= to) return to;
      to = next;
    }
  }

  #graceServedDays(kept: readonly Payment[]): number {
    const { graceDays, slackDays, late } = this.#rules;
    // A license that is prolonged after a gap counts from its old expiry.
    const longestGap = late === "prolong" ? 366 : Math.max(graceDays, slackDays);
    const stated = kept.map((one) => (one.isFromUnstated ? { ...one, from: one.statedAt } : one));
    const spans = this.#spansOf(stated).sort((a, b) => a.from - b.from);
    let days = 0;
    let end = spans[0]?.from ?? 0;
    for (const { from, to } of spans) {
      if (from > end && from <= end + (longestGap + 1) * day) days += Math.ceil((from - end) / day);
      end = Math.max(end, to);
    }
    return days;
  }

  #isPaused(): boolean {
    const last = this.#all("paused", "resumed").sort(
      (a, b) => a.at - b.at || Number(a.means.kind === "paused") - Number(b.means.kind === "paused"),
    );
    return last.at(-1)?.means.kind === "paused";
  }

  #isGraceOver(paidTo: number | undefined, now: number): boolean {
    const lastGood = Math.max(...this.#all("paid", "resumed").map(({ at }) => at));
    const failures = this.#all("failed").flatMap(({ at }) => (at > lastGood ? [at] : []));
    const since = Math.min(...failures, paidTo ?? Number.POSITIVE_INFINITY);
    return since + this.#rules.graceDays * day <= now;
  }

  /** The last stated end. A later payment for time after the end resumes the subscription. */
  #endOf(kept: readonly Payment[], paidTo: number | undefined): number | undefined {
    const finality = ["continues", "ends", "ended"];
    const last = this.#all("continues", "ends", "ended")
      .sort((a, b) => a.at - b.at || finality.indexOf(a.means.kind) - finality.indexOf(b.means.kind))
      .at(-1);
    if (!last || last.means.kind === "continues") return undefined;
    const endsAt =
      last.means.kind === "ended" ? last.at : (("at" in last.means ? last.means.at : undefined) ?? paidTo ?? last.at);
    const isRenewed = kept.some(
      ({ statedAt, months, to = 0 }) => statedAt > endsAt && (months !== undefined || to > endsAt),
    );
    return isRenewed ? undefined : endsAt;
  }
}

/** The number of a calendar day in UTC. */
export const dayNumber = (at: number): number => Math.floor(at / day);

/** Counts the days that spans cover, each day once. */
export function daysCovered(spans: readonly Span[]): number {
  const days = new Set<number>();
  for (const { from, to } of spans) for (let one = dayNumber(from); one < dayNumber(to); one++) days.add(one);
  return days.size;
}
