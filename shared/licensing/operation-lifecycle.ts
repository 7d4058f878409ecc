import {
  type Balance,
  type CallOutcome,
  type Change,
  describe,
  isDone,
  isOpen,
  isPurchase,
  type Observation,
  type Operation,
} from "./operation.ts";
import type { Attention, Backoff, License, Slot, Subscription } from "./subscription.ts";
import { type Day, type Instant, instantPlus, noTimestamp, secondsBetween } from "./time.ts";

/** Seconds from one look to the next: quick while billmgr works, patient when it takes hours (its own queue can). */
const confirmAfter = [2, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** An unknown call may still be at work at billmgr, so the first look waits. */
const reconcileAfter = [60, 120, 300, 600, 900, 1800, 3600];

/**
 * Absence is believed after several looks over half an hour. That holds for every change: billmgr may act long after the
 * caller gave up, and a suspension that comes late would undo the resumption that was made meanwhile.
 */
const absenceMinutes = 30;
const absenceObservations = 3;

/** After this long without a clear sight a person is asked, and much earlier where an order stays unpaid. */
const giveUpAfterHours = 24;
const unpaidAfterMinutes = 10;

export type Intent = Pick<Operation, "change" | "why" | "before">;

/** Without `params` nothing is to be called. */
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
  return { ...subscription, operation, slots: withSlotOf(subscription.slots, intent.change) };
}

/** What was claimed is so already, as the reading before showed: nothing is called. */
export const alreadyDone = (subscription: Subscription, now: Instant): Subscription =>
  finish(subscription, "already_done", now, { expiry: subscription.operation?.before.expiry });

export const begin = (subscription: Subscription, intent: Intent, now: Instant): Operation => ({
  n: (subscription.operation?.n ?? 0) + 1,
  ...intent,
  state: "claimed",
  claimedAt: now,
  observations: [],
});

/** The call's outcome, the license's id before all else. */
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
  const recorded: Subscription = { ...subscription, operation: { ...operation, ...(attempt && { attempt }) } };
  switch (call.outcome) {
    case "not_sent":
      return finish({ ...recorded, backoff: backoffAfter(subscription.backoff, now, call.response) }, "not_sent", now);
    case "refused": {
      const refused = finish(recorded, "refused", now);
      // Everybody's calls are halted then; what waits goes on when the halt is lifted.
      if (call.error.type === "auth") return { ...refused, backoff: backoffAfter(undefined, now, call.response) };
      const reason = `billmgr refused to ${describe(operation.change)}: ${call.response}`;
      return { ...refused, attention: { reason, since: now, ...(call.funds && { funds: {} }) } };
    }
    case "done":
      return scheduleObservation(
        call.elid === undefined ? recorded : withLicense(recorded, call.elid),
        "unconfirmed",
        now,
      );
    case "unknown": {
      const unknown = scheduleObservation(recorded, "unknown", instantPlus(now, { seconds: reconcileAfter[0] ?? 0 }));
      return call.inCart && isOpen(unknown.operation)
        ? { ...unknown, operation: { ...unknown.operation, inCart: true } }
        : unknown;
    }
  }
}

/** Nothing can be called now. */
export const backOff = (subscription: Subscription, now: Instant, why: string): Subscription => ({
  ...subscription,
  backoff: backoffAfter(subscription.backoff, now, why),
});

export type FreshObservation = Observation & {
  /** With `achieved`: what the license shows. */
  expiry?: Day | undefined;
  key?: string | undefined;
  /** With `achieved` of an order whose reply was lost: the license that was found. */
  elid?: string;
};

/** What a reading showed of the open operation. */
export function recordObservation(subscription: Subscription, sighting: FreshObservation): Subscription {
  const { operation } = subscription;
  if (!isOpen(operation)) return subscription;
  const { expiry, key, elid, ...observation } = sighting;
  const observations = [...operation.observations, observation].slice(-20);
  const state = operation.state === "claimed" ? "unknown" : operation.state;
  const seen: Operation = { ...operation, state, observations };
  const looked: Subscription = { ...subscription, operation: seen };
  const now = observation.at;

  if (observation.verdict === "achieved") {
    return elid === undefined
      ? finish(looked, "done", now, { expiry, key })
      : scheduleObservation(withLicense(looked, elid), "unconfirmed", now);
  }

  const since = operation.attempt?.endedAt ?? operation.claimedAt;
  if (observation.verdict === "absent" && state === "unknown" && isProvenAbsent(seen, since, now)) {
    return retryAbsent(looked, seen, now, observation.evidence);
  }
  const steps = state === "unconfirmed" ? confirmAfter : reconcileAfter;
  const seconds = steps[Math.min(observations.length, steps.length) - 1] ?? 60;
  const again: Operation = { ...seen, due: instantPlus(now, { seconds }) };
  const question = attentionReason(seen, observation, minutesBetween(since, now));
  // What a person was told stays until something else is known: a failed reading is nothing new.
  const told = isNewVerdict(subscription, observation) ? question : undefined;
  return { ...looked, operation: again, ...(told && { attention: attentionAbout(seen, now, told) }) };
}

