import type { Billmgr, Listing } from "../../shared/billmgr/billmgr.ts";
import { compareToTarget } from "../../shared/billmgr/readback.ts";
import { ReadError } from "../../shared/errors.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import type { Change, Operation } from "../../shared/licensing/operation.ts";
import type { Reason } from "../../shared/licensing/reasons.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";
import { guardOrder, type Match, type Order } from "./order-guard.ts";

/** The result of the reads before a call. */
export type Preflight =
  /** The call can be made. The claim stores `before`, because only a later expiry than before proves a prolong. */
  | { kind: "clear"; before: Operation["before"] }
  /** The target is already reached, so no call is needed. */
  | { kind: "already"; before: Operation["before"] }
  /** The license was ordered before and is adopted instead. */
  | { kind: "adopt"; match: Match }
  /** A license has another expiry than the table, so the decision is made again. */
  | { kind: "moved"; elid: string; expiry: Day }
  /** No call can be made now. */
  | { kind: "wait"; why: string }
  | { kind: "attention"; reason: Reason };

export type PreflightDependencies = {
  billmgr: Billmgr;
  catalog: Catalog;
  /** All licenses of a family, as read in this run. */
  listing: (family: string) => Promise<Listing>;
};

/** Reads the license that a change is for. Before an order, it checks that the same order was not made before. */
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
  // Somebody may have prolonged the license that is to be replaced. Then it may not need a replacement.
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
