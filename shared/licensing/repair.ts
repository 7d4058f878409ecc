import { PreconditionFailed } from "../errors.ts";
import { openOperations } from "./attention.ts";
import type { Catalog } from "./catalog.ts";
import { decide } from "./decide.ts";
import type { Event } from "./event.ts";
import { fold } from "./fold.ts";
import { type Change, describe, isOpen, isPurchase, type Operation } from "./operation.ts";
import {
  alreadyDone,
  begin,
  claim,
  finish,
  onOperation,
  scheduleObservation,
  withSlotOf,
} from "./operation-lifecycle.ts";
import { formatReason } from "./reasons.ts";
import { newSubscription, type Slot, type Subscription } from "./subscription.ts";
import { type Day, type Instant, instantPlus } from "./time.ts";

/** The repaired subscription, and the `finished` operations that the log must contain, in order. */
export type Repaired = { subscription: Subscription; finished: Operation[] };

/** The minimum time between reads that could prove an absence. Repeated retries do not shorten it. */
const minSecondsBetweenObservations = 60;

/**
 * Clears attention and backoff, and schedules each open operation to be observed soon. It never repeats a call that may
 * have succeeded. An operation whose call may be under way keeps its deadline.
 */
export function retry(subscription: Subscription, now: Instant): Subscription {
  const { attention, backoff, operation, parked, ...rest } = subscription;
  return {
    ...rest,
    ...(operation && { operation: observedSoon(operation, now) }),
    ...(parked && { parked: parked.map((one) => observedSoon(one, now)) }),
  };
}

function observedSoon(operation: Operation, now: Instant): Operation {
  const { state, due = now, observations } = operation;
  if (state === "finished" || state === "claimed") return operation;
  const last = state === "unknown" ? observations.at(-1)?.at : undefined;
  const soonest = last ? later(now, instantPlus(last, { seconds: minSecondsBetweenObservations })) : now;
  return { ...operation, due: due < soonest ? due : soonest };
}

/** A license at billmgr with its state. If it was bought by other means, it may differ from the order. */
export type FoundLicense = { elid: string; addons: Record<string, number>; suspended: boolean; imported?: true };

/** Applies a repair to the oldest open operation, which may be parked, or to the subscription if none is open. */
function onOpen(subscription: Subscription, repair: (focused: Subscription) => Repaired): Repaired {
  const [oldest] = openOperations(subscription);
  if (!oldest) return repair(subscription);
  let finished: Operation[] = [];
  const repaired = onOperation(subscription, oldest.n, (focused) => {
    const result = repair(focused);
    finished = result.finished;
    return result.subscription;
  });
  return { subscription: repaired, finished };
}

/**
 * Assigns the license to the open order, or to the order that would be made next. The order is unconfirmed until a read
 * shows the license. @throws PreconditionFailed
 */
export const adopt = (subscription: Subscription, found: FoundLicense, catalog: Catalog, now: Instant): Repaired =>
  onOpen(subscription, (focused) => {
    const { elid, addons, suspended, imported } = found;
    const { operation, order } = orderToFill(focused, catalog, now);
    const adopted = { suspended, addons, ...(suspended && { suspendedAt: now }), ...(imported && { imported }) };
    const begun: Subscription = {
      ...retry(focused, now),
      slots: withSlotOf(focused.slots, order),
      operation: { ...resolvedAs(operation, `adopt ${elid}`, now), elid, adopted },
      operationCount: Math.max(focused.operationCount, operation.n),
    };
    return { subscription: scheduleObservation(begun, "unconfirmed", now), finished: [] };
  });

/**
 * Folds all of the storefront's events again and keeps the state at billmgr. A reparsed event cannot be folded onto the
 * old result: both facts have the same time, so a register might keep the old one.
 */
