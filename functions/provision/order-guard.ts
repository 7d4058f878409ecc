import type { Billmgr, Listing } from "../../shared/billmgr/billmgr.ts";
import { isSuspended, type SeenLicense } from "../../shared/billmgr/license.ts";
import { openOperations } from "../../shared/licensing/attention.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import {
  type Change,
  haveSameOwner,
  isReference,
  type Operation,
  referenceOf,
  slotOfReference,
} from "../../shared/licensing/operation.ts";
import type { Reason } from "../../shared/licensing/reasons.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";

export type Order = Change & { kind: "order" };

/** A license that was ordered for this subscription before, and that the table does not contain. */
export type Match = { change: Order; elid: string; adopted: NonNullable<Operation["adopted"]> };

export type Guarded =
  /** No such license exists. `lastElid` is the highest license number before the order. */
  | { kind: "absent"; lastElid?: string }
  | { kind: "match"; match: Match }
  /** The list is not reliable now. */
  | { kind: "wait"; why: string }
  | { kind: "attention"; reason: Reason };

/** The maximum number of forms to read if the list shows no references. */
const maxForms = 50;

/**
 * Searches billmgr for the license before it is ordered. So nothing is bought twice if the table was lost, restored to
 * an earlier moment, or replaced: the table is never the only proof. @throws ReadError
 */
export async function guardOrder(
  change: Order,
  subscription: Subscription,
  listing: Listing,
  { billmgr, catalog }: { billmgr: Pick<Billmgr, "license">; catalog: Catalog },
): Promise<Guarded> {
  const { rows, incomplete } = listing;
  const isStrict = catalog.policy.orderGuard === "strict";
  const alive = rows.filter(isAlive);
  const isOurs = ownedBy(subscription);
  for (const listed of candidates(alive, isOurs, change)) {
    const matched = await matchAt(listed, change, subscription, billmgr);
    if (matched.kind !== "absent") return matched;
  }

  const absent: Guarded = { kind: "absent", ...(!incomplete && { lastElid: highest(rows) }) };
  if (!isStrict) return absent;
  if (incomplete) return { kind: "wait", why: `${incomplete}, so it is not known whether the order was made before` };
  const showsReferences = rows.some(({ comment, remoteid }) => comment || remoteid);
  if (showsReferences || rows.length === 0) return absent;

  if (alive.length > maxForms) {
    const why = `the list of ${alive.length} licenses shows no references`;
    return { kind: "attention", reason: { code: "order_not_guarded", why, change } };
  }
  let shown = alive.length === 0;
  for (const { elid } of alive) {
    const form = await billmgr.license(change.family, elid);
    if (!form) continue;
    if (form.comment !== undefined || form.remoteid !== undefined) shown = true;
    const matched = isAlive(form) && isOurs(form) ? matchOf(form, change, subscription) : undefined;
    if (matched && matched.kind !== "absent") return matched;
  }
  if (shown) return absent;
  const why = "neither the list nor the forms of the licenses show references";
  return { kind: "attention", reason: { code: "order_not_guarded", why, change } };
}

/** Whether a license carries a reference of the subscription, and none of its slots or open orders has it. */
function ownedBy(subscription: Subscription): (row: SeenLicense) => boolean {
  const { slots } = subscription;
  const own = referenceOf(subscription, { n: 1, generation: 1 });
  const open = openOperations(subscription);
  const held = new Set([...slots.map(({ license }) => license?.elid), ...open.map(({ elid }) => elid)]);
  // The observations of an open order find its license.
  const awaited = open.flatMap(({ change }) =>
    change.kind === "order" ? referenceOf(subscription, { n: change.slot, generation: change.generation }) : [],
  );
  return (row) =>
    !held.has(row.elid) &&
    [row.comment, row.remoteid].some(
      (text) => isReference(text) && haveSameOwner(text, own) && !awaited.includes(text),
    );
}

/** Sorts a license with the exact reference of the order first. */
function candidates(rows: readonly SeenLicense[], isOurs: (row: SeenLicense) => boolean, change: Order): SeenLicense[] {
  const suffix = `-${change.slot}-${change.generation}`;
  const isExact = (row: SeenLicense) => [row.comment, row.remoteid].some((text) => text?.endsWith(suffix));
  return rows.filter(isOurs).sort((a, b) => Number(isExact(b)) - Number(isExact(a)));
}

/** A license that is scheduled to be deleted counts as deleted, because it was not bought for the current order. */
const isAlive = ({ status, closes }: SeenLicense): boolean => status !== "deleted" && !closes;

async function matchAt(
  row: SeenLicense,
  change: Order,
  subscription: Subscription,
  billmgr: Pick<Billmgr, "license">,
): Promise<Guarded> {
  const form = await billmgr.license(change.family, row.elid);
  if (!form) return { kind: "wait", why: `license ${row.elid} is in the list, and has no form` };
  return isAlive(form) ? matchOf({ ...row, ...form }, change, subscription) : { kind: "absent" };
}

function matchOf(form: SeenLicense, change: Order, { slots }: Subscription): Guarded {
  // The subscription may have had a license of another product. That one does not match the order.
  if (form.pricelist !== undefined && /^\d+$/.test(form.pricelist) && form.pricelist !== String(change.pricelist)) {
    return { kind: "absent" };
  }
  const reference = [form.comment, form.remoteid].find(isReference);
  const { slot, generation } = reference === undefined ? change : slotOfReference(reference);
  const holder = slots.find(({ n }) => n === slot)?.license;
  if (holder) {
    const evidence = `license ${form.elid} carries ${reference}, and license ${holder.elid} has its place`;
    return { kind: "attention", reason: { code: "conflicting", change, evidence } };
  }
  const { spends, ...unpaid } = change;
  return {
    kind: "match",
    match: {
      change: { ...unpaid, slot, generation },
      elid: form.elid,
      adopted: { suspended: isSuspended(form), addons: form.addons },
    },
  };
}

const highest = (rows: readonly SeenLicense[]): string =>
  rows.reduce((last, { elid }) => (BigInt(elid) > BigInt(last) ? elid : last), "0");