const isNewVerdict = ({ attention, operation }: Subscription, { verdict }: Observation): boolean =>
  attention?.operation !== operation?.n || verdict !== "pending";

/** Why a person has to look, or undefined while looking again may settle it. */
function attentionReason(
  operation: Operation,
  { at, verdict, evidence, unpaid }: Observation,
  age: number,
): string | undefined {
  const { state, change, observations, inCart } = operation;
  if (verdict === "conflicting") return evidence;
  if (unpaid && age >= unpaidAfterMinutes) return `${evidence}: pay it in billmgr, or delete it there`;
  if (verdict === "absent" && inCart) {
    return "it lies unpaid in billmgr's basket, maybe more than once: pay it there once and remove the rest, or empty the basket";
  }
  const [first] = trailingAbsences(observations);
  const absentFor = first ? minutesBetween(first.at, at) : 0;
  if (verdict === "absent" && state === "unconfirmed" && trailingAbsences(observations).length >= 6 && age >= 10) {
    return `billmgr answered ok, yet ${evidence}`;
  }
  if (verdict === "absent" && isPurchase(change) && absentFor > 2 * absenceMinutes) {
    return `${evidence}, which does not prove that nothing was bought. ${whereToSearch(operation)}`;
  }
  return age > giveUpAfterHours * 60 ? `${evidence}. ${whereToSearch(operation)}` : undefined;
}

/** Where a person finds out what the call did. */
function whereToSearch({ change, claimedAt, attempt }: Operation): string {
  if (change.kind === "order") {
    return `Look for ${attempt?.params.comment} among the licenses, in the cart and in the expenses since ${claimedAt}`;
  }
  return `Look at license ${change.elid} and at its history since ${claimedAt}`;
}

/**
 * The last look has to prove it too: the earlier ones were made while billmgr could still have been at it. An order in
 * the basket is never absent: a person may still pay it.
 */
function isProvenAbsent({ change, observations, inCart }: Operation, since: Instant, now: Instant): boolean {
  const absent = trailingAbsences(observations);
  const proof = change.kind === "order" ? absent.filter((observation) => observation.provesAbsence) : absent;
  const isLast = proof.at(-1) === observations.at(-1);
  return !inCart && isLast && proof.length >= absenceObservations && minutesBetween(since, now) >= absenceMinutes;
}

/** The same refused thing again and again needs a person, and so does want of money; a passing fault does not. */
function retryAbsent(subscription: Subscription, operation: Operation, now: Instant, evidence: string): Subscription {
  const { response = "no answer", funds } = operation.attempt ?? {};
  const absences = (subscription.backoff?.absences ?? 0) + 1;
  const why = `${describe(operation.change)} had no effect (${response})`;
  const again = {
    ...finish(subscription, "absent", now),
    backoff: { ...backoffAfter(subscription.backoff, now, why), absences },
  };
  if (funds) return retryAfterTopUp({ ...again, attention: { reason: why, since: now, funds: {} } }, funds.balance);
  return absences < 3 ? again : { ...again, attention: attentionAbout(operation, now, `${response}; ${evidence}`) };
}

/** The balance right after a call that was answered with want of money. */
export function recordBalance(subscription: Subscription, balance: Balance): Subscription {
  const { operation } = subscription;
  const { attempt } = operation ?? {};
  if (!operation || !attempt?.funds) return subscription;
  return { ...subscription, operation: { ...operation, attempt: { ...attempt, funds: { balance } } } };
}

/**
 * What waits for money goes on when the balance is higher than the first one that was read since it was refused. No
 * price is known beforehand, so a rise that is too small is found out by being refused again.
 */
