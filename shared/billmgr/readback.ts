import type { Change, Operation } from "../licensing/operation.ts";
import type { FreshObservation } from "../licensing/operation-lifecycle.ts";
import { addDays, addMonths, type Day, dayOf, daysBetween } from "../licensing/time.ts";
import type { Billmgr, Listing } from "./billmgr.ts";
import type { SeenLicense } from "./license.ts";

/** A license that is known to be ours. If a list shows its reference, the list shows references at all. */
export type KnownLicense = { elid: string; reference: string };

export type ReadResult = Omit<FreshObservation, "at">;

export type SearchTarget = {
  reference: string;
  knownLicenses: () => Promise<readonly KnownLicense[]>;
  /** The name of another subscription that has the license, if there is one. */
  holderOf: (elid: string) => Promise<string | undefined>;
};

/**
 * Reads whether an operation has reached its target: an order by its reference, every other change by its license.
 * @throws ReadError
 */
export async function readBack(operation: Operation, target: SearchTarget, billmgr: Billmgr): Promise<ReadResult> {
  const { change, state, before } = operation;
  if (change.kind === "order") return readOrder(operation, change, target, billmgr);
  const seen = await billmgr.license(change.family, change.elid);
  if (seen) {
    const result = compareToTarget(change, { ...before, answeredOk: state === "unconfirmed" }, seen);
    const isUnseen = result.verdict === "absent" && !shows(seen, change);
    return isUnseen
      ? { ...result, verdict: "pending", evidence: `${result.evidence}, and does not show whether it was done` }
      : result;
  }
  const evidence = `billmgr does not know license ${change.elid}`;
  return { verdict: change.kind === "delete" ? "achieved" : "conflicting", evidence };
}

/** Whether the license shows the changed field. A hidden field does not prove that a change failed. */
function shows({ status, addons }: SeenLicense, change: Change): boolean {
  if (change.kind === "edit") return Object.keys(change.addons).some((code) => addons[code] !== undefined);
  return change.kind === "prolong" || status !== undefined;
}

/**
 * Compares the license of an order, after its identity is proved. ISPsystem does not document the id in an order's
 * reply, so the reference identifies the license. A license of another subscription is never accepted.
 */
async function readOrder(
  operation: Operation,
  change: Order,
  target: SearchTarget,
  billmgr: Billmgr,
): Promise<ReadResult> {
  const { elid, state, adopted } = operation;
  const seen = elid === undefined ? undefined : await billmgr.license(change.family, elid);
  if (!seen || elid === undefined) {
    const found = await findOrder(operation, change.family, target, billmgr);
    // Otherwise the same license would be found and observed without end.
    if (found.elid !== undefined && found.elid === elid) {
      return { verdict: "pending", evidence: `${found.evidence} in the list, and has no form` };
    }
    return unlessHeld(found, target);
  }
  const identity = await identify(operation, change, seen, target, billmgr);
  if (identity.kind === "other") return unlessHeld(identity.result, target);
  const result = compareToTarget(
    change,
    { answeredOk: state === "unconfirmed", ...(!adopted && { orderedOn: dayOf(operation.claimedAt) }) },
    withStatusOf(seen, identity.row),
  );
  return unlessHeld(result, target, elid);
}

type Identity =
  | { kind: "proved"; row?: SeenLicense }
  /** It is another license, or its identity cannot be proved. */
  | { kind: "other"; result: ReadResult };

