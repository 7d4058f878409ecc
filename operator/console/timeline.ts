/** Computes the timeline of a subscription: its paid time, the validity of its licenses, and its operations. */
import type { Policy } from "../../shared/licensing/catalog.ts";
import { coverage, statedAt, withPeriods } from "../../shared/licensing/coverage.ts";
import { type ChangeKind, describe, type Operation } from "../../shared/licensing/operation.ts";
import { type Payment, type Subscription, stands } from "../../shared/licensing/subscription.ts";
import { type Day, type Instant, instantPlus, noTimestamp, startOf } from "../../shared/licensing/time.ts";
import { wordsOf } from "../actions/format.ts";

export type Span = { from: Instant; to: Instant; label: string };

/** One license. `valid` has one span for each purchase. */
export type Lane = { slot: number; elid?: string; valid: Span[]; suspended: Span[] };

export type Mark = { at: Instant; n: number; kind: ChangeKind; outcome: string; label: string };

/** `unknowns`: from each call without a clear response to the time when its outcome was known. */
export type Timeline = {
  from: Instant;
  to: Instant;
  now: Instant;
  payments: (Span & { kind: "paid" | "trial" | "refunded" })[];
  licenses: Lane[];
  operations: Mark[];
  unknowns: Span[];
};

/** @param since when the subscription became known here; imported facts have no earlier timestamp */
export function timelineOf(
  subscription: Subscription,
  operations: readonly Operation[],
  policy: Policy,
  now: Instant,
  since: Instant = now,
): Timeline {
  const payments = paymentSpans(subscription, policy, since);
  const licenses = lanesOf(subscription, operations, now, since);
  const unknowns = operations.flatMap((operation) => unknownSpan(operation, now));
  const marks = operations.map(markOf);
  const moments = [
    now,
    ...marks.map(({ at }) => at),
    ...[...payments, ...licenses.flatMap(({ valid, suspended }) => [...valid, ...suspended])].flatMap(
      ({ from, to }) => [from, to],
    ),
  ].sort();
  const [from = now] = moments;
  const to = moments.at(-1) ?? now;
  // The scale needs a width even if everything happened at one moment.
  const minTo = instantPlus(from, { days: 1 });
  return { from, to: to < minTo ? minTo : to, now, payments, licenses, operations: marks, unknowns };
}

/** A payment that stands spans the time it added to the payments before it. A refunded payment spans its own period. */
function paymentSpans(subscription: Subscription, policy: Policy, since: Instant): Timeline["payments"] {
  const paid = withPeriods(subscription).flatMap((payment) =>
    payment.paid ? [{ ...payment, paid: payment.paid }] : [],
  );
  paid.sort((a, b) => (statedAt(a) < statedAt(b) ? -1 : statedAt(a) > statedAt(b) ? 1 : a.id < b.id ? -1 : 1));
  const standing: Payment[] = [];
  return paid.flatMap((payment) => {
    const earlier = stands(payment) ? standing : [];
    const last = coverage(earlier, policy).at(-1);
    const run = coverage([...earlier, payment], policy).at(-1);
    if (stands(payment)) standing.push(payment);
    if (!run || run.through === last?.through) return [];
    const { value } = payment.paid;
    const at = statedAt(payment);
    const start = "from" in value.covers && value.covers.from ? value.covers.from : at === noTimestamp ? since : at;
    // A payment that continues a run added only the time after the payment before it.
    const from = last && run.since === last.since && last.through < run.through ? last.through : start;
    const kind = !stands(payment) ? ("refunded" as const) : value.trial ? ("trial" as const) : ("paid" as const);
    const label = `payment ${payment.id}, ${kind}, ${day(from)} to ${day(run.through)}`;
    return [{ from, to: run.through, kind, label }];
  });
}

const hasSucceeded = ({ outcome }: Operation): boolean => outcome === "done" || outcome === "already_done";

/** A lane while the operations are replayed onto it. */
type OpenLane = Lane & { began: Instant; expiry?: Day | undefined; suspendedAt?: Instant; isDeleted?: true };

