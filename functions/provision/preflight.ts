import type { Billmgr } from "../../shared/billmgr/billmgr.ts";
import { compareToTarget } from "../../shared/billmgr/readback.ts";
import { ReadError } from "../../shared/errors.ts";
import type { Change, Operation } from "../../shared/licensing/operation.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";

/** What a reading before the call came to. */
export type Preflight =
  /** What the license shows. A claim holds it, because an expiry tells only against the one before if it was prolonged. */
  | { read: Operation["before"] }
  /** It is so already: nothing is to be called. */
  | { already: Operation["before"] }
  /** A license is not as it was known, so there is to be decided anew. */
  | { moved: { elid: string; expiry: Day } }
  /** There can be no call now. */
  | { wait: string }
  | { attention: string };

/** Reads the license that is to be changed or replaced. */
export async function preflight(change: Change, subscription: Subscription, billmgr: Billmgr): Promise<Preflight> {
  try {
    return await (change.kind === "order"
      ? readReplaced(change, subscription, billmgr)
      : readChanged(change, subscription, billmgr));
  } catch (error) {
    if (error instanceof ReadError) return { wait: error.message };
    throw error;
  }
}

type Order = Change & { kind: "order" };

async function readChanged(
  change: Exclude<Change, Order>,
  { slots }: Subscription,
  billmgr: Billmgr,
): Promise<Preflight> {
  const seen = await billmgr.license(change.family, change.elid);
  if (!seen && change.kind === "delete") return { already: { evidence: "billmgr knows it no more" } };
  if (!seen) return { attention: `billmgr knows no license ${change.elid}, which was to be changed` };
  const known = slots.find(({ n }) => n === change.slot)?.license?.expiry;
  const { verdict, evidence, expiry } = compareToTarget(
    change,
    { answeredOk: false, ...(known && { expiry: known }) },
    seen,
  );
  if (verdict === "conflicting") return { attention: evidence };
  if (verdict === "pending") return { wait: evidence };
  const read = { evidence: evidence, ...(expiry && { expiry }) };
  return verdict === "achieved" ? { already: read } : { read };
}

/** What is to be replaced may have been prolonged by somebody else, and then need no replacing. */
async function readReplaced({ replaces }: Order, { slots }: Subscription, billmgr: Billmgr): Promise<Preflight> {
  const license = slots.find(({ n }) => n === replaces?.n)?.license;
  if (!license) return { read: {} };
  const { expiry } = (await billmgr.license(license.family, license.elid)) ?? {};
  if (expiry === undefined || expiry === license.expiry) return { read: {} };
  return { moved: { elid: license.elid, expiry } };
}