async function identify(
  operation: Operation,
  { family, pricelist }: Order,
  seen: SeenLicense,
  target: SearchTarget,
  billmgr: Billmgr,
): Promise<Identity> {
  const { reference } = target;
  const { elid } = seen;
  const { adopted, resolved, before } = operation;
  const isMarked = (license: SeenLicense) => Boolean(license.comment) || Boolean(license.remoteid);
  if (carries(seen, reference)) return { kind: "proved" };
  const listing = await billmgr.licenses(family);
  const row = listing.rows.find((one) => one.elid === elid);
  if (row && carries(row, reference)) return { kind: "proved", row };
  // An operator may adopt a license that was bought by other means and carries no reference.
  if ((adopted || resolved) && !isMarked(seen) && !(row && isMarked(row))) return { kind: "proved" };
  const found = await findOrder(operation, family, target, billmgr, listing);
  if (found.elid !== undefined) return { kind: "other", result: found };
  const other = (why: string): Identity => {
    const evidence = `license ${elid}, which billmgr named for it, ${why}; ${found.evidence}`;
    return { kind: "other", result: { verdict: "conflicting", evidence } };
  };
  const shown = [seen, row].flatMap((one) => [one?.comment, one?.remoteid]).filter((text) => text !== undefined);
  if (shown.length > 0) {
    const text = (shown.find(Boolean) ?? "").slice(0, 60).toWellFormed();
    return other(`shows "${text}" instead of ${reference}`);
  }
  // Nothing shows references. Then a license that is newer than the order and has its product is the ordered one.
  if (before.lastElid === undefined)
    return other("cannot be distinguished from others, because nothing shows a reference");
  if (BigInt(elid) <= BigInt(before.lastElid)) return other("was there before the order");
  if (seen.pricelist !== undefined && /^\d+$/.test(seen.pricelist) && seen.pricelist !== String(pricelist)) {
    return other(`is of the pricelist ${seen.pricelist} instead of ${pricelist}`);
  }
  return { kind: "proved", ...(row && { row }) };
}

/** In some accounts forms show less than list rows. */
const withStatusOf = (seen: SeenLicense, row: SeenLicense | undefined): SeenLicense => ({
  ...seen,
  ...(seen.status === undefined &&
    row?.status !== undefined && { status: row.status, autosuspended: row.autosuspended }),
});

/** Refuses a license that another subscription has, even if it carries the reference. */
async function unlessHeld(result: ReadResult, target: SearchTarget, elid = result.elid): Promise<ReadResult> {
  if (result.verdict !== "achieved" || elid === undefined) return result;
  const holder = await target.holderOf(elid);
  return holder === undefined
    ? result
    : { verdict: "conflicting", evidence: `license ${elid} belongs to the subscription ${holder}` };
}

type Order = Change & { kind: "order" };

export const carries = (row: SeenLicense, reference: string): boolean =>
  row.remoteid === reference || row.comment === reference;

/** Compares what a license shows to the target of a change. Pure. */
export function compareToTarget(
  change: Change,
  known: { expiry?: Day; orderedOn?: Day; answeredOk: boolean },
  seen: SeenLicense,
): ReadResult {
  const { status, unreadableStatus, expiry, key, closes } = seen;
  const shown =
    status ?? (unreadableStatus === undefined ? "of unknown status" : `of the status "${unreadableStatus}"`);
  const evidence = `license ${seen.elid} is ${shown}${expiry ? ` until ${expiry}` : ""}`;
  const result = (verdict: ReadResult["verdict"], more = ""): ReadResult => ({
    verdict,
    evidence: evidence + more,
    expiry,
    ...(key !== undefined && { key }),
    ...(status !== undefined && { isStopped: status === "stopped" }),
  });
  // If the form shows no status, billmgr's own "ok" is the only evidence.
  const byItsWord = status === undefined && unreadableStatus === undefined && known.answeredOk;
  // A status that is not understood proves nothing.
  if (unreadableStatus !== undefined) return result("pending", ", which is not understood");
  if (change.kind === "delete") {
    if (status === "deleted" || closes || byItsWord) return result("achieved");
    return result(status === "processing" ? "pending" : "absent");
  }
  if (status === "deleted") return result("conflicting");
  // billmgr's own queue can hold an operation for hours.
  if (status === "processing") return result("pending");
  if (status === "ordered") return { ...result("pending", ", not paid"), unpaid: true };
  switch (change.kind) {
    case "order":
      // Without an expiry no later prolong can be confirmed. With one that is too early, decide would prolong.
      if (expiry === undefined) return result("pending", ", without an expiry");
      if (isTooSoon(change, expiry, known.orderedOn)) return result("pending", ", too soon");
      return result(status !== undefined || byItsWord ? "achieved" : "pending");
    case "prolong":
      if (expiry === undefined) return result("pending", ", without an expiry");
      return result(known.expiry !== undefined && expiry > known.expiry ? "achieved" : "absent");
    case "edit": {
      const codes = Object.keys(change.addons);
      const shown = codes.filter((code) => seen.addons[code] !== undefined);
      const differs = shown.some((code) => seen.addons[code] !== change.addons[code]);
      const all = shown.length === codes.length;
      const addons = `, addons ${JSON.stringify(Object.fromEntries(shown.map((code) => [code, seen.addons[code]])))}`;
      return result(!differs && (all || known.answeredOk) ? "achieved" : "absent", addons);
    }
    case "suspend":
      // It does not matter who stopped it. A second suspend would change nothing, and billmgr may refuse it.
      return result(byItsWord || status === "stopped" ? "achieved" : "absent");
    case "resume":
      return result(byItsWord || status === "active" ? "achieved" : "absent");
  }
}

