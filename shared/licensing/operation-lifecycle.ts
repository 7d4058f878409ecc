import { addAttention, dropAttention } from "./attention.ts";
import { statedAt } from "./coverage.ts";
import {
  type Balance,
  blockOf,
  type CallOutcome,
  type Change,
  describe,
  isDone,
  isExchange,
  isOpen,
  isPurchase,
  type Observation,
  type Operation,
} from "./operation.ts";
import type { Reason } from "./reasons.ts";
import { type Attention, type Backoff, type License, type Slot, type Subscription, spentTime } from "./subscription.ts";
import { type Day, type Instant, instantPlus, latest, noTimestamp, secondsBetween } from "./time.ts";

/** Seconds between observations of an unconfirmed operation: few at first, many when billmgr's queue takes hours. */
const confirmAfter = [2, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** Seconds between observations of an unknown operation. The first is late: billmgr may still be working on the call. */
const reconcileAfter = [60, 120, 300, 600, 900, 1800, 3600];

/**
 * Absence counts as proved after this many observations, the last of them this long after the call. The rule holds for
 * every change, because billmgr may act long after the caller gave up: a late suspension would undo a newer resumption.
 */
const absenceMinutes = 30;
const absenceObservations = 3;

/** An operation without a clear observation for this long needs attention. An unpaid order needs it much earlier. */
const giveUpAfterHours = 24;
const unpaidAfterMinutes = 10;

export type Intent = Pick<Operation, "change" | "why" | "before">;

/** Begins the next operation. Without `params` the operation has no call. */
export function claim(
  subscription: Subscription,
  intent: Intent,
  { params, now, deadline }: { params?: Record<string, string>; now: Instant; deadline: Instant },
): Subscription {
  const operation: Operation = {
    ...begin(subscription, intent, now),
    ...(params && { attempt: { startedAt: now, params } }),
    due: deadline,
  };
  const { parked = [], ...rest } = subscription;
  // An operation that is still open here has an attention item. It is parked and no longer blocks unrelated changes.
  const stillOpen = isOpen(subscription.operation) ? [...parked, subscription.operation] : parked;
  return {
    ...rest,
    operation,
    operationCount: operation.n,
    slots: withSlotOf(subscription.slots, intent.change),
    ...(stillOpen.length > 0 && { parked: stillOpen }),
  };
}

/** Applies `change` to operation `n` as if it were the latest one. It may be a parked one. */
export function onOperation(
  subscription: Subscription,
  n: number,
  change: (focused: Subscription) => Subscription,
): Subscription {
  const { operation: current, parked = [], ...rest } = subscription;
  const parkedOne = parked.find((one) => one.n === n);
  if (!parkedOne) return change(subscription);
  const others = parked.filter((one) => one.n !== n);
  const { operation: changed, parked: _, ...after } = change({ ...rest, operation: parkedOne, parked: others });
  const left = isOpen(changed) ? [...others, changed].sort((a, b) => a.n - b.n) : others;
  return { ...after, ...(current && { operation: current }), ...(left.length > 0 && { parked: left }) };
}

/** Asserts that a purchase spends no time that is already spent. @throws Error if it does: that would be a defect */
export function assertUnspent({ slots }: Subscription, change: Change): void {
  const spends = "spends" in change ? change.spends : undefined;
  const spent = slots.find(({ n }) => n === change.slot)?.spentThrough;
  if (spends && spent !== undefined && spends.from < spent) {
    throw new Error(`${describe(change)} would spend the time from ${spends.from}, which is spent through ${spent}`);
  }
}

/** Finishes a claimed operation without a call, because the preflight showed that its target is already reached. */
export const alreadyDone = (subscription: Subscription, now: Instant): Subscription =>
  finish(subscription, "already_done", now, { expiry: subscription.operation?.before.expiry });

export const begin = (subscription: Subscription, intent: Intent, now: Instant): Operation => ({
  n: subscription.operationCount + 1,
  ...intent,
  state: "claimed",
  claimedAt: now,
  observations: [],
});

/** Records the outcome of the call, and above all the id of the license that it bought. */
export function record(subscription: Subscription, call: CallOutcome, now: Instant): Subscription {
  const { operation } = subscription;
  if (!isOpen(operation)) return subscription;
  const attempt = operation.attempt && {
    ...operation.attempt,
    endedAt: now,
    outcome: call.outcome,
    response: call.response,
    ...("funds" in call && call.funds && { funds: {} }),
  };
  const named = "elid" in call && call.elid !== undefined ? { elid: call.elid } : {};
  const recorded: Subscription = {
    ...subscription,
    operation: { ...operation, ...(attempt && { attempt }), ...named },
  };
  switch (call.outcome) {
    case "not_sent":
      return finish({ ...recorded, backoff: backoffAfter(subscription.backoff, now, call.response) }, "not_sent", now);
    case "refused": {
      const refused = finish(recorded, "refused", now);
      // An auth error halts the calls for all subscriptions. They resume when an operator lifts the halt.
      if (call.error.type === "auth") return { ...refused, backoff: backoffAfter(undefined, now, call.response) };
      const { change } = operation;
      return addAttention(refused, {
        reason: { code: call.funds ? "insufficient_funds" : "refused", change, response: call.response },
        since: now,
        blocks: blockOf(change),
        ...(call.funds && { funds: {} }),
      });
    }
    case "done":
      return scheduleObservation(recorded, "unconfirmed", now);
    case "unknown": {
      const unknown = scheduleObservation(recorded, "unknown", instantPlus(now, { seconds: reconcileAfter[0] ?? 0 }));
      return call.inCart && isOpen(unknown.operation)
        ? { ...unknown, operation: { ...unknown.operation, inCart: true } }
        : unknown;
    }
  }
}

/** Delays the next call, because none can be made now. */
export const backOff = (subscription: Subscription, now: Instant, why: string): Subscription => ({
  ...subscription,
  backoff: backoffAfter(subscription.backoff, now, why),
});

export type FreshObservation = Observation & {
  /** With `achieved`: the license's expiry and activation key. */
  expiry?: Day | undefined;
  key?: string | undefined;
  /** billmgr shows the license as stopped, by us or by billmgr. */
  isStopped?: boolean | undefined;
  /** With `achieved` for an order whose reply was lost: the license that the read found. */
  elid?: string;
};

/** Records an observation of the open operation, and finishes the operation if the observation settles it. */
export function recordObservation(subscription: Subscription, fresh: FreshObservation): Subscription {
  const { operation } = subscription;
  if (!isOpen(operation)) return subscription;
  const { expiry, key, isStopped, elid, ...observation } = fresh;
  const observations = [...operation.observations, observation].slice(-20);
  const state = operation.state === "claimed" ? "unknown" : operation.state;
  const seen: Operation = { ...operation, state, observations };
  const observed: Subscription = { ...subscription, operation: seen };
  const now = observation.at;

  if (observation.verdict === "achieved") {
    return elid === undefined
      ? finish(observed, "done", now, { expiry, key, isStopped })
      : scheduleObservation({ ...observed, operation: { ...seen, elid } }, "unconfirmed", now);
  }

  const since = operation.attempt?.endedAt ?? operation.claimedAt;
  if (observation.verdict === "absent" && state === "unknown" && isProvenAbsent(seen, since, now)) {
    return retryAbsent(observed, seen, now, observation.evidence);
  }
  const steps = state === "unconfirmed" ? confirmAfter : reconcileAfter;
  const seconds = steps[Math.min(observations.length, steps.length) - 1] ?? 60;
  const again: Subscription = { ...observed, operation: { ...seen, due: instantPlus(now, { seconds }) } };
  const reason = attentionReason(seen, observation, minutesBetween(since, now));
  // A pending observation, such as a failed read, does not change an existing item.
  const isNew = observation.verdict !== "pending" || !subscription.attention?.some((item) => item.operation === seen.n);
  return reason && isNew ? addAttention(again, { reason, since: now, operation: seen.n }) : again;
}

/** Why the operation needs attention, or undefined while further observations may settle it. */
function attentionReason(
  operation: Operation,
  { at, verdict, evidence, unpaid }: Observation,
  age: number,
): Reason | undefined {
  const { n, state, change, observations, inCart } = operation;
  const facts = { operation: n, change, evidence };
  if (verdict === "conflicting") return { code: "conflicting", ...facts };
  if (unpaid && age >= unpaidAfterMinutes) return { code: "unpaid_at_billmgr", ...facts };
  if (inCart && (verdict === "absent" || age >= unpaidAfterMinutes)) return { code: "in_cart", operation: n, change };
  const [first] = trailingAbsences(observations);
  const absentFor = first ? minutesBetween(first.at, at) : 0;
  if (verdict === "absent" && state === "unconfirmed" && trailingAbsences(observations).length >= 6 && age >= 10) {
    return { code: "not_confirmed", ...facts };
  }
  const where = whereToSearch(operation);
  if (verdict === "absent" && isPurchase(change) && absentFor > 2 * absenceMinutes) {
    return { code: "absence_not_proved", ...facts, where };
  }
  return age > giveUpAfterHours * 60 ? { code: "unresolved", ...facts, where } : undefined;
}

/** Where an operator can find the effect of the call. */
function whereToSearch({ change, claimedAt, attempt }: Operation): string {
  if (change.kind === "order") {
    return `Look for ${attempt?.params.comment} among the licenses, in the cart, and in the expenses since ${claimedAt}`;
  }
  return `Look at license ${change.elid} and its history since ${claimedAt}`;
}

/**
 * The last observation must prove the absence too: during the earlier ones billmgr may still have been working. An
 * order that may be in the cart is never proved absent, because an operator may still pay it.
 */
function isProvenAbsent({ change, observations, inCart }: Operation, since: Instant, now: Instant): boolean {
  const absent = trailingAbsences(observations);
  const proof = change.kind === "order" ? absent.filter((observation) => observation.provesAbsence) : absent;
  const isLast = proof.at(-1) === observations.at(-1);
  return !inCart && isLast && proof.length >= absenceObservations && minutesBetween(since, now) >= absenceMinutes;
}

/** Ends an operation that had no effect. The third in a row needs attention, and so does a lack of money. */
function retryAbsent(subscription: Subscription, operation: Operation, now: Instant, evidence: string): Subscription {
  const { change, attempt } = operation;
  const { response = "no response", funds } = attempt ?? {};
  const absences = (subscription.backoff?.absences ?? 0) + 1;
  const why = `${describe(change)} had no effect (${response})`;
  const again: Subscription = {
    ...finish(subscription, "absent", now),
    backoff: { ...backoffAfter(subscription.backoff, now, why), absences },
  };
  const item = { since: now, blocks: blockOf(change) };
  if (funds) {
    const reason: Reason = { code: "insufficient_funds", change, response };
    return retryAfterTopUp(addAttention(again, { ...item, reason, funds: {} }), funds.balance);
  }
  if (absences < 3) return again;
  return addAttention(again, { ...item, reason: { code: "no_effect", change, response, evidence } });
}

/** Records the balance that was read right after billmgr answered a call with an error about money. */
export function recordBalance(subscription: Subscription, balance: Balance): Subscription {
  const { operation } = subscription;
  const { attempt } = operation ?? {};
  if (!operation || !attempt?.funds) return subscription;
  return { ...subscription, operation: { ...operation, attempt: { ...attempt, funds: { balance } } } };
}

/**
 * Unblocks the changes that lacked money when the balance is higher than the first one read after the error. Prices are
 * not known in advance: if the increase is too small, billmgr refuses again.
 */
export function retryAfterTopUp(subscription: Subscription, balance: Balance | undefined): Subscription {
  const { attention = [], backoff, ...rest } = subscription;
  if (!balance || !attention.some(({ funds }) => funds)) return subscription;
  const hasRisen = ({ funds }: Attention) => funds?.balance !== undefined && balance.amount > funds.balance.amount;
  const left = attention
    .filter((item) => !hasRisen(item))
    .map((item): Attention => {
      if (!item.funds || item.funds.balance || item.reason.code !== "insufficient_funds") return item;
      const reason: Reason = { ...item.reason, balance: `${balance.amount} ${balance.currency}` };
      return { ...item, reason, funds: { balance } };
    });
  const keepsBackoff = backoff && left.length === attention.length;
  return { ...rest, ...(left.length > 0 && { attention: left }), ...(keepsBackoff && { backoff }) };
}

export function finish(
  subscription: Subscription,
  outcome: NonNullable<Operation["outcome"]>,
  now: Instant,
  seen: Observed = {},
): Subscription {
  const { operation, backoff, ...rest } = dropAttention(
    subscription,
    (item) => item.operation !== undefined && item.operation === subscription.operation?.n,
  );
  if (!operation) return subscription;
  const { due, ...kept } = operation;
  const { change } = operation;
  const succeeded = isDone(outcome);
  const held = succeeded ? withLicense(subscription).slots : rest.slots;
  const slots = succeeded ? held.map((slot) => applyChange(slot, change, seen, now)) : held;
  const { plan, license } = slots.find(({ n }) => n === change.slot) ?? {};
  const result = plan !== undefined && { plan, ...(license && { license }) };
  const paidAt = succeeded && change.kind === "order" && !change.replaces && lastPaidAt(subscription, now);
  const finished: Operation = {
    ...kept,
    state: "finished",
    outcome,
    finishedAt: now,
    ...(succeeded && result && { result }),
    ...(paidAt && { secondsFromPayment: secondsBetween(paidAt, now) }),
  };
  return {
    ...rest,
    operation: finished,
    slots,
    ...(backoff && !succeeded && { backoff }),
    ...(succeeded &&
      isExchange(change) &&
      !operation.adopted && { exchanges: [...(rest.exchanges ?? []), now].slice(-20) }),
  };
}

const lastPaidAt = ({ payments }: Subscription, now: Instant): Instant | undefined =>
  payments
    .flatMap((payment) => (payment.paid ? [statedAt(payment)] : []))
    .filter((at) => at > noTimestamp && at <= now)
    .sort()
    .at(-1);

function withKey(
  { keyAwaited, ...license }: License,
  key: string | undefined,
  { kind }: Change,
  now: Instant,
): License {
  if (key) return { ...license, key };
  const since = kind === "order" && key === "" ? now : keyAwaited;
  return since === undefined ? license : { ...license, keyAwaited: since };
}

/** The license's fields that a read showed. */
type Observed = Pick<FreshObservation, "expiry" | "key" | "isStopped">;

/** The slot after the change. */
function applyChange(slot: Slot, change: Change, { expiry, key, isStopped }: Observed, now: Instant): Slot {
  if (slot.n !== change.slot || !slot.license) return slot;
  const { license, ...empty } = slot;
  const read: License = { ...withKey(license, key, change, now), ...(expiry !== undefined && { expiry }) };
  switch (change.kind) {
    case "order":
    case "prolong": {
      // billmgr may keep a license stopped that it stopped at expiry, and may start one that we suspended.
      const bought = isStopped === undefined ? read : withSuspension(read, isStopped, now);
      const spent = latest([slot.spentThrough, change.spends?.to]);
      const isExchanged = change.kind === "order" && isExchange(change);
      return {
        ...slot,
        plan: change.plan,
        license: bought,
        ...(spent && { spentThrough: spent }),
        ...(isExchanged && { exchanged: true }),
      };
    }
    case "edit":
      return { ...slot, plan: change.plan, license: { ...read, addons: change.addons } };
    case "suspend":
      return { ...slot, license: withSuspension(read, true, now) };
    case "resume":
      return { ...slot, license: withSuspension(read, false, now) };
    case "delete": {
      const { replaces, exchanged, ...ended } = empty;
      return { ...ended, generation: slot.generation + 1 };
    }
  }
}

function withSuspension({ suspendedAt, ...license }: License, suspended: boolean, now: Instant): License {
  return suspended ? { ...license, suspended, suspendedAt: suspendedAt ?? now } : { ...license, suspended };
}

/** Stores an expiry that was read outside of any operation. */
export const withExpiry = (subscription: Subscription, elid: string, expiry: Day): Subscription => ({
  ...subscription,
  slots: subscription.slots.map((slot) =>
    slot.license?.elid === elid ? { ...slot, license: { ...slot.license, expiry } } : slot,
  ),
});

/** Puts the license of a proved order into its slot: as ordered, or as an operator adopted it. */
export function withLicense(subscription: Subscription): Subscription {
  const { operation } = subscription;
  if (operation?.change.kind !== "order" || operation.elid === undefined) return subscription;
  const { change, elid, adopted } = operation;
  const license: License = {
    elid,
    family: change.family,
    trial: change.trial,
    suspended: false,
    addons: change.addons,
    ...(adopted && { ...adopted, addons: { ...change.addons, ...adopted.addons } }),
  };
  return {
    ...subscription,
    slots: subscription.slots.map((slot) => (slot.n === change.slot ? { ...slot, license } : slot)),
  };
}

/** The slots with the one that an order is to fill. Other changes need no new slot. */
export function withSlotOf(slots: Slot[], change: Change): Slot[] {
  if (change.kind !== "order") return slots;
  const { slot: n, generation, product, plan, replaces } = change;
  const replaced = slots.find((other) => other.n === replaces?.n);
  // A replacement license does not spend the time again that was spent on the license before it.
  const spent = latest([slots.find((other) => other.n === n)?.spentThrough, replaced && spentTime(replaced)]);
  const slot: Slot = {
    n,
    generation,
    product,
    plan,
    ...(replaces && { replaces }),
    ...(spent && { spentThrough: spent }),
  };
  return [...slots.filter((other) => other.n !== n), slot].sort((a, b) => a.n - b.n);
}

export function scheduleObservation(
  subscription: Subscription,
  state: "unknown" | "unconfirmed",
  due: Instant,
): Subscription {
  const { operation } = subscription;
  return operation ? { ...subscription, operation: { ...operation, state, due } } : subscription;
}

/** The delay starts at 30 seconds and doubles up to one hour. */
function backoffAfter(earlier: Backoff | undefined, now: Instant, why: string): Backoff {
  const times = (earlier?.times ?? 0) + 1;
  const until = instantPlus(now, { seconds: Math.min(30 * 2 ** (times - 1), 3600) });
  return { ...earlier, since: earlier?.since ?? now, until, why, times };
}

const trailingAbsences = (observations: readonly Observation[]): Observation[] =>
  observations.slice(observations.findLastIndex((observation) => observation.verdict !== "absent") + 1);

const minutesBetween = (from: Instant, to: Instant): number => (Date.parse(to) - Date.parse(from)) / 60_000;
