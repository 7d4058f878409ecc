import type { Policy } from "./catalog.ts";
import type { Payment, Subscription } from "./subscription.ts";
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
  const standing = subscription.payments.filter((payment) => !payment.refunded?.value);
  const { graceDays } = policy;
  const { through, since } = coverage(standing, graceDays);
  const withMoney = standing.filter((payment) => !payment.paid?.value.trial);
  const { through: paidThrough } = coverage(withMoney, graceDays);
  const { through: withRefunded } = coverage(subscription.payments, graceDays);
  const changesAt: Instant[] = [];
  const isPast = (moment: Instant | undefined): moment is Instant => {
    if (moment !== undefined && moment > now) changesAt.push(moment);
    return moment !== undefined && moment <= now;
  };

  const endsAt = endOf(subscription, standing, through);
  const ended = isPast(endsAt) ? endsAt : undefined;
  const paidTo = through ?? withRefunded;
  const unpaidSince = [subscription.failures[0], isPast(paidTo) ? paidTo : undefined]
    .filter((moment) => moment !== undefined)
    .sort()[0];

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

/**
 * The moment to which payments reach, taken in the order in which they were made, and the start of the unbroken run of
 * them that does. Payments told in months are counted from the first of a run, so that January 31 and two months is
 * March 31 and not March 28; one that is made within the grace goes on where the last one ended.
 */
export function coverage(payments: readonly Payment[], graceDays: number): { through?: Instant; since?: Instant } {
  const paid = payments.flatMap((payment) => (payment.paid ? [{ id: payment.id, ...payment.paid }] : []));
  paid.sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? -1 : 1));
  let reached: { through: Instant; since: Instant } | undefined;
  let run: { from: Instant; months: number } | undefined;
  for (const { at, value } of paid) {
    const { covers } = value;
    const inTime = reached && at <= instantPlus(reached.through, { days: graceDays }) ? reached.through : at;
    const begins = ("through" in covers ? covers.from : undefined) ?? inTime;
    const since = reached && begins <= reached.through ? reached.since : begins;
    if ("through" in covers) {
      if (reached && covers.through <= reached.through) continue;
      reached = { through: covers.through, since };
      run = undefined;
      continue;
    }
    run =
      run && inTime === reached?.through ? { ...run, months: run.months + covers.months } : { from: inTime, ...covers };
    reached = { through: instantPlusMonths(run.from, run.months), since };
  }
  return reached ?? {};
}

/** A payment made after the end that reaches past it takes the subscription up again; one for an old debt does not. */
function endOf(subscription: Subscription, standing: Payment[], through: Instant | undefined): Instant | undefined {
  const { end } = subscription;
  if (!end || end.value.is === "open") return undefined;
  const endsAt = end.value.is === "ended" ? end.at : (end.value.endsAt ?? through ?? end.at);
  const takenUp = standing.some(({ paid }) => {
    if (!paid || paid.at <= endsAt) return false;
    return "months" in paid.value.covers || paid.value.covers.through > endsAt;
  });
  return takenUp ? undefined : endsAt;
}