/** Whether the expiry is before half of the ordered period. ISPsystem does not document the length of a trial. */
function isTooSoon({ period, trial }: Order, expiry: Day, orderedOn: Day | undefined): boolean {
  if (orderedOn === undefined) return false;
  const least = trial ? 0 : daysBetween(orderedOn, addMonths(orderedOn, period)) / 2;
  return daysBetween(orderedOn, expiry) < least;
}

async function findOrder(
  { claimedAt }: Operation,
  family: string,
  { reference, knownLicenses }: SearchTarget,
  billmgr: Billmgr,
  listing?: Listing,
): Promise<ReadResult> {
  const { rows, incomplete } = listing ?? (await billmgr.licenses(family));
  const known = await knownLicenses();
  const alive = rows.filter((row) => row.status !== "deleted");
  const found = alive.filter((row) => carries(row, reference));
  let witnessed = rows.some((row) =>
    known.some((knownLicense) => row.elid === knownLicense.elid && carries(row, knownLicense.reference)),
  );

  // If the list shows neither column, the form of each candidate is read.
  if (found.length === 0 && !rows.some((row) => row.remoteid ?? row.comment)) {
    const since = addDays(dayOf(claimedAt), -1);
    const candidates = alive.filter((row) => row.createdOn === undefined || row.createdOn >= since);
    if (candidates.length > maxCandidates) {
      return {
        verdict: "pending",
        evidence: `the list shows no references, and ${candidates.length} licenses are new`,
      };
    }
    for (const { elid } of candidates) {
      const form = await billmgr.license(family, elid);
      if (form && carries(form, reference) && form.status !== "deleted") found.push(form);
    }
    for (const knownLicense of known) {
      const form = witnessed ? undefined : await billmgr.license(family, knownLicense.elid);
      if (form) witnessed = carries(form, knownLicense.reference);
    }
  }

  const [license] = found;
  if (found.length > 1) {
    const elids = found.map(({ elid }) => elid).slice(0, 10);
    return { verdict: "conflicting", evidence: `licenses ${elids.join(", ")} all carry ${reference}` };
  }
  if (license)
    return { verdict: "achieved", evidence: `license ${license.elid} carries ${reference}`, elid: license.elid };
  const evidence = `none of the ${alive.length} licenses listed carries ${reference}`;
  if (incomplete) return { verdict: "absent", evidence: `${evidence}; ${incomplete}`, provesAbsence: false };
  const doubt = witnessed
    ? ""
    : known.length > 0
      ? "; it does not show the reference of a license known to be ours"
      : "; no license is known to be ours yet, so it is not known whether the list shows references";
  return { verdict: "absent", evidence: evidence + doubt, provesAbsence: witnessed };
}

const maxCandidates = 25;
