import { isSuspended, type SeenLicense } from "../../shared/billmgr/license.ts";
import { compareToTarget } from "../../shared/billmgr/readback.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import type { Key } from "../../shared/intake/message.ts";
import { openOperations } from "../../shared/licensing/attention.ts";
import { referenceOf } from "../../shared/licensing/operation.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import * as repair from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";
import { keyNamed, nameOf, nowOf, type OperatorDependencies } from "./dependencies.ts";
import { rewrite } from "./rewrite.ts";

/** Clears attention and backoff, and wakes the subscription. Always safe. @throws PreconditionFailed */
export async function retry(name: string, deps: OperatorDependencies): Promise<Repaired> {
  return rewrite(keyNamed("subscription", name), deps, (subscription) => ({
    subscription: repair.retry(subscription, nowOf(deps)),
    finished: [],
  }));
}

/** An operator's finding about the open operation of a subscription, or about its license `elid`. */
export type Resolution = ({ as: "adopt" | "gone"; elid: string } | { as: "never-bought" | "done" }) & {
  /** The number of the latest operation that the operator saw, 0 for none. If it differs now, the resolution is refused. */
  operation?: number;
};

/** The number of its latest operation, 0 for none. */
export const latestOf = ({ operationCount }: Subscription): number => operationCount;

/**
 * Resolves what the system cannot find out itself. The resolution is verified wherever billmgr shows evidence. @throws
 * PreconditionFailed if it contradicts the evidence, ReadError if billmgr cannot be read; nothing is changed then
 */
export async function resolve(name: string, resolution: Resolution, deps: OperatorDependencies): Promise<Repaired> {
  const key = keyNamed("subscription", name);
  if ("elid" in resolution && !/^\d+$/.test(resolution.elid)) {
    throw new PreconditionFailed(`elid: found "${resolution.elid}", expected a license number`);
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

/** @throws PreconditionFailed if another operation was started since the operator looked */
export function refuseStale(name: string, { operation }: Pick<Resolution, "operation">, now: Subscription): void {
  if (operation === undefined || operation === latestOf(now)) return;
  throw new PreconditionFailed(
    `${name} is at operation ${latestOf(now)} now, and this resolution is for ${operation || "none"}; look again`,
  );
}

/** Reads the license of the open operation. @throws PreconditionFailed if it shows that the operation is not done */
async function readDone(
  subscription: Subscription,
  { billmgr }: Pick<OperatorDependencies, "billmgr">,
): Promise<{ expiry?: Day }> {
  const [operation] = openOperations(subscription);
  if (!operation) return {};
  const { change, before } = operation;
  const elid = change.kind === "order" ? operation.elid : change.elid;
  if (elid === undefined) return {};
  const seen = await billmgr.license(change.family, elid);
  if (!seen && change.kind === "delete") return {};
  if (!seen) throw new PreconditionFailed(`billmgr has no license ${elid}`);
  if (change.kind === "order") {
    expectReference(seen, referenceOf(subscription, { n: change.slot, generation: change.generation }));
    expectPricelist(seen, change);
  }
  const { verdict, evidence } = compareToTarget(change, { ...before, answeredOk: true }, seen);
  if (verdict !== "achieved") throw new PreconditionFailed(`${evidence}, so it is not done`);
  return seen.expiry === undefined ? {} : { expiry: seen.expiry };
}

/** A license of another product is not the one that was ordered. @throws PreconditionFailed */
function expectPricelist({ elid, pricelist }: SeenLicense, order: { product: string; pricelist: number }): void {
  if (pricelist === undefined || !/^\d+$/.test(pricelist) || pricelist === String(order.pricelist)) return;
  throw new PreconditionFailed(
    `license ${elid} is of the pricelist ${pricelist}, and ${order.product} has ${order.pricelist}`,
  );
}

/** @throws PreconditionFailed if the license has another reference or comment */
function expectReference({ elid, comment, remoteid }: SeenLicense, reference: string): void {
  const other = comment || remoteid;
  if (!other || comment === reference || remoteid === reference) return;
  throw new PreconditionFailed(
    `license ${elid} has the comment "${other.slice(0, 60)}" instead of ${reference}; write the reference into its comment in billmgr first`,
  );
}

async function readGone(
  subscription: Subscription,
  elid: string,
  { billmgr }: Pick<OperatorDependencies, "billmgr">,
): Promise<string> {
  const license = subscription.slots.find((slot) => slot.license?.elid === elid)?.license;
  const ordered = openOperations(subscription).find((one) => one.elid === elid)?.change;
  const family = license?.family ?? ordered?.family;
  if (family === undefined) return "";
  const seen = await billmgr.license(family, elid);
  if (!seen) return `billmgr has no license ${elid}`;
  if (seen.status === "deleted") return `license ${elid} is deleted`;
  throw new PreconditionFailed(`billmgr shows license ${elid} as ${seen.status ?? "existing"}, so it is not gone`);
}

/** Refuses a license that does not exist, is assigned elsewhere, or has another reference. */
async function readAdoptable(
  key: Key,
  subscription: Subscription,
  elid: string,
  deps: OperatorDependencies,
): Promise<repair.FoundLicense> {
  const { order } = repair.orderToFill(subscription, deps.catalog, nowOf(deps));
  const seen = await deps.billmgr.license(order.family, elid);
  if (!seen) throw new PreconditionFailed(`billmgr has no license ${elid} of ${order.family}`);
  const reference = referenceOf(subscription, { n: order.slot, generation: order.generation });
  const { verdict, evidence } = compareToTarget(order, { answeredOk: true }, seen);
  if (verdict === "conflicting") throw new PreconditionFailed(evidence);
  expectReference(seen, reference);
  expectPricelist(seen, order);
  const holder = await holderOf(elid, deps);
  if (holder)
    throw new PreconditionFailed(
      `license ${elid} is already assigned to ${holder === key ? "this subscription" : nameOf(holder)}`,
    );
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
