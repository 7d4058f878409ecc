import type { Policy } from "./catalog.ts";
import { coverage, statedAt, withPeriods } from "./coverage.ts";
import { isUnlinked, type Payment, type Subscription, stands } from "./subscription.ts";
import { type Instant, instantPlus } from "./time.ts";

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
  const payments = withPeriods(subscription).filter((payment) => !isUnlinked(payment));
  const standing = payments.filter(stands);
  const { graceDays } = policy;
  const changesAt: Instant[] = [];
  const isPast = (moment: Instant | undefined): moment is Instant => {
    if (moment !== undefined && moment > now) changesAt.push(moment);
    return moment !== undefined && moment <= now;
  };
  /** The run of payments that is now, or was last. One that is paid ahead counts when its time begins. */
  const begun = (payments: readonly Payment[]) => coverage(payments, policy).findLast(({ since }) => isPast(since));

  const { through, since } = begun(standing) ?? {};
  const withMoney = standing.filter((payment) => !payment.paid?.value.trial);
  const { through: paidThrough } = begun(withMoney) ?? {};
  const { through: withRefunded } = begun(payments) ?? {};

  const endsAt = endOf(subscription, standing, through);
  const ended = isPast(endsAt) ? endsAt : undefined;
  const paidTo = through ?? withRefunded;
  // A renewal that fails ahead of its time takes no paid time away: the grace may begin with it, and ends no earlier than that.
  const isOver = paidTo === undefined || isPast(paidTo);
  const [unpaidSince] = isOver ? [subscription.failures[0], paidTo].sort() : [];

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

/** A payment made after the end that reaches past it takes the subscription up again; one for an old debt does not. */
function endOf(subscription: Subscription, standing: Payment[], through: Instant | undefined): Instant | undefined {
  const { end } = subscription;
  if (!end || end.value.kind === "open") return undefined;
  const endsAt = end.value.kind === "ended" ? end.at : (end.value.endsAt ?? through ?? end.at);
  const isRenewed = standing.some((payment) => {
    const { paid } = payment;
    if (!paid || statedAt(payment) <= endsAt) return false;
    const { covers } = paid.value;
    return "months" in covers || ("through" in covers && covers.through > endsAt);
  });
  return isRenewed ? undefined : endsAt;
}
