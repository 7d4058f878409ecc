import type { Policy } from "../../shared/licensing/catalog.ts";
import { coverage, statedAt, withPeriods } from "../../shared/licensing/coverage.ts";
import { type ChangeKind, describe, type Operation } from "../../shared/licensing/operation.ts";
import { type Payment, type Subscription, stands } from "../../shared/licensing/subscription.ts";
import { type Day, type Instant, instantPlus, noTimestamp, startOf } from "../../shared/licensing/time.ts";

export type Span = { from: Instant; to: Instant; label: string };

/** One license: what each purchase made it valid for, and when it stood still. */
export type Lane = { slot: number; elid?: string; valid: Span[]; suspended: Span[] };

export type Mark = { at: Instant; n: number; kind: ChangeKind; outcome: string; label: string };

/** A subscription's life as it is drawn. `unknowns`: from a call whose answer was lost to when it was known what it did. */
export type Life = {
  from: Instant;
  to: Instant;
  now: Instant;
  payments: (Span & { as: "paid" | "trial" | "refunded" })[];
  licenses: Lane[];
  operations: Mark[];
  unknowns: Span[];
};

/** @param since when it was first heard of here: what an import brought tells no earlier moment */
export function lifeOf(
  subscription: Subscription,
  operations: readonly Operation[],
  policy: Policy,
  now: Instant,
  since: Instant = now,
): Life {
  const payments = paymentSpans(subscription, policy, since);
  const licenses = lanesOf(subscription, operations, now, since);
  const unknowns = operations.flatMap((operation) => unknownOf(operation, now));
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
  // A life of a moment still has a width.
  const least = instantPlus(from, { days: 1 });
  return { from, to: to < least ? least : to, now, payments, licenses, operations: marks, unknowns };
}

/** What each payment that stands added to the time that those before it cover; one that was taken back, what it told. */
function paymentSpans(subscription: Subscription, policy: Policy, since: Instant): Life["payments"] {
  const paid = withPeriods(subscription).flatMap((payment) =>
    payment.paid ? [{ ...payment, paid: payment.paid }] : [],
  );
  paid.sort((a, b) => (statedAt(a) < statedAt(b) ? -1 : statedAt(a) > statedAt(b) ? 1 : a.id < b.id ? -1 : 1));
  const standing: Payment[] = [];
  return paid.flatMap((payment) => {
    const before = stands(payment) ? standing : [];
    const last = coverage(before, policy).at(-1);
    const run = coverage([...before, payment], policy).at(-1);
    if (stands(payment)) standing.push(payment);
    if (!run || run.through === last?.through) return [];
    const { value } = payment.paid;
    const at = statedAt(payment);
    const told = "from" in value.covers && value.covers.from ? value.covers.from : at === noTimestamp ? since : at;
    // A run that goes on has begun before: this payment added what lies after the one before it.
    const from = last && run.since === last.since && last.through < run.through ? last.through : told;
    const as = !stands(payment) ? ("refunded" as const) : value.trial ? ("trial" as const) : ("paid" as const);
    return [{ from, to: run.through, as, label: `payment ${payment.id}, ${as}, ${day(from)} to ${day(run.through)}` }];
  });
}

const succeeded = ({ outcome }: Operation): boolean => outcome === "done" || outcome === "already_done";

/** A lane while the operations are gone through. */
type Drawn = Lane & { began: Instant; expiry?: Day | undefined; stopped?: Instant; over?: true };

function lanesOf({ slots }: Subscription, operations: readonly Operation[], now: Instant, since: Instant): Lane[] {
  const lanes: Drawn[] = [];
  const current = (slot: number) => lanes.findLast((lane) => lane.slot === slot && !lane.over);
  for (const operation of operations) {
    if (!succeeded(operation)) continue;
    const { change, before, n } = operation;
    const at = operation.finishedAt ?? operation.claimedAt;
    const elid = change.kind === "order" ? operation.result?.license?.elid : change.elid;
    const shown = operation.result?.license?.expiry;
    let lane = change.kind === "order" ? undefined : current(change.slot);
    if (!lane) {
      lane = { slot: change.slot, valid: [], suspended: [], began: operation.claimedAt };
      lanes.push(lane);
    }
    if (elid !== undefined) lane.elid = elid;
    const was = before.expiry ?? lane.expiry;
    const expiry = shown ?? (change.kind === "prolong" ? change.expiry : lane.expiry);
    if (change.kind === "order" && expiry) extend(lane, lane.began, expiry, n, "order");
    if (change.kind === "prolong" && expiry) {
      // Where the order's own expiry is not known, it is what was read before the first prolong.
      if (lane.valid.length === 0 && was) extend(lane, lane.began, was, undefined, "valid");
      extend(lane, startOf(was ?? lane.began), expiry, n, "prolong");
    }
    lane.expiry = expiry;
    if (change.kind === "suspend") lane.stopped ??= at;
    if (change.kind === "resume" || change.kind === "delete") stand(lane, at);
    if (change.kind === "delete") {
      lane.over = true;
      lane.valid = lane.valid.flatMap((one) => (one.from >= at ? [] : [{ ...one, to: one.to > at ? at : one.to }]));
    }
  }
  for (const { n, license } of slots) {
    if (!license) continue;
    const known = current(n);
    const lane: Drawn = known ?? { slot: n, valid: [], suspended: [], began: since };
    if (!known) lanes.push(lane);
    lane.elid = license.elid;
    // One that came here suspended.
    if (license.suspended) lane.stopped ??= license.suspendedAt ?? since;
    if (lane.valid.length === 0 && license.expiry) extend(lane, lane.began, license.expiry, undefined, "valid");
  }
  for (const lane of lanes) stand(lane, now);
  return lanes.map(({ slot, elid, valid, suspended }) => ({ slot, ...(elid && { elid }), valid, suspended }));
}

function extend(lane: Lane, from: Instant, expiry: Day, n: number | undefined, by: string): void {
  const source = n === undefined ? by : `${by}, operation ${n}`;
  lane.valid.push({ from, to: startOf(expiry), label: `${source}: ${day(from)} to ${expiry}` });
}

function stand(lane: Lane & { stopped?: Instant }, at: Instant): void {
  if (lane.stopped === undefined) return;
  lane.suspended.push({ from: lane.stopped, to: at, label: `suspended ${day(lane.stopped)} to ${day(at)}` });
  delete lane.stopped;
}

const markOf = ({ n, change, claimedAt, state, outcome }: Operation): Mark => {
  const as = state === "finished" ? (outcome ?? "done") : state;
  return {
    at: claimedAt,
    n,
    kind: change.kind,
    outcome: as,
    label: `operation ${n}: ${describe(change)}, ${as.replaceAll("_", " ")}`,
  };
};

/** An unclear answer, or none at all, and how it was settled. */
function unknownOf(
  { n, attempt, state, outcome, claimedAt, finishedAt, observations, resolved }: Operation,
  now: Instant,
): Span[] {
  const isUnknown = attempt?.outcome === "unknown" || (attempt && attempt.outcome === undefined && state !== "claimed");
  if (!isUnknown) return [];
  const settled = resolved ? `an operator: ${resolved.as}` : observations.at(-1)?.evidence;
  const how =
    state === "finished" ? `${outcome?.replaceAll("_", " ")}${settled ? `, ${settled}` : ""}` : "not settled yet";
  return [{ from: claimedAt, to: finishedAt ?? now, label: `operation ${n}, unknown what it did: ${how}` }];
}

const day = (instant: Instant): Day => instant.slice(0, 10);
