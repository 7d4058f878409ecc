import type { Billmgr, Listing } from "../../shared/billmgr/billmgr.ts";
import { compareToTarget } from "../../shared/billmgr/readback.ts";
import { ReadError } from "../../shared/errors.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import type { Change, Operation } from "../../shared/licensing/operation.ts";
import type { Reason } from "../../shared/licensing/reasons.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";
import { guardOrder, type Match, type Order } from "./order-guard.ts";

/** What a read before the call found. */
export type Preflight =
  /** The call can be made. What the license shows is kept with the claim: an expiry proves a prolong only against it. */
  | { kind: "clear"; before: Operation["before"] }
  /** It is so already: nothing is to be called. */
  | { kind: "already"; before: Operation["before"] }
  /** It was ordered before: the license is adopted instead. */
  | { kind: "adopt"; match: Match }
  /** A license differs from what was known, so the decision is made again. */
  | { kind: "moved"; elid: string; expiry: Day }
  /** There can be no call now. */
  | { kind: "wait"; why: string }
  | { kind: "attention"; reason: Reason };

export type PreflightDependencies = {
  billmgr: Billmgr;
  catalog: Catalog;
  /** All licenses of a family, as read in this run. */
  listing: (family: string) => Promise<Listing>;
};

/** Reads the license that is to be changed or replaced, and before an order whether it was made already. */
export async function preflight(
  change: Change,
  subscription: Subscription,
  deps: PreflightDependencies,
): Promise<Preflight> {
  try {
    return await (change.kind === "order"
      ? preflightOrder(change, subscription, deps)
      : preflightChange(change, subscription, deps.billmgr));
  } catch (error) {
    if (error instanceof ReadError) return { kind: "wait", why: error.message };
    throw error;
  }
}

async function preflightChange(
  change: Exclude<Change, Order>,
  { slots }: Subscription,
  billmgr: Billmgr,
): Promise<Preflight> {
  const { elid } = change;
  const seen = await billmgr.license(change.family, elid);
  if (!seen && change.kind === "delete") {
    return { kind: "already", before: { evidence: `billmgr does not know license ${elid}` } };
  }
  if (!seen) return { kind: "attention", reason: { code: "license_missing", elid, change } };
  const known = slots.find(({ n }) => n === change.slot)?.license?.expiry;
  const compared = compareToTarget(change, { answeredOk: false, ...(known && { expiry: known }) }, seen);
  const { verdict, evidence, expiry } = compared;
  if (verdict === "conflicting") return { kind: "attention", reason: { code: "conflicting", change, evidence } };
  if (verdict === "pending") return { kind: "wait", why: evidence };
  const before = { evidence, ...(expiry && { expiry }) };
  return { kind: verdict === "achieved" ? "already" : "clear", before };
}

async function preflightOrder(
  change: Order,
  subscription: Subscription,
  { billmgr, catalog, listing }: PreflightDependencies,
): Promise<Preflight> {
  // What is to be replaced may have been prolonged by somebody else, and then need no replacing.
  const replaced = subscription.slots.find(({ n }) => n === change.replaces?.n)?.license;
  if (replaced) {
    const { expiry } = (await billmgr.license(replaced.family, replaced.elid)) ?? {};
    if (expiry !== undefined && expiry !== replaced.expiry) return { kind: "moved", elid: replaced.elid, expiry };
  }
  const { family } = change;
  const guarded = await guardOrder(change, subscription, await listing(family), { billmgr, catalog });
  switch (guarded.kind) {
    case "match":
      return { kind: "adopt", match: guarded.match };
    case "absent":
      return { kind: "clear", before: guarded.lastElid === undefined ? {} : { lastElid: guarded.lastElid } };
    default:
      return guarded;
  }
}
