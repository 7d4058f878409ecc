import type { Page } from "../../shared/aws/items.ts";
import type { SeenLicense } from "../../shared/billmgr/license.ts";
import { haveSameOwner, isOpen, isReference, referenceOf } from "../../shared/licensing/operation.ts";
import type { License, Subscription } from "../../shared/licensing/subscription.ts";
import { nameOf, type OperatorDependencies } from "./dependencies.ts";

/** What of a license is otherwise at billmgr than known here. `settling`: an operation is open, so it may pass. */
export type Difference = {
  subscription: string;
  elid: string;
  what: "missing" | "deleted" | "expiry" | "status" | "addons" | "reference" | "held twice";
  known: string;
  billmgr: string;
  settling?: true;
};

/** Alive at billmgr with a reference like ours, and held by no subscription. `of`: whose order it would be. */
export type Orphan = { elid: string; family: string; reference: string; of?: string };

export type Reconciled = {
  subscriptions: number;
  licenses: number;
  differences: Difference[];
  orphans: Orphan[];
  /** Licenses that billmgr has stopped at their expiry, for want of a payment that would prolong them. */
  expired: { subscription: string; elid: string; expiry: string }[];
  /** Licenses alive at billmgr that carry no reference of ours: bought by other means. */
  others: number;
  /** Families whose list could not be read whole, and why: what is missing there may only not be shown. */
  incomplete: Record<string, string>;
};

type Known = { name: string; license: License; reference: string; settling: boolean };

/**
 * Compares every license that is known here with billmgr's lists. Reads only.
 * @param progress told of what has been read so far
 * @throws ReadError where a list cannot be read
 */
export async function reconcile(
  { table, billmgr, catalog }: Pick<OperatorDependencies, "table" | "billmgr" | "catalog">,
  progress: (read: { subscriptions: number } | { family: string; licenses: number }) => void = () => {},
): Promise<Reconciled> {
  const known: Known[] = [];
  const claims = new Map<string, string>();
  let subscriptions = 0;
  let from: Page | undefined;
  do {
    const { found, next } = await table.subscriptions(from);
    for (const { key, subscription } of found) {
      known.push(...knownOf(nameOf(key), subscription));
      for (const slot of subscription.slots) claims.set(referenceOf(subscription, slot), nameOf(key));
    }
    subscriptions += found.length;
    progress({ subscriptions });
    from = next;
  } while (from);

  const result: Reconciled = {
    subscriptions,
    licenses: known.length,
    differences: twice(known),
    orphans: [],
    expired: [],
    others: 0,
    incomplete: {},
  };
  const families = new Set(Object.values(catalog.products).map(({ family }) => family));
  for (const { license } of known) families.add(license.family);
  for (const family of families) {
    const { rows, incomplete } = await billmgr.licenses(family);
    progress({ family, licenses: rows.length });
    if (incomplete) result.incomplete[family] = incomplete;
    const listed = new Map(rows.map((row) => [row.elid, row]));
    const ofFamily = known.filter(({ license }) => license.family === family);
    result.differences.push(...ofFamily.flatMap((one) => differencesOf(one, listed.get(one.license.elid))));
    for (const { name, license } of ofFamily) {
      const { autosuspended = false, expiry = "" } = listed.get(license.elid) ?? {};
      if (autosuspended && !license.suspended) result.expired.push({ subscription: name, elid: license.elid, expiry });
    }
    const held = new Set(ofFamily.map(({ license }) => license.elid));
    for (const row of rows) {
      if (row.status === "deleted" || held.has(row.elid)) continue;
      const reference = [row.remoteid, row.comment].find(isReference);
      const of = reference && claims.get(reference);
      if (reference) result.orphans.push({ elid: row.elid, family, reference, ...(of && { of }) });
      else result.others++;
    }
  }
  return result;
}

const knownOf = (name: string, subscription: Subscription): Known[] =>
  subscription.slots.flatMap((slot) => {
    const { license } = slot;
    const { operation } = subscription;
    const settling = isOpen(operation) && operation.change.slot === slot.n;
    return license ? [{ name, license, reference: referenceOf(subscription, slot), settling }] : [];
  });

function twice(known: readonly Known[]): Difference[] {
  const holders = new Map<string, string>();
  return known.flatMap(({ name, license: { elid, family } }) => {
    const other = holders.get(`${family} ${elid}`);
    holders.set(`${family} ${elid}`, name);
    return other ? [{ subscription: name, elid, what: "held twice" as const, known: name, billmgr: other }] : [];
  });
}

function differencesOf({ name, license, reference, settling }: Known, row: SeenLicense | undefined): Difference[] {
  const { elid, expiry, addons } = license;
  const differences: Difference[] = [];
  const differ = (what: Difference["what"], known: string, billmgr: string) => {
    differences.push({ subscription: name, elid, what, known, billmgr, ...(settling && { settling }) });
  };
  if (!row) differ("missing", "there", "not in the list");
  else if (row.status === "deleted") differ("deleted", "there", "deleted");
  else {
    if (row.expiry !== undefined && row.expiry !== expiry) differ("expiry", expiry ?? "not known", row.expiry);
    const status = license.suspended ? "suspended" : "active";
    if (!agrees(license, row)) differ("status", status, row.autosuspended ? "stopped at expiry" : (row.status ?? ""));
    const others = Object.entries(row.addons).filter(([code, value]) => (addons[code] ?? 0) !== value);
    for (const [code, value] of others) differ("addons", `${code} = ${addons[code] ?? 0}`, `${code} = ${value}`);
    const shown = [row.remoteid, row.comment].filter((one) => one !== undefined);
    const isAnothers = shown.some((one) => isReference(one) && !haveSameOwner(one, reference));
    if (license.imported ? isAnothers : shown.length > 0 && !shown.includes(reference)) {
      differ("reference", reference, shown.join(", "));
    }
  }
  return differences;
}

/** What billmgr stopped by itself at expiry is neither suspended by us nor resumed. */
function agrees({ suspended }: License, { status, autosuspended }: SeenLicense): boolean {
  if (status === undefined || status === "processing" || autosuspended) return true;
  return status === (suspended ? "stopped" : "active");
}