export function refold(subscription: Subscription, events: readonly Event[]): Subscription {
  const { storefront, id, slots, operation, operationCount, parked, attention, backoff, exchanges } = subscription;
  const done = {
    slots,
    operationCount,
    ...(operation && { operation }),
    ...(parked && { parked }),
    ...(attention && { attention }),
    ...(backoff && { backoff }),
    ...(exchanges && { exchanges }),
  };
  return events.reduce(fold, { ...newSubscription(storefront, id), ...done });
}

/** The order for an adopted license: the open one, or the one that would be made next. @throws PreconditionFailed */
export function orderToFill(
  subscription: Subscription,
  catalog: Catalog,
  now: Instant,
): { operation: Operation; order: Change & { kind: "order" } } {
  const [open] = openOperations(subscription);
  if (open) {
    const operation = refuseUnderWay(open, now);
    const { change } = operation;
    if (change.kind === "order" && (operation.elid === undefined || isConflicting(operation))) {
      return { operation, order: change };
    }
    throw new PreconditionFailed(`${nameOf(operation)} is still open, and no license is missing for it`);
  }
  const decision = decide(retry(subscription, now), catalog, now);
  if (decision.kind === "change" && decision.change.kind === "order") {
    const { change: order, why } = decision;
    return { operation: begin(subscription, { change: order, why, before: {} }, now), order };
  }
  const reasons = decision.attention.map(formatReason).join(" ");
  throw new PreconditionFailed(`no order is open, and none is wanted now${reasons && `: ${reasons}`}`);
}

/** Ends the open purchase, which never happened. It may be made again. @throws PreconditionFailed */
export const neverBought = (subscription: Subscription, now: Instant): Repaired =>
  onOpen(subscription, (focused) => {
    const operation = openOperation(focused, now);
    const { change, elid } = operation;
    if (!isPurchase(change)) {
      throw new PreconditionFailed(`${nameOf(operation)} buys nothing: retry it, or resolve it as done`);
    }
    if (change.kind === "order" && elid !== undefined && !isConflicting(operation)) {
      throw new PreconditionFailed(
        `billmgr named license ${elid} for ${nameOf(operation)}: if that is gone, resolve it as gone`,
      );
    }
    return ended(focused, "gave_up", "never bought", now);
  });

/** Whether the last observation showed that billmgr named a wrong license for the order. */
const isConflicting = ({ change, observations }: Operation): boolean =>
  change.kind === "order" && observations.at(-1)?.verdict === "conflicting";

/**
 * Ends the open operation as done. `seen` is the state that its license shows now. @throws PreconditionFailed, also for
 * a prolong whose expiry has not moved, because that would be bought again immediately
 */
export const markDone = (subscription: Subscription, seen: { expiry?: Day }, now: Instant): Repaired =>
  onOpen(subscription, (focused) => {
    const operation = openOperation(focused, now);
    const { change, before, elid } = operation;
    if (change.kind === "order" && elid === undefined) {
      throw new PreconditionFailed(`${nameOf(operation)} has no license yet: find out which one it is, and adopt it`);
    }
    const was = before.expiry ?? slotOf(focused, operation)?.license?.expiry ?? "";
    if (change.kind === "prolong" && !(seen.expiry !== undefined && seen.expiry > was)) {
      const shown = seen.expiry ? `until ${seen.expiry}, as before` : "without an expiry";
      throw new PreconditionFailed(
        `billmgr shows license ${change.elid} ${shown}: as done, it would be bought again immediately`,
      );
    }
    return ended(focused, "done", "done", now, seen);
  });