function lanesOf({ slots }: Subscription, operations: readonly Operation[], now: Instant, since: Instant): Lane[] {
  const lanes: OpenLane[] = [];
  const currentLane = (slot: number) => lanes.findLast((lane) => lane.slot === slot && !lane.isDeleted);
  for (const operation of operations) {
    if (!hasSucceeded(operation)) continue;
    const { change, before, n } = operation;
    const at = operation.finishedAt ?? operation.claimedAt;
    const elid = change.kind === "order" ? operation.result?.license?.elid : change.elid;
    const shownExpiry = operation.result?.license?.expiry;
    let lane = change.kind === "order" ? undefined : currentLane(change.slot);
    if (!lane) {
      lane = { slot: change.slot, valid: [], suspended: [], began: operation.claimedAt };
      lanes.push(lane);
    }
    if (elid !== undefined) lane.elid = elid;
    const earlierExpiry = before.expiry ?? lane.expiry;
    const expiry = shownExpiry ?? (change.kind === "prolong" ? change.expiry : lane.expiry);
    if (change.kind === "order" && expiry) addValidity(lane, lane.began, expiry, n, "order");
    if (change.kind === "prolong" && expiry) {
      // If the order's own expiry is not known, the expiry read before the first prolong stands in for it.
      if (lane.valid.length === 0 && earlierExpiry) addValidity(lane, lane.began, earlierExpiry, undefined, "valid");
      addValidity(lane, startOf(earlierExpiry ?? lane.began), expiry, n, "prolong");
    }
    lane.expiry = expiry;
    if (change.kind === "suspend") lane.suspendedAt ??= at;
    if (change.kind === "resume" || change.kind === "delete") endSuspension(lane, at);
    if (change.kind === "delete") {
      lane.isDeleted = true;
      lane.valid = lane.valid.flatMap((span) =>
        span.from >= at ? [] : [{ ...span, to: span.to > at ? at : span.to }],
      );
    }
  }
  for (const { n, license } of slots) {
    if (!license) continue;
    const current = currentLane(n);
    const lane: OpenLane = current ?? { slot: n, valid: [], suspended: [], began: since };
    if (!current) lanes.push(lane);
    lane.elid = license.elid;
    // An imported license may already be suspended.
    if (license.suspended) lane.suspendedAt ??= license.suspendedAt ?? since;
    if (lane.valid.length === 0 && license.expiry) addValidity(lane, lane.began, license.expiry, undefined, "valid");
  }
  for (const lane of lanes) endSuspension(lane, now);
  return lanes.map(({ slot, elid, valid, suspended }) => ({ slot, ...(elid && { elid }), valid, suspended }));
}

function addValidity(lane: Lane, from: Instant, expiry: Day, n: number | undefined, by: string): void {
  const source = n === undefined ? by : `${by}, operation ${n}`;
  lane.valid.push({ from, to: startOf(expiry), label: `${source}: ${day(from)} to ${expiry}` });
}

function endSuspension(lane: OpenLane, at: Instant): void {
  const { suspendedAt } = lane;
  if (suspendedAt === undefined) return;
  lane.suspended.push({ from: suspendedAt, to: at, label: `suspended ${day(suspendedAt)} to ${day(at)}` });
  delete lane.suspendedAt;
}

const markOf = ({ n, change, claimedAt, state, outcome }: Operation): Mark => {
  const shown = state === "finished" ? (outcome ?? "done") : state;
  const label = `operation ${n}: ${describe(change)}, ${wordsOf(shown)}`;
  return { at: claimedAt, n, kind: change.kind, outcome: shown, label };
};

function unknownSpan(
  { n, attempt, state, outcome, claimedAt, finishedAt, observations, resolved }: Operation,
  now: Instant,
): Span[] {
  const isUnknown = attempt?.outcome === "unknown" || (attempt && attempt.outcome === undefined && state !== "claimed");
  if (!isUnknown) return [];
  const evidence = resolved ? `resolved by an operator: ${resolved.as}` : observations.at(-1)?.evidence;
  const result = state === "finished" ? `${wordsOf(outcome ?? "")}${evidence ? `, ${evidence}` : ""}` : "still unknown";
  return [{ from: claimedAt, to: finishedAt ?? now, label: `operation ${n}, outcome unknown: ${result}` }];
}

const day = (instant: Instant): Day => instant.slice(0, 10);
