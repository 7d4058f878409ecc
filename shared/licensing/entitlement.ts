import type { Policy } from "./catalog.ts";
import type { Payment, Subscription } from "./subscription.ts";
import { type Instant, instantPlus, instantPlusMonths } from "./time.ts";

/** What follows from the facts alone, at one moment. */
export type Entitlement = {
  /** Paid to this moment, payments for a trial included. */
  through?: Instant;
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
  const through = coverage(standing);
  const paidThrough = coverage(standing.filter((payment) => !payment.paid?.value.trial));
  const withRefunded = coverage(subscription.payments);
  const changesAt: Instant[] = [];
  const isPast = (moment: Instant | undefined): moment is Instant => {
    if (moment !== undefined && moment > now) changesAt.push(moment);
    return moment !== undefined && moment <= now;
  };

  const endsAt = endOf(subscription, standing, through);
  const ended = isPast(endsAt) ? endsAt : undefined;
  const unpaidSince = [subscription.failures[0], isPast(through) ? through : undefined]
    .filter((moment) => moment !== undefined)
    .sort()[0];

  let withheld: Entitlement["withheld"];
  if (subscription.paused?.value) withheld = "paused";
  else if (withRefunded && withRefunded > now && !(through && through > now)) withheld = "taken_back";
  else if (unpaidSince && isPast(instantPlus(unpaidSince, { days: policy.graceDays }))) withheld = "unpaid";

  return {
    ...(through && { through }),
    ...(paidThrough && { paidThrough }),
    ...(ended && { ended }),
    setToEnd: endsAt !== undefined,
    ...(withheld && { withheld }),
    ...(unpaidSince && { unpaidSince }),
    changesAt,
  };
}

/**
 * The moment to which payments reach, taken in the order in which they were made. Payments told in months are counted
 * from the first of an unbroken run of them, so that January 31 and two months is March 31 and not March 28.
 */
export function coverage(payments: readonly Payment[]): Instant | undefined {
  const paid = payments.flatMap((payment) => (payment.paid ? [{ id: payment.id, ...payment.paid }] : []));
  paid.sort((a, b) => (a.at === b.at ? (a.id < b.id ? -1 : 1) : a.at < b.at ? -1 : 1));
  let reached: Instant | undefined;
  let run: { from: Instant; months: number } | undefined;
  for (const { at, value } of paid) {
    if ("through" in value.covers) {
      if (reached !== undefined && value.covers.through <= reached) continue;
      reached = value.covers.through;
      run = undefined;
      continue;
    }
    const from = reached !== undefined && reached > at ? reached : at;
    run = run && from === reached ? { ...run, months: run.months + value.covers.months } : { from, ...value.covers };
    reached = instantPlusMonths(run.from, run.months);
  }
  return reached;
}

/** A payment made after the end, for a time after it, takes the subscription up again. */
function endOf(subscription: Subscription, standing: Payment[], through: Instant | undefined): Instant | undefined {
  const { end } = subscription;
  if (!end || end.value.is === "open") return undefined;
  const endsAt = end.value.is === "ended" ? end.at : (end.value.endsAt ?? through ?? end.at);
  const paidAfter = standing.some((payment) => payment.paid && payment.paid.at > endsAt);
  return paidAfter && through !== undefined && through > endsAt ? undefined : endsAt;
}
