import { isSuspended, type SeenLicense } from "../../shared/billmgr/license.ts";
import { compareToTarget } from "../../shared/billmgr/readback.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import type { Key } from "../../shared/intake/message.ts";
import { isOpen, referenceOf } from "../../shared/licensing/operation.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import * as repair from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";
import { keyNamed, nameOf, nowOf, type OperatorDependencies } from "./dependencies.ts";
import { rewrite } from "./rewrite.ts";

/** Clears attention and pause, and wakes it. Always safe. @throws Unfit */
export async function retry(name: string, deps: OperatorDependencies): Promise<Repaired> {
  return rewrite(keyNamed("subscription", name), deps, (subscription) => ({
    subscription: repair.retry(subscription, nowOf(deps)),
    finished: [],
  }));
}

/** What a person found out about a subscription's open operation, or about its license `elid`. */
export type Resolution = ({ as: "adopt" | "gone"; elid: string } | { as: "never-bought" | "done" }) & {
  /** The number of the operation that the person saw last, 0 for none: of another one nothing is believed. */
  operation?: number;
};

/** The number of its latest operation, 0 for none. */
export const latestOf = ({ operation }: Subscription): number => operation?.n ?? 0;

/**
 * Settles what the system cannot. What a person says is checked by reading wherever billmgr can tell.
 * @throws Unfit where it does not fit, ReadError where billmgr could not be read; nothing is changed then
 */
export async function resolve(name: string, resolution: Resolution, deps: OperatorDependencies): Promise<Repaired> {
  const key = keyNamed("subscription", name);
  if ("elid" in resolution && !/^\d+$/.test(resolution.elid)) {
    throw new PreconditionFailed(`"${resolution.elid}" is no license of billmgr's: expected its number`);
  }
  return rewrite(key, deps, async (subscription) => {
    const now = nowOf(deps);
    refuseStale(name, resolution, subscription);
    switch (resolution.as) {
      case "never-bought":
        return repair.neverBought(subscription, now);
      case "done":
        return repair.markDone(subscription, await readDone(subscription, deps), now);
      case "gone":
        return repair.markGone(subscription, resolution.elid, await readGone(subscription, resolution.elid, deps), now);
      case "adopt":
        return repair.adopt(
          subscription,
          await readAdoptable(key, subscription, resolution.elid, deps),
          deps.catalog,
          now,
        );
    }
  });
}

/** @throws Unfit where something else was begun or found out since the person looked */
export function refuseStale(name: string, { operation }: Pick<Resolution, "operation">, now: Subscription): void {
  if (operation === undefined || operation === latestOf(now)) return;
  throw new PreconditionFailed(
    `${name} is at operation ${latestOf(now)} by now, and this was said of ${operation || "none"}: look again`,
  );
}

/** What billmgr shows of the open operation, as far as it tells: what it shows undone is not done. */
async function readDone(
  subscription: Subscription,
  { billmgr }: Pick<OperatorDependencies, "billmgr">,
): Promise<{ expiry?: Day }> {
  const { operation, slots } = subscription;
  const slot = slots.find(({ n }) => n === operation?.change.slot);
  if (!isOpen(operation) || !slot?.license) return {};
  const { change, before } = operation;
  const { family, elid } = slot.license;
  const seen = await billmgr.license(family, elid);
  if (!seen && change.kind === "delete") return {};
  if (!seen) throw new PreconditionFailed(`billmgr knows no license ${elid}`);
  if (change.kind === "order") expectReference(seen, referenceOf(subscription, slot));
  const { verdict, evidence } = compareToTarget(change, { ...before, answeredOk: true }, seen);
  if (verdict === "absent" || verdict === "conflicting") throw new PreconditionFailed(`${evidence}: it is not done`);
  return seen.expiry === undefined ? {} : { expiry: seen.expiry };
}

/** @throws Unfit where the license carries a reference, and not this one */
function expectReference({ elid, comment, remoteid }: SeenLicense, reference: string): void {
  const other = comment || remoteid;
  if (!other || comment === reference || remoteid === reference) return;
  throw new PreconditionFailed(
    `license ${elid} carries "${other.slice(0, 60)}" instead of ${reference}: give it that comment in billmgr`,
  );
}

async function readGone(
  { slots }: Subscription,
  elid: string,
  { billmgr }: Pick<OperatorDependencies, "billmgr">,
): Promise<string> {
  const license = slots.find((slot) => slot.license?.elid === elid)?.license;
  if (!license) return "";
  const seen = await billmgr.license(license.family, elid);
  if (!seen) return `billmgr knows no license ${elid}`;
  if (seen.status === "deleted") return `license ${elid} is deleted`;
  throw new PreconditionFailed(`billmgr shows license ${elid} as ${seen.status ?? "there"}: it is not gone`);
}

/** A license that is not there, is another subscription's or carries another reference is not the one that was ordered. */
async function readAdoptable(
  key: Key,
  subscription: Subscription,
  elid: string,
  deps: OperatorDependencies,
): Promise<repair.FoundLicense> {
  const { order } = repair.orderToFill(subscription, deps.catalog, nowOf(deps));
  const seen = await deps.billmgr.license(order.family, elid);
  if (!seen) throw new PreconditionFailed(`billmgr knows no license ${elid} of ${order.family}`);
  const reference = referenceOf(subscription, { n: order.slot, generation: order.generation });
  const { verdict, evidence } = compareToTarget(order, { answeredOk: true }, seen);
  if (verdict === "conflicting") throw new PreconditionFailed(evidence);
  expectReference(seen, reference);
  const holder = await holderOf(elid, deps);
  if (holder)
    throw new PreconditionFailed(`license ${elid} is held by ${holder === key ? "it already" : nameOf(holder)}`);
  const isMarked = seen.comment === reference || seen.remoteid === reference;
  return { elid, addons: seen.addons, suspended: isSuspended(seen), ...(!isMarked && { imported: true }) };
}

async function holderOf(elid: string, { table }: Pick<OperatorDependencies, "table">): Promise<Key | undefined> {
  let page: Awaited<ReturnType<OperatorDependencies["table"]["subscriptions"]>> | undefined;
  do {
    page = await table.subscriptions(page?.next);
    const holder = page.found.find(({ subscription }) =>
      subscription.slots.some(({ license }) => license?.elid === elid),
    );
    if (holder) return holder.key;
  } while (page.next);
  return undefined;
}
