import type { Billmgr, Listing } from "../../shared/billmgr/billmgr.ts";
import { isSuspended, type SeenLicense } from "../../shared/billmgr/license.ts";
import { carries, type KnownLicense } from "../../shared/billmgr/readback.ts";
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

/** A license that was ordered for this subscription before, though the table does not know it. */
export type Match = { change: Order; elid: string; adopted: NonNullable<Operation["adopted"]> };

export type Guarded =
  /** None is there. `lastElid`: the highest license number before the order. */
  | { kind: "absent"; lastElid?: string }
  | { kind: "match"; match: Match }
  /** The list cannot be believed now. */
  | { kind: "wait"; why: string }
  | { kind: "attention"; reason: Reason };

/** Forms that are read where the list shows no references. */
const maxForms = 50;

/**
 * Looks for the license before it is ordered, so that nothing is bought twice after a table was lost, restored to an
 * earlier moment, or replaced by another. The table alone is not believed. @throws ReadError
 */
export async function guardOrder(
  change: Order,
  subscription: Subscription,
  listing: Listing,
  knownLicenses: readonly KnownLicense[],
  { billmgr, catalog }: { billmgr: Pick<Billmgr, "license">; catalog: Catalog },
): Promise<Guarded> {
  const { rows, incomplete } = listing;
  const isStrict = catalog.policy.orderGuard === "strict";
  const alive = rows.filter(({ status }) => status !== "deleted");
  const isOurs = ownedBy(subscription);
  for (const listed of candidates(alive, isOurs, change)) {
    const matched = await matchAt(listed, change, billmgr);
    if (matched.kind !== "absent") return matched;
  }

  const lastElid = highest(rows);
  const absent: Guarded = { kind: "absent", ...(lastElid !== undefined && { lastElid }) };
  if (!isStrict) return absent;
  if (incomplete) return { kind: "wait", why: `${incomplete}, so it is not known whether the order was made before` };
  const showsReferences =
    rows.length === 0 ||
    rows.some((row) => isReference(row.comment) || isReference(row.remoteid)) ||
    rows.some((row) => knownLicenses.some(({ elid, reference }) => row.elid === elid && carries(row, reference)));
  if (showsReferences) return absent;

  if (alive.length > maxForms) {
    const why = `the list of ${alive.length} licenses shows no references`;
    return { kind: "attention", reason: { code: "order_not_guarded", why, change } };
  }
  let shown = alive.length === 0;
  for (const { elid } of alive) {
    const form = await billmgr.license(change.family, elid);
    if (!form) continue;
    if (form.comment !== undefined || form.remoteid !== undefined) shown = true;
    const matched = form.status !== "deleted" && isOurs(form) ? matchOf(form, change) : undefined;
    if (matched && matched.kind !== "absent") return matched;
  }
  if (shown) return absent;
  const why = "neither the list nor the forms of the licenses show references";
  return { kind: "attention", reason: { code: "order_not_guarded", why, change } };
}

/** Whether a license carries a reference of the subscription, and none of its slots or open orders has it already. */
function ownedBy(subscription: Subscription): (row: SeenLicense) => boolean {
  const { slots, operation, parked = [] } = subscription;
  const own = referenceOf(subscription, { n: 1, generation: 1 });
  const held = new Set([
    ...slots.map(({ license }) => license?.elid),
    ...[operation, ...parked].map((one) => (one?.state === "finished" ? undefined : one?.elid)),
  ]);
  return (row) =>
    !held.has(row.elid) && [row.comment, row.remoteid].some((text) => isReference(text) && haveSameOwner(text, own));
}

/** The license with the very reference of the order first. */
function candidates(rows: readonly SeenLicense[], isOurs: (row: SeenLicense) => boolean, change: Order): SeenLicense[] {
  const suffix = `-${change.slot}-${change.generation}`;
  const isExact = (row: SeenLicense) => [row.comment, row.remoteid].some((text) => text?.endsWith(suffix));
  return rows.filter(isOurs).sort((a, b) => Number(isExact(b)) - Number(isExact(a)));
}

async function matchAt(row: SeenLicense, change: Order, billmgr: Pick<Billmgr, "license">): Promise<Guarded> {
  const form = await billmgr.license(change.family, row.elid);
  if (!form || form.status === "deleted")
    return { kind: "wait", why: `license ${row.elid} is in the list, and has no form` };
  return matchOf({ ...row, ...form, elid: row.elid }, change);
}

function matchOf(form: SeenLicense, change: Order): Guarded {
  // A license of another product that was bought for the subscription is not what is ordered now.
  if (form.pricelist !== undefined && /^\d+$/.test(form.pricelist) && form.pricelist !== String(change.pricelist)) {
    return { kind: "absent" };
  }
  const reference = [form.comment, form.remoteid].find(isReference);
  const place = reference === undefined ? {} : slotOfReference(reference);
  const { spends, ...unpaid } = change;
  return {
    kind: "match",
    match: {
      change: { ...unpaid, ...place },
      elid: form.elid,
      adopted: { suspended: isSuspended(form), addons: form.addons },
    },
  };
}

const highest = (rows: readonly SeenLicense[]): string | undefined =>
  rows.reduce<string | undefined>(
    (last, { elid }) => (last === undefined || BigInt(elid) > BigInt(last) ? elid : last),
    undefined,
  );
