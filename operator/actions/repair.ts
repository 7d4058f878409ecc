import { isSuspended, type SeenLicense } from "../../shared/billmgr/license.ts";
import { judge } from "../../shared/billmgr/readback.ts";
import type { Key } from "../../shared/intake/message.ts";
import { isOpen, referenceOf } from "../../shared/licensing/operation.ts";
import * as repair from "../../shared/licensing/repair.ts";
import { type Repaired, Unfit } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";
import { keyNamed, nameOf, nowOf, type World } from "./dependencies.ts";
import { rewrite } from "./rewrite.ts";

/** Clears attention and pause, and wakes it. Always safe. @throws Unfit */
export async function retry(name: string, world: World): Promise<Repaired> {
  return rewrite(keyNamed("subscription", name), world, (subscription) => ({
    subscription: repair.retry(subscription, nowOf(world)),
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
export async function resolve(name: string, resolution: Resolution, world: World): Promise<Repaired> {
  const key = keyNamed("subscription", name);
  if ("elid" in resolution && !/^\d+$/.test(resolution.elid)) {
    throw new Unfit(`"${resolution.elid}" is no license of billmgr's: expected its number`);
  }
  return rewrite(key, world, async (subscription) => {
    const now = nowOf(world);
    refuseStale(name, resolution, subscription);
    switch (resolution.as) {
      case "never-bought":
        return repair.neverBought(subscription, now);
      case "done":
        return repair.done(subscription, await readDone(subscription, world), now);
      case "gone":
        return repair.gone(subscription, resolution.elid, await readGone(subscription, resolution.elid, world), now);
      case "adopt":
        return repair.adopt(
          subscription,
          await readAdoptable(key, subscription, resolution.elid, world),
          world.catalog,
          now,
        );
    }
  });
}

/** @throws Unfit where something else was begun or found out since the person looked */
export function refuseStale(name: string, { operation }: Pick<Resolution, "operation">, now: Subscription): void {
  if (operation === undefined || operation === latestOf(now)) return;
  throw new Unfit(
    `${name} is at operation ${latestOf(now)} by now, and this was said of ${operation || "none"}: look again`,
  );
}

/** What billmgr shows of the open operation, as far as it tells: what it shows undone is not done. */
async function readDone(subscription: Subscription, { billmgr }: Pick<World, "billmgr">): Promise<{ expiry?: Day }> {
  const { operation, slots } = subscription;
  const slot = slots.find(({ n }) => n === operation?.change.slot);
  if (!isOpen(operation) || !slot?.license) return {};
  const { change, before } = operation;
  const { family, elid } = slot.license;
  const seen = await billmgr.license(family, elid);
  if (!seen && change.kind === "delete") return {};
  if (!seen) throw new Unfit(`billmgr knows no license ${elid}`);
  if (change.kind === "order") expectReference(seen, referenceOf(subscription, slot));
  const { verdict, saw } = judge(change, { ...before, answeredOk: true }, seen);
  if (verdict === "absent" || verdict === "contrary") throw new Unfit(`${saw}: it is not done`);
  return seen.expiry === undefined ? {} : { expiry: seen.expiry };
}

/** @throws Unfit where the license carries a reference, and not this one */
function expectReference({ elid, comment, remoteid }: SeenLicense, reference: string): void {
  const other = comment || remoteid;
  if (!other || comment === reference || remoteid === reference) return;
  throw new Unfit(
    `license ${elid} carries "${other.slice(0, 60)}" instead of ${reference}: give it that comment in billmgr`,
  );
}

async function readGone({ slots }: Subscription, elid: string, { billmgr }: Pick<World, "billmgr">): Promise<string> {
  const license = slots.find((slot) => slot.license?.elid === elid)?.license;
  if (!license) return "";
  const seen = await billmgr.license(license.family, elid);
  if (!seen) return `billmgr knows no license ${elid}`;
  if (seen.status === "deleted") return `license ${elid} is deleted`;
  throw new Unfit(`billmgr shows license ${elid} as ${seen.status ?? "there"}: it is not gone`);
}

/** A license that is not there, is another subscription's or carries another reference is not the one that was ordered. */
async function readAdoptable(key: Key, subscription: Subscription, elid: string, world: World): Promise<repair.Found> {
  const { order } = repair.orderToFill(subscription, world.catalog, nowOf(world));
  const seen = await world.billmgr.license(order.family, elid);
  if (!seen) throw new Unfit(`billmgr knows no license ${elid} of ${order.family}`);
  const reference = referenceOf(subscription, { n: order.slot, generation: order.generation });
  const { verdict, saw } = judge(order, { answeredOk: true }, seen);
  if (verdict === "contrary") throw new Unfit(saw);
  expectReference(seen, reference);
  const holder = await holderOf(elid, world);
  if (holder) throw new Unfit(`license ${elid} is held by ${holder === key ? "it already" : nameOf(holder)}`);
  const isMarked = seen.comment === reference || seen.remoteid === reference;
  return { elid, addons: seen.addons, suspended: isSuspended(seen), ...(!isMarked && { imported: true }) };
}

async function holderOf(elid: string, { table }: Pick<World, "table">): Promise<Key | undefined> {
  let page: Awaited<ReturnType<World["table"]["subscriptions"]>> | undefined;
  do {
    page = await table.subscriptions(page?.next);
    const holder = page.found.find(({ subscription }) =>
      subscription.slots.some(({ license }) => license?.elid === elid),
    );
    if (holder) return holder.key;
  } while (page.next);
  return undefined;
}
