import { PreconditionFailed } from "../errors.ts";
import type { Catalog } from "./catalog.ts";
import { decide } from "./decide.ts";
import type { Event } from "./event.ts";
import { fold } from "./fold.ts";
import { type Change, describe, isOpen, isPurchase, type Operation } from "./operation.ts";
import { alreadyDone, begin, finish, scheduleObservation, withLicense, withSlotOf } from "./operation-lifecycle.ts";
import { newSubscription, type Slot, type Subscription } from "./subscription.ts";
import { type Day, type Instant, instantPlus } from "./time.ts";

/** `finished` is what the log has to hold of it, in order. */
export type Repaired = { subscription: Subscription; finished: Operation[] };

/** Readings that could prove an absence stay so far apart, however often a person asks for one. */
const minSecondsBetweenObservations = 60;

/**
 * Nothing holds it up any more, and an open operation is looked at now. It never calls what is not known to have failed:
 * a call that may be on its way is left alone until its deadline.
 */
export function retry(subscription: Subscription, now: Instant): Subscription {
  const { attention, backoff, operation, ...rest } = subscription;
  if (!operation) return rest;
  const { state, due = now, observations } = operation;
  if (state === "finished" || state === "claimed") return { ...rest, operation };
  const last = state === "unknown" ? observations.at(-1)?.at : undefined;
  const soonest = last ? later(now, instantPlus(last, { seconds: minSecondsBetweenObservations })) : now;
  return { ...rest, operation: { ...operation, due: due < soonest ? due : soonest } };
}

/** A license at billmgr, with what it shows: one that was bought by other means may be otherwise than what is ordered. */
export type FoundLicense = { elid: string; addons: Record<string, number>; suspended: boolean; imported?: true };

/**
 * The license is the one of the order that is unknown, or of the order that would come next. It is unconfirmed until a
 * reading shows it. @throws Unfit
 */
export function adopt(subscription: Subscription, found: FoundLicense, catalog: Catalog, now: Instant): Repaired {
  const { elid, addons, suspended, imported } = found;
  const { operation, order } = orderToFill(subscription, catalog, now);
  const slots = withSlotOf(subscription.slots, order);
  const begun = { ...retry(subscription, now), slots, operation: resolvedAs(operation, `adopt ${elid}`, now) };
  const adopted = scheduleObservation(withLicense(begun, elid), "unconfirmed", now);
  const asFound = (slot: Slot): Slot =>
    slot.license && slot.n === order.slot
      ? {
          ...slot,
          license: {
            ...slot.license,
            suspended,
            ...(suspended && { suspendedAt: now }),
            ...(imported && { imported }),
            addons: { ...slot.license.addons, ...addons },
          },
        }
      : slot;
  return { subscription: { ...adopted, slots: adopted.slots.map(asFound) }, finished: [] };
}

/**
 * What the storefront told, folded anew from all of its events. An event that is read otherwise than before cannot be
 * folded onto what it gave then: of two readings from one moment the register may keep the old one.
 */
export function refold(subscription: Subscription, events: readonly Event[]): Subscription {
  const { storefront, id, slots, operation, attention, backoff } = subscription;
  const done = {
    slots,
    ...(operation && { operation }),
    ...(attention && { attention }),
    ...(backoff && { backoff }),
  };
  return events.reduce(fold, { ...newSubscription(storefront, id), ...done });
}

/** The order that waits for a license: the open one, or a new one in the place of the call that would come next. */
export function orderToFill(
  subscription: Subscription,
  catalog: Catalog,
  now: Instant,
): { operation: Operation; order: Change & { kind: "order" } } {
  if (isOpen(subscription.operation)) {
    const operation = openOperation(subscription, now);
    const { change } = operation;
    const { license } = slotOf(subscription, operation) ?? {};
    if (change.kind === "order" && (!license || isWronglyTold(operation))) return { operation, order: change };
    throw new PreconditionFailed(`${nameOf(operation)} is still open, and it waits for no license`);
  }
  const decision = decide(retry(subscription, now), catalog, now);
  if (decision.kind === "change" && decision.change.kind === "order") {
    const { change: order, why } = decision;
    return { operation: begin(subscription, { change: order, why, before: {} }, now), order };
  }
  const reason = decision.kind === "attention" ? `: ${decision.reason}` : "";
  throw new PreconditionFailed(`no order is open, and none is wanted now${reason}`);
}

/** The open purchase never happened: it ends, and may be made again. @throws Unfit */
export function neverBought(subscription: Subscription, now: Instant): Repaired {
  const operation = openOperation(subscription, now);
  const { change } = operation;
  if (!isPurchase(change))
    throw new PreconditionFailed(`${nameOf(operation)} buys nothing: retry it, or resolve it as done`);
  const { license } = slotOf(subscription, operation) ?? {};
  if (change.kind === "order" && license && !isWronglyTold(operation)) {
    throw new PreconditionFailed(
      `billmgr told license ${license.elid} for ${nameOf(operation)}: if that is gone, resolve it as gone`,
    );
  }
  return ended({ ...subscription, slots: withSlotOf(subscription.slots, change) }, "gave_up", "never bought", now);
}

