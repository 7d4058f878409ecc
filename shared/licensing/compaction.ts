import type { Policy } from "./catalog.ts";
import { countedCoverage, coverage, statedAt, withPeriods } from "./coverage.ts";
import type { Event } from "./event.ts";
import { fold } from "./fold.ts";
import { isDone } from "./operation.ts";
import { isUnlinked, newSubscription, type Payment, type Subscription, stands } from "./subscription.ts";
import { type Instant, instantPlus, instantPlusMonths } from "./time.ts";

/** Payments whose time ended this long ago are archived. Until then, events that correct them count. */
const keptDays = 62;

/** The id of the base payment, which covers the last run of the archived payments. No storefront uses this id. */
export const archivedId = "#archived";

/**
 * Removes payments that are over, the renewals and intervals that only they needed, and a successful operation. So the
 * state of a subscription does not grow with its age. The caller must store `archived` before it stores the
 * subscription.
 */
export function compact(
  subscription: Subscription,
  policy: Pick<Policy, "graceDays" | "late">,
  now: Instant,
): { subscription: Subscription; archived: Payment[] } {
  const cutoff = instantPlus(now, { days: -keptDays });
  const over = endedBy(subscription, policy, cutoff);
  const trimmed = withoutDone(withoutOldPeriods(subscription, cutoff));
  const archived = subscription.payments.filter(({ id }) => over.has(id) && id !== archivedId);
  // Nothing new to archive. The base payment stays as it is.
  if (archived.length === 0) return { subscription: trimmed, archived };
  const left = trimmed.payments.filter(({ id }) => !over.has(id));
  const base = baseOf(subscription, over, policy);
  const payments = base ? [base, ...left].sort((a, b) => (a.id < b.id ? -1 : 1)) : left;
  const archivedCount = (subscription.archivedCount ?? 0) + archived.length;
  return { subscription: { ...trimmed, payments, archivedCount }, archived };
}

/** The ids of the payments that are over: all the time that they cover together ends before the cutoff. */
function endedBy(subscription: Subscription, policy: Pick<Policy, "graceDays" | "late">, cutoff: Instant): Set<string> {
  const candidates = withPeriods(subscription)
    .filter((payment) => {
      const { paid } = payment;
      if (!paid) return false;
      const { covers } = paid.value;
      if ("through" in covers) return covers.through < cutoff && statedAt(payment) < cutoff;
      return "months" in covers && instantPlusMonths(statedAt(payment), covers.months) < cutoff;
    })
    .sort((a, b) => (statedAt(a) < statedAt(b) ? -1 : 1));
  // Months that were paid ahead add up, so payments together reach further than each of them.
  const reaches = (payments: readonly Payment[]) => (coverage(payments, policy).at(-1)?.through ?? "") >= cutoff;
  while (reaches(candidates)) candidates.pop();
  return new Set(candidates.map(({ id }) => id));
}

/** The base payment. It covers the last run of the archived payments, so that later months continue the run. */
function baseOf(
  subscription: Subscription,
  over: ReadonlySet<string>,
  policy: Pick<Policy, "graceDays" | "late">,
): Payment | undefined {
  const counted = withPeriods(subscription).filter(
    (payment) => over.has(payment.id) && stands(payment) && !isUnlinked(payment) && !payment.paid?.value.trial,
  );
  const run = countedCoverage(counted, policy).at(-1);
  if (!run) return undefined;
  const { since, through, counted: anchor } = run;
  return {
    id: archivedId,
    statedAt: since,
    paid: {
      value: { covers: { from: since, through, ...(anchor && { counted: anchor }) }, trial: false },
      at: since,
      event: archivedId,
    },
  };
}

/** Removes renewals and intervals that no payment needs. Of equal intervals in a row, the first and the last stay. */
function withoutOldPeriods(subscription: Subscription, cutoff: Instant): Subscription {
  const { renewals, intervals, ...rest } = subscription;
  const isNeeded = subscription.payments.some(
    (payment) => payment.paid && "periodFrom" in payment.paid.value.covers && statedAt(payment) < cutoff,
  );
  const keptRenewals = isNeeded ? renewals : renewals?.filter(({ id }) => id >= cutoff);
  const first = intervals?.findLastIndex(({ id }) => id < cutoff) ?? -1;
  const keptIntervals = intervals
    ?.slice(Math.max(0, first))
    .filter(
      ({ months }, i, all) => months.value !== all[i - 1]?.months.value || months.value !== all[i + 1]?.months.value,
    );
  return {
    ...rest,
    ...(keptRenewals && keptRenewals.length > 0 && { renewals: keptRenewals }),
    ...(keptIntervals && keptIntervals.length > 0 && { intervals: keptIntervals }),
  };
}

/** Removes a successful operation. The log contains all of it. */
function withoutDone(subscription: Subscription): Subscription {
  const { operation, ...rest } = subscription;
  return operation?.state === "finished" && isDone(operation.outcome) ? rest : subscription;
}

/** Applies a fact to an archived payment. `rest` is the event without the payment, which no longer affects the state. */
export function foldArchived(payment: Payment, event: Event): { payment: Payment; rest: Event } {
  const alone = { ...newSubscription("", ""), payments: [payment] };
  const { id, occurredAt, customer, items, renewsAt, interval } = event;
  return {
    payment: fold(alone, event).payments.find((one) => one.id === payment.id) ?? payment,
    rest: {
      id,
      occurredAt,
      ...(customer && { customer }),
      ...(items && { items }),
      ...(renewsAt !== undefined && { renewsAt }),
      ...(interval !== undefined && { interval }),
      type: "subscription.changed",
    },
  };
}