export function retryAfterTopUp(subscription: Subscription, balance: Balance | undefined): Subscription {
  const { attention, backoff, ...rest } = subscription;
  if (!attention?.funds || !balance) return subscription;
  const known = attention.funds.balance;
  if (known && balance.amount > known.amount) return rest;
  if (known) return subscription;
  const reason = `${attention.reason}; the balance is ${balance.amount} ${balance.currency}, and when it rises this is tried again`;
  return { ...subscription, attention: { ...attention, reason, funds: { balance } } };
}

export function finish(
  subscription: Subscription,
  outcome: NonNullable<Operation["outcome"]>,
  now: Instant,
  seen: Observed = {},
): Subscription {
  const { operation, backoff, attention, ...rest } = subscription;
  if (!operation) return subscription;
  const { due, ...kept } = operation;
  const { change } = operation;
  const succeeded = isDone(outcome);
  const slots = succeeded ? rest.slots.map((slot) => applyChange(slot, change, seen, now)) : rest.slots;
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
  const ofIt = attention?.operation === operation.n;
  return {
    ...rest,
    operation: finished,
    slots,
    ...(backoff && !succeeded && { backoff }),
    ...(attention && !ofIt && { attention }),
  };
}

const lastPaidAt = ({ payments }: Subscription, now: Instant): Instant | undefined =>
  payments
    .flatMap(({ paid }) => (paid && paid.at > noTimestamp && paid.at <= now ? [paid.at] : []))
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

/** What the license showed. */
type Observed = Pick<FreshObservation, "expiry" | "key">;

/** The slot after the change. */
function applyChange(slot: Slot, change: Change, { expiry, key }: Observed, now: Instant): Slot {
  if (slot.n !== change.slot || !slot.license) return slot;
  const { license, ...empty } = slot;
  const read: License = { ...withKey(license, key, change, now), ...(expiry !== undefined && { expiry }) };
  switch (change.kind) {
    case "order":
    case "prolong":
      return { ...slot, plan: change.plan, license: read };
    case "edit":
      return { ...slot, plan: change.plan, license: { ...read, addons: change.addons } };
    case "suspend":
      return { ...slot, license: { ...read, suspended: true, suspendedAt: now } };
    case "resume": {
      const { suspendedAt, ...resumed } = read;
      return { ...slot, license: { ...resumed, suspended: false } };
    }
    case "delete": {
      const { replaces, ...ended } = empty;
      return { ...ended, generation: slot.generation + 1 };
    }
  }
}

/** A license as it was read, beside any operation. */
export const withExpiry = (subscription: Subscription, elid: string, expiry: Day): Subscription => ({
  ...subscription,
  slots: subscription.slots.map((slot) =>
    slot.license?.elid === elid ? { ...slot, license: { ...slot.license, expiry } } : slot,
  ),
});

/** The ordered license, known by its id and not yet by more. */
export function withLicense(subscription: Subscription, elid: string): Subscription {
  const change = subscription.operation?.change;
  if (change?.kind !== "order") return subscription;
  const license: License = {
    elid,
    family: change.family,
    trial: change.trial,
    suspended: false,
    addons: change.addons,
  };
  return {
    ...subscription,
    slots: subscription.slots.map((slot) => (slot.n === change.slot ? { ...slot, license } : slot)),
  };
}

/** An order claims its slot. */
export function withSlotOf(slots: Slot[], change: Change): Slot[] {
  if (change.kind !== "order") return slots;
  const { slot: n, generation, product, plan, replaces } = change;
  const slot: Slot = { n, generation, product, plan, ...(replaces && { replaces }) };
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

/** Half a minute, doubling up to an hour. */
function backoffAfter(earlier: Backoff | undefined, now: Instant, why: string): Backoff {
  const times = (earlier?.times ?? 0) + 1;
  const until = instantPlus(now, { seconds: Math.min(30 * 2 ** (times - 1), 3600) });
  return { ...earlier, since: earlier?.since ?? now, until, why, times };
}

const attentionAbout = (operation: Operation, now: Instant, evidence: string): Attention => ({
  reason: `operation ${operation.n}, ${describe(operation.change)}, is ${operation.state}: ${evidence}`,
  since: now,
  operation: operation.n,
});

const trailingAbsences = (observations: readonly Observation[]): Observation[] =>
  observations.slice(observations.findLastIndex((observation) => observation.verdict !== "absent") + 1);

const minutesBetween = (from: Instant, to: Instant): number => (Date.parse(to) - Date.parse(from)) / 60_000;