/** The license that billmgr told for an order is another one, as the last look showed. */
const isWronglyTold = ({ change, observations }: Operation): boolean =>
  change.kind === "order" && observations.at(-1)?.verdict === "conflicting";

/**
 * The open operation is done. `seen` is what a reading of its license shows now. @throws Unfit, also for a prolong whose
 * expiry has not moved, because that would be bought again at once
 */
export function markDone(subscription: Subscription, seen: { expiry?: Day }, now: Instant): Repaired {
  const operation = openOperation(subscription, now);
  const { change, before } = operation;
  const { license } = slotOf(subscription, operation) ?? {};
  if (change.kind === "order" && !license) {
    throw new PreconditionFailed(`${nameOf(operation)} has no license yet: say which one it is, and adopt that`);
  }
  const was = before.expiry ?? license?.expiry ?? "";
  if (change.kind === "prolong" && !(seen.expiry !== undefined && seen.expiry > was)) {
    const shown = seen.expiry ? `until ${seen.expiry}, as before` : "without an expiry";
    throw new PreconditionFailed(
      `billmgr shows license ${change.elid} ${shown}: done, it would be bought again at once`,
    );
  }
  return ended(subscription, "done", "done", now, seen);
}

/** License `elid` is no more at billmgr, as `saw` tells: its slot is empty, in a new generation. @throws Unfit */
export function markGone(subscription: Subscription, elid: string, evidence: string, now: Instant): Repaired {
  const slot = subscription.slots.find(({ license }) => license?.elid === elid);
  if (!slot?.license) throw new PreconditionFailed(`it holds no license ${elid}${heldBy(subscription)}`);
  const open = isOpen(subscription.operation) ? openOperation(subscription, now) : undefined;
  if (open && open.change.slot !== slot.n)
    throw new PreconditionFailed(`${nameOf(open)} is still open: settle that first`);
  const given = open ? ended(subscription, "gave_up", "gone", now) : { subscription, finished: [] };
  const { family } = slot.license;
  const change = { kind: "delete" as const, slot: slot.n, elid, family };
  const intent = { change, why: "an operator found it deleted", before: { evidence } };
  const emptied = resolved(
    alreadyDone({ ...given.subscription, operation: begin(given.subscription, intent, now) }, now),
    "gone",
    now,
  );
  return { subscription: retry(emptied.subscription, now), finished: [...given.finished, ...emptied.finished] };
}

export type RepairName = "retry" | "adopt" | "never-bought" | "done" | "gone";

/** The repairs that fit what is known now; whether one is right only a person knows. */
export function repairsFor(subscription: Subscription, catalog: Catalog, now: Instant): RepairName[] {
  const { slots, operation } = subscription;
  const fits = (repair: () => unknown): boolean => {
    try {
      repair();
      return true;
    } catch (error) {
      if (error instanceof PreconditionFailed) return false;
      throw error;
    }
  };
  const elid = slots.find(({ license }) => license)?.license?.elid ?? "";
  return (
    [
      ["retry", true],
      ["adopt", fits(() => orderToFill(subscription, catalog, now))],
      ["never-bought", fits(() => neverBought(subscription, now))],
      ["done", fits(() => markDone(subscription, { expiry: "9999-12-31" }, now))],
      ["gone", fits(() => markGone(subscription, isOpen(operation) ? elidOf(subscription, operation) : elid, "", now))],
    ] as const
  ).flatMap(([name, yes]) => (yes ? [name] : []));
}

const elidOf = (subscription: Subscription, operation: Operation): string =>
  slotOf(subscription, operation)?.license?.elid ?? "";

function openOperation(subscription: Subscription, now: Instant): Operation {
  const { operation } = subscription;
  if (!isOpen(operation)) throw new PreconditionFailed("no operation is open: there is nothing to resolve");
  if (operation.state === "claimed" && operation.due !== undefined && operation.due > now) {
    throw new PreconditionFailed(`${nameOf(operation)} may be on its way: wait until ${operation.due}`);
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
  const told = resolvedAs(operation, as, now);
  return { subscription: { ...subscription, operation: told }, finished: [told] };
}

const resolvedAs = (operation: Operation, as: string, at: Instant): Operation => ({
  ...operation,
  resolved: { as, at },
});

const slotOf = ({ slots }: Subscription, { change }: Operation): Slot | undefined =>
  slots.find(({ n }) => n === change.slot);

const nameOf = ({ n, change }: Operation): string => `operation ${n}, ${describe(change)},`;

function heldBy({ slots }: Subscription): string {
  const held = slots.flatMap(({ license }) => (license ? [license.elid] : []));
  return held.length > 0 ? `: it holds ${held.join(", ")}` : ", nor any other";
}

const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);
