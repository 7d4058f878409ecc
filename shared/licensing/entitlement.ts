import type { Policy } from "./catalog.ts";
import { type Interval, type Payment, type Renewal, type Subscription, stands } from "./subscription.ts";
import { type Instant, instantPlus, instantPlusMonths } from "./time.ts";

/** What follows from the facts alone, at one moment. */
export type Entitlement = {
  /** Paid to this moment, payments for a trial included. */
  through?: Instant;
  /** Since when that has been paid without a gap. */
  since?: Instant;
  /** To be served to this moment: `through`, or the end that is set before it. */
  until?: Instant;
  /** Paid to this moment with money. */
  paidThrough?: Instant;
  /** Since when the subscription has been over. */
  ended?: Instant;
  /** A cancellation is known: it has ended or will. */
  setToEnd: boolean;
  /** Why the licenses are to be suspended now. */
  withheld?: "paused" | "taken_back" | "unpaid";
  unpaidSince?: Instant;
  /** Moments after `now` at which any of this changes by itself. */
  changesAt: Instant[];
};

export function entitlement(subscription: Subscription, policy: Policy, now: Instant): Entitlement {
  const payments = withPeriods(subscription);
  const standing = payments.filter(stands);
  const { graceDays } = policy;
  const changesAt: Instant[] = [];
  const isPast = (moment: Instant | undefined): moment is Instant => {
    if (moment !== undefined && moment > now) changesAt.push(moment);
    return moment !== undefined && moment <= now;
  };
  /** The run of payments that is now, or was last. One that is paid ahead counts when its time begins. */
  const begun = (payments: readonly Payment[]) => coverage(payments, graceDays).findLast(({ since }) => isPast(since));

  const { through, since } = begun(standing) ?? {};
  const { through: paidThrough } = begun(standing.filter((payment) => !payment.paid?.value.trial)) ?? {};
  const { through: withRefunded } = begun(payments) ?? {};

  const endsAt = endOf(subscription, standing, through);
  const ended = isPast(endsAt) ? endsAt : undefined;
  const paidTo = through ?? withRefunded;
  const [unpaidSince] = [subscription.failures[0], isPast(paidTo) ? paidTo : undefined].sort();

  let withheld: Entitlement["withheld"];
  if (subscription.paused?.value) withheld = "paused";
  else if (withRefunded && withRefunded > now && !(through && through > now)) withheld = "taken_back";
  else if (unpaidSince && isPast(instantPlus(unpaidSince, { days: graceDays }))) withheld = "unpaid";

  return {
    ...(through && { through }),
    ...(since && { since }),
    ...(through && { until: endsAt !== undefined && endsAt < through ? endsAt : through }),
    ...(paidThrough && { paidThrough }),
    ...(ended && { ended }),
    setToEnd: endsAt !== undefined,
    ...(withheld && { withheld }),
    ...(unpaidSince && { unpaidSince }),
    changesAt,
  };
}

/** The payments, those that do not tell what they cover with what other events tell of it. */
export function withPeriods({ payments, renewals = [], intervals = [] }: Subscription): Payment[] {
  return payments.map((payment) => {
    const { paid } = payment;
    const covers = paid && periodOf(paid, renewals, intervals);
    return covers ? { ...payment, paid: { ...paid, value: { ...paid.value, covers } } } : payment;
  });
}

type Paid = NonNullable<Payment["paid"]>;

function periodOf(
  { at, value: { covers } }: Paid,
  renewals: readonly Renewal[],
  intervals: readonly Interval[],
): Paid["value"]["covers"] | undefined {
  if ("periodFrom" in covers) {
    const through = endOfPeriod(covers.periodFrom, renewals);
    return through === undefined ? undefined : { from: covers.periodFrom, through };
  }
  if ("intervals" in covers) {
    // The first payment can be older than what tells the interval.
    const told = intervals.findLast(({ id }) => id <= at) ?? intervals[0];
    return told && { months: told.months.value * covers.intervals };
  }
  return undefined;
}

/**
 * The first end that was told after the period began, or what it was moved to while the period ran. Storefronts take a
 * renewal's payment, and tell its end, some hours before or after the old period is over; no period is as short as a day.
 */
function endOfPeriod(from: Instant, renewals: readonly Renewal[]): Instant | undefined {
  const told = renewals.flatMap(({ id, first, last }) => [first, last].map((at) => ({ at, id })));
  told.sort((a, b) => (`${a.at} ${a.id}` < `${b.at} ${b.id}` ? -1 : 1));
  return told.reduce<Instant | undefined>((end, { at, id }) => {
    if (id <= instantPlus(from, { days: 1 })) return end;
    return end === undefined || at < instantPlus(end, { days: -1 }) ? id : end;
  }, undefined);
}

type Run = { since: Instant; through: Instant };

/**
 * The time that payments cover, taken in the order in which they were made: unbroken runs of it, where gaps within the
 * grace break none. Payments told in months are counted from the first of a run, so that January 31 and two months is
 * March 31 and not March 28.
 */
export function coverage(payments: readonly Payment[], graceDays: number): Run[] {
  const paid = payments.flatMap((payment) => (payment.paid ? [{ id: payment.id, ...payment.paid }] : []));
  paid.sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? -1 : 1));
  const runs: Run[] = [];
  let counted: { from: Instant; months: number } | undefined;
  for (const { at, value } of paid) {
    const { covers } = value;
    if ("periodFrom" in covers || "intervals" in covers) continue;
    const last = runs.at(-1);
    const begins = ("through" in covers ? covers.from : undefined) ?? at;
    const goesOn = last !== undefined && begins <= instantPlus(last.through, { days: graceDays });
    if ("through" in covers && last && covers.through <= last.through) continue;
    let through: Instant;
    if ("through" in covers) {
      through = covers.through;
      counted = undefined;
    } else {
      const before = goesOn ? counted : undefined;
      counted = { from: before?.from ?? (goesOn ? last.through : at), months: (before?.months ?? 0) + covers.months };
      through = instantPlusMonths(counted.from, counted.months);
    }
    if (goesOn) last.through = through;
    else runs.push({ since: begins < through ? begins : through, through });
  }
  return runs;
}

/** A payment made after the end that reaches past it takes the subscription up again; one for an old debt does not. */
function endOf(subscription: Subscription, standing: Payment[], through: Instant | undefined): Instant | undefined {
  const { end } = subscription;
  if (!end || end.value.kind === "open") return undefined;
  const endsAt = end.value.kind === "ended" ? end.at : (end.value.endsAt ?? through ?? end.at);
  const isRenewed = standing.some(({ paid }) => {
    if (!paid || paid.at <= endsAt) return false;
    const { covers } = paid.value;
    return "months" in covers || ("through" in covers && covers.through > endsAt);
  });
  return isRenewed ? undefined : endsAt;
}
