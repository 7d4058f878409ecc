import type { Policy } from "./catalog.ts";
import { coverage, statedAt, withPeriods } from "./coverage.ts";
import { isUnlinked, type Payment, type Subscription, stands } from "./subscription.ts";
import { type Instant, instantPlus } from "./time.ts";

/** The entitlement that follows from the facts at one moment. billmgr's state does not influence it. */
export type Entitlement = {
  /** Paid until this moment, including payments for a trial. */
  through?: Instant;
  /** The start of the run of paid time that ends at `through`. */
  since?: Instant;
  /** The license is needed until this moment: `through`, or an earlier end of the subscription. */
  until?: Instant;
  /** Paid until this moment with money. */
  paidThrough?: Instant;
  /** The end of the subscription, if it is in the past. */
  ended?: Instant;
  /** The subscription has ended, or a cancellation is scheduled. */
  setToEnd: boolean;
  /** Why the licenses have to be suspended now. */
  withheld?: "paused" | "taken_back" | "unpaid";
  unpaidSince?: Instant;
  /** Moments after `now` at which the clock changes any of this. */
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
  /** The current run of payments, or the last one. A run that is paid ahead counts from its start. */
  const begun = (payments: readonly Payment[]) => coverage(payments, policy).findLast(({ since }) => isPast(since));

  const { through, since } = begun(standing) ?? {};
  const withMoney = standing.filter((payment) => !payment.paid?.value.trial);
  const { through: paidThrough } = begun(withMoney) ?? {};
  const { through: withRefunded } = begun(payments) ?? {};

  const endsAt = endOf(subscription, standing, through);
  const ended = isPast(endsAt) ? endsAt : undefined;
  const paidTo = through ?? withRefunded;
  // A renewal can fail before the paid time is over. The grace then counts from the failure, but no paid time is lost.
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

/** The end, unless a later payment reaches past it and so renews the subscription. A payment of old debt does not. */
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
