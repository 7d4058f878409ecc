import { statedAt, withPeriods } from "../../shared/licensing/coverage.ts";
import type { Change } from "../../shared/licensing/operation.ts";
import { isExchange } from "../../shared/licensing/operation.ts";
import { type Payment, type Subscription, stands } from "../../shared/licensing/subscription.ts";
import { dayOf, type Instant, instantPlusMonths } from "../../shared/licensing/time.ts";

/** The payment for a purchase, as a phrase, or undefined for a change that buys nothing. */
export function spendingOf(subscription: Subscription, change: Change): string | undefined {
  if (isExchange(change)) return "an exchange: no new payment pays for it";
  const spends = "spends" in change ? change.spends : undefined;
  if (!spends) return undefined;
  const { from, to } = spends;
  const payments = withPeriods(subscription)
    .filter((payment) => stands(payment) && overlaps(payment, from, to))
    .map(({ id }) => id);
  const paid = payments.length > 0 ? `, paid by ${payments.join(", ")}` : "";
  return `spends the paid time from ${dayOf(from)} to ${dayOf(to)}${paid}`;
}

/** By the payment's own period. Months that were paid ahead begin later than they were stated. */
function overlaps(payment: Payment, from: Instant, to: Instant): boolean {
  const covers = payment.paid?.value.covers;
  if (!covers) return false;
  const at = statedAt(payment);
  if ("through" in covers) return (covers.from ?? at) < to && covers.through > from;
  return "months" in covers && at < to && instantPlusMonths(at, covers.months) > from;
}