/** Empties the slot of a license that no longer exists at billmgr, in a new generation. @throws PreconditionFailed */
export const markGone = (subscription: Subscription, elid: string, evidence: string, now: Instant): Repaired =>
  onOpen(subscription, (focused) => {
    const open = isOpen(focused.operation) ? openOperation(focused, now) : undefined;
    const isOrdered = open?.change.kind === "order" && open.elid === elid;
    const slot = focused.slots.find(
      ({ n, license }) => license?.elid === elid || (isOrdered && n === open.change.slot),
    );
    const family = slot?.license?.family ?? (open?.change.kind === "order" ? open.change.family : undefined);
    if (!slot || family === undefined) {
      throw new PreconditionFailed(`the subscription has no license ${elid}${licensesOf(focused)}`);
    }
    if (open && open.change.slot !== slot.n) {
      throw new PreconditionFailed(`${nameOf(open)} is still open: resolve it first`);
    }
    const given = open ? ended(focused, "gave_up", "gone", now) : { subscription: focused, finished: [] };
    const held = given.subscription.slots.map((one) =>
      one.n === slot.n && !one.license
        ? { ...one, license: { elid, family, trial: false, suspended: false, addons: {} } }
        : one,
    );
    const change = { kind: "delete" as const, slot: slot.n, elid, family };
    const intent = { change, why: "an operator found it deleted", before: { evidence } };
    const begun = claim({ ...given.subscription, slots: held }, intent, { now, deadline: now });
    const emptied = resolved(alreadyDone(begun, now), "gone", now);
    return { subscription: retry(emptied.subscription, now), finished: [...given.finished, ...emptied.finished] };
  });

export type RepairName = "retry" | "adopt" | "never-bought" | "done" | "gone";

/** The repairs that are possible now. Only an operator can decide which one is right. */
export function repairsFor(subscription: Subscription, catalog: Catalog, now: Instant): RepairName[] {
  const [open] = openOperations(subscription);
  const applies = (repair: () => unknown): boolean => {
    try {
      repair();
      return true;
    } catch (error) {
      if (error instanceof PreconditionFailed) return false;
      throw error;
    }
  };
  const held = subscription.slots.find(({ n, license }) => license && (!open || n === open.change.slot))?.license?.elid;
  const elid = (open?.change.kind === "order" ? open.elid : undefined) ?? held ?? "";
  return (
    [
      ["retry", true],
      ["adopt", applies(() => orderToFill(subscription, catalog, now))],
      ["never-bought", applies(() => neverBought(subscription, now))],
      ["done", applies(() => markDone(subscription, { expiry: "9999-12-31" }, now))],
      ["gone", applies(() => markGone(subscription, elid, "", now))],
    ] as const
  ).flatMap(([name, yes]) => (yes ? [name] : []));
}

function openOperation({ operation }: Subscription, now: Instant): Operation {
  if (!isOpen(operation)) throw new PreconditionFailed("no operation is open: there is nothing to resolve");
  return refuseUnderWay(operation, now);
}

function refuseUnderWay(operation: Operation, now: Instant): Operation {
  if (operation.state === "claimed" && operation.due !== undefined && operation.due > now) {
    throw new PreconditionFailed(`${nameOf(operation)} may be under way: wait until ${operation.due}`);
  }
  return operation;
}

function ended(
  subscription: Subscription,
  outcome: "done" | "gave_up",
  as: string,
  now: Instant,
  seen: { expiry?: Day } = {},
): Repaired {
  const { subscription: over, finished } = resolved(finish(subscription, outcome, now, seen), as, now);
  return { subscription: retry(over, now), finished };
}

function resolved(subscription: Subscription, as: string, now: Instant): Repaired {
  const { operation } = subscription;
  if (!operation) return { subscription, finished: [] };
  const marked = resolvedAs(operation, as, now);
  return { subscription: { ...subscription, operation: marked }, finished: [marked] };
}

const resolvedAs = (operation: Operation, as: string, at: Instant): Operation => ({
  ...operation,
  resolved: { as, at },
});

const slotOf = ({ slots }: Subscription, { change }: Operation): Slot | undefined =>
  slots.find(({ n }) => n === change.slot);

const nameOf = ({ n, change }: Operation): string => `operation ${n}, ${describe(change)},`;

function licensesOf({ slots }: Subscription): string {
  const held = slots.flatMap(({ license }) => (license ? [license.elid] : []));
  return held.length > 0 ? `: it has ${held.join(", ")}` : ": it has none";
}

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);
