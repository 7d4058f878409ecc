/** Compares all recorded licenses with the licenses that billmgr lists. */
import type { Page } from "../../shared/aws/items.ts";
import type { SeenLicense } from "../../shared/billmgr/license.ts";
import { haveSameOwner, isOpen, isReference, referenceOf } from "../../shared/licensing/operation.ts";
import type { License, Subscription } from "../../shared/licensing/subscription.ts";
import { nameOf, type OperatorDependencies } from "./dependencies.ts";

/** A difference between billmgr's license and our record. `settling`: an operation is open, so it may resolve itself. */
export type Difference = {
  subscription: string;
  elid: string;
  what: "missing" | "deleted" | "expiry" | "status" | "addons" | "reference" | "assigned twice";
  recorded: string;
  billmgr: string;
  settling?: true;
};

/** A live license with one of our references that no subscription has. `subscription`: the one the reference belongs to. */
export type Orphan = { elid: string; family: string; reference: string; subscription?: string };

export type Reconciled = {
  subscriptions: number;
  licenses: number;
  differences: Difference[];
  orphans: Orphan[];
  /** Licenses that billmgr stopped at their expiry because no payment prolonged them. */
  expired: { subscription: string; elid: string; expiry: string }[];
  /** Number of live licenses at billmgr without one of our references: bought by other means. */
  others: number;
  /** Families whose list could not be read completely, with the reason. A license missing there may still exist. */
  incomplete: Record<string, string>;
};

type RecordedLicense = { name: string; license: License; reference: string; settling: boolean };

/**
 * Compares every recorded license with billmgr's lists. Only reads.
 * @param progress is called with each part that has been read
 * @throws ReadError if a list cannot be read
 */
export async function reconcile(
  { table, billmgr, catalog }: Pick<OperatorDependencies, "table" | "billmgr" | "catalog">,
  progress: (read: { subscriptions: number } | { family: string; licenses: number }) => void = () => {},
): Promise<Reconciled> {
  const recorded: RecordedLicense[] = [];
  const referenceOwners = new Map<string, string>();
  let subscriptions = 0;
  let from: Page | undefined;
  do {
    const { found, next } = await table.subscriptions(from);
    for (const { key, subscription } of found) {
      recorded.push(...licensesOf(nameOf(key), subscription));
      for (const slot of subscription.slots) referenceOwners.set(referenceOf(subscription, slot), nameOf(key));
    }
    subscriptions += found.length;
    progress({ subscriptions });
    from = next;
  } while (from);

  const result: Reconciled = {
    subscriptions,
    licenses: recorded.length,
    differences: findDuplicates(recorded),
    orphans: [],
    expired: [],
    others: 0,
    incomplete: {},
  };
  const families = new Set(Object.values(catalog.products).map(({ family }) => family));
  for (const { license } of recorded) families.add(license.family);
  for (const family of families) {
    const { rows, incomplete } = await billmgr.licenses(family);
    progress({ family, licenses: rows.length });
    if (incomplete) result.incomplete[family] = incomplete;
    const listed = new Map(rows.map((row) => [row.elid, row]));
    const ofFamily = recorded.filter(({ license }) => license.family === family);
    result.differences.push(...ofFamily.flatMap((one) => differencesOf(one, listed.get(one.license.elid))));
    for (const { name, license } of ofFamily) {
      const { autosuspended = false, expiry = "" } = listed.get(license.elid) ?? {};
      if (autosuspended && !license.suspended) result.expired.push({ subscription: name, elid: license.elid, expiry });
    }
    const assigned = new Set(ofFamily.map(({ license }) => license.elid));
    for (const row of rows) {
      if (row.status === "deleted" || assigned.has(row.elid)) continue;
      const reference = [row.remoteid, row.comment].find(isReference);
      const owner = reference && referenceOwners.get(reference);
      if (reference) result.orphans.push({ elid: row.elid, family, reference, ...(owner && { subscription: owner }) });
      else result.others++;
    }
  }
  return result;
}

const licensesOf = (name: string, subscription: Subscription): RecordedLicense[] =>
  subscription.slots.flatMap((slot) => {
    const { license } = slot;
    const { operation } = subscription;
    const settling = isOpen(operation) && operation.change.slot === slot.n;
    return license ? [{ name, license, reference: referenceOf(subscription, slot), settling }] : [];
  });

function findDuplicates(recorded: readonly RecordedLicense[]): Difference[] {
  const holders = new Map<string, string>();
  return recorded.flatMap(({ name, license: { elid, family } }) => {
    const other = holders.get(`${family} ${elid}`);
    holders.set(`${family} ${elid}`, name);
    return other ? [{ subscription: name, elid, what: "assigned twice" as const, recorded: name, billmgr: other }] : [];
  });
}

function differencesOf(
  { name, license, reference, settling }: RecordedLicense,
  row: SeenLicense | undefined,
): Difference[] {
  const { elid, expiry, addons } = license;
  const differences: Difference[] = [];
  const differ = (what: Difference["what"], recorded: string, billmgr: string) => {
    differences.push({ subscription: name, elid, what, recorded, billmgr, ...(settling && { settling }) });
  };
  if (!row) differ("missing", "exists", "not listed");
  else if (row.status === "deleted") differ("deleted", "exists", "deleted");
  else {
    if (row.expiry !== undefined && row.expiry !== expiry) differ("expiry", expiry ?? "unknown", row.expiry);
    const status = license.suspended ? "suspended" : "active";
    if (!hasExpectedStatus(license, row))
      differ("status", status, row.autosuspended ? "stopped at expiry" : (row.status ?? ""));
    const others = Object.entries(row.addons).filter(([code, value]) => (addons[code] ?? 0) !== value);
    for (const [code, value] of others) differ("addons", `${code} = ${addons[code] ?? 0}`, `${code} = ${value}`);
    const shown = [row.remoteid, row.comment].filter((one) => one !== undefined);
    const isForeign = shown.some((one) => isReference(one) && !haveSameOwner(one, reference));
    if (license.imported ? isForeign : shown.length > 0 && !shown.includes(reference)) {
      differ("reference", reference, shown.join(", "));
    }
  }
  return differences;
}

/** A license that billmgr stopped automatically at expiry is neither suspended nor resumed by us. */
function hasExpectedStatus({ suspended }: License, { status, autosuspended }: SeenLicense): boolean {
  if (status === undefined || status === "processing" || autosuspended) return true;
  return status === (suspended ? "stopped" : "active");
}
