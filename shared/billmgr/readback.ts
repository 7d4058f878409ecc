import type { Change, Operation } from "../licensing/operation.ts";
import type { FreshObservation } from "../licensing/operation-lifecycle.ts";
import { addDays, addMonths, type Day, dayOf, daysBetween } from "../licensing/time.ts";
import type { Billmgr } from "./billmgr.ts";
import type { SeenLicense } from "./license.ts";

/** A license known to be ours, by which a list shows whether it tells references at all. */
export type KnownLicense = { elid: string; reference: string };

export type ReadResult = Omit<FreshObservation, "at">;

export type SearchTarget = {
  reference: string;
  elid: string | undefined;
  knownLicenses: () => Promise<readonly KnownLicense[]>;
};

/**
 * Finds out by reading what an operation did: an order by its reference, everything else by what its license shows.
 * @throws ReadError
 */
export async function readBack(operation: Operation, sought: SearchTarget, billmgr: Billmgr): Promise<ReadResult> {
  const { change, state, before } = operation;
  if (change.kind === "order") return readOrder(operation, change, sought, billmgr);
  const seen = await billmgr.license(change.family, change.elid);
  if (seen) {
    const result = compareToTarget(change, { ...before, answeredOk: state === "unconfirmed" }, seen);
    const unseen = result.verdict === "absent" && !shows(seen, change);
    return unseen
      ? { ...result, verdict: "pending", evidence: `${result.evidence}, and does not show whether it was done` }
      : result;
  }
  const evidence = `billmgr knows no license ${change.elid}`;
  return { verdict: change.kind === "delete" ? "achieved" : "conflicting", evidence };
}

/** What is not shown is not absent: a suspension believed to have failed would never be resumed. */
function shows({ status, addons }: SeenLicense, change: Change): boolean {
  if (change.kind === "edit") return Object.keys(change.addons).some((code) => addons[code] !== undefined);
  return change.kind === "prolong" || status !== undefined;
}

/**
 * The license by the id that billmgr told, as long as it can be ours. What the id in the answer to an order stands for is
 * not documented: where it is no license of ours, ours is sought by its reference.
 */
async function readOrder(
  operation: Operation,
  change: Order,
  sought: SearchTarget,
  billmgr: Billmgr,
): Promise<ReadResult> {
  const { reference, elid } = sought;
  const { claimedAt, state, resolved } = operation;
  const seen = elid === undefined ? undefined : await billmgr.license(change.family, elid);
  const orderedOn = dayOf(claimedAt);
  const answeredOk = state === "unconfirmed";
  // What an operator adopts can be older, and without any reference.
  if (seen && resolved && !seen.comment && !seen.remoteid) return compareToTarget(change, { answeredOk }, seen);
  if (seen && canBeOurs(seen, reference, orderedOn)) {
    return compareToTarget(change, { answeredOk, ...(!resolved && { orderedOn }) }, seen);
  }
  const found = await findOrder(operation, change.family, sought, billmgr);
  if (found.elid !== undefined && found.elid === elid)
    return { verdict: "pending", evidence: `${found.evidence} in the list` };
  if (!seen || found.elid !== undefined) return found;
  const shown = seen.comment === undefined ? "no comment" : `the comment "${seen.comment.slice(0, 60).toWellFormed()}"`;
  const evidence = `license ${elid}, which billmgr told for it, shows ${shown} instead of ${reference}; ${found.evidence}`;
  return { verdict: "conflicting", evidence };
}

/** By its reference; where it shows none at all, by the day on which it was made, as far as that is shown. */
function canBeOurs(seen: SeenLicense, reference: string, orderedOn: Day): boolean {
  if (seen.comment !== undefined || seen.remoteid !== undefined) return carries(seen, reference);
  return seen.createdOn === undefined || seen.createdOn >= addDays(orderedOn, -1);
}

type Order = Change & { kind: "order" };

const carries = (row: SeenLicense, reference: string): boolean =>
  row.remoteid === reference || row.comment === reference;

/** What a license shows of a change. Pure. */
export function compareToTarget(
  change: Change,
  known: { expiry?: Day; orderedOn?: Day; answeredOk: boolean },
  seen: SeenLicense,
): ReadResult {
  const { status, expiry, key } = seen;
  const evidence = `license ${seen.elid} is ${status ?? "of unknown status"}${expiry ? ` until ${expiry}` : ""}`;
  const result = (verdict: ReadResult["verdict"], more = ""): ReadResult => ({
    verdict,
    evidence: evidence + more,
    expiry,
    ...(key !== undefined && { key }),
  });
  // What a form does not show can only be taken at billmgr's word, where it gave that.
  const byItsWord = status === undefined && known.answeredOk;
  if (change.kind === "delete") {
    return result(status === "deleted" || byItsWord ? "achieved" : status === "processing" ? "pending" : "absent");
  }
  if (status === "deleted") return result("conflicting");
  // Its own queue can hold an operation for hours.
  if (status === "processing") return result("pending");
  if (status === "ordered") return { ...result("pending", ", not paid"), unpaid: true };
  switch (change.kind) {
    case "order":
      // Without an expiry nothing could be told of a later prolong, and one that is not yet the paid one would be prolonged.
      if (expiry === undefined || isTooSoon(change, expiry, known.orderedOn)) return result("pending", ", too soon");
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
      // billmgr stops a license itself at expiry, and starts it again when it is prolonged: that withholds nothing.
      return result(
        byItsWord || (status === "stopped" && (known.answeredOk || !seen.autosuspended)) ? "achieved" : "absent",
      );
    case "resume":
      return result(byItsWord || status === "active" ? "achieved" : "absent");
  }
}

/** Less than half of what was ordered. How long a trial is is not documented. */
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
): Promise<ReadResult> {
  const { rows, incomplete } = await billmgr.licenses(family);
  const known = await knownLicenses();
  const alive = rows.filter((row) => row.status !== "deleted");
  const found = alive.filter((row) => carries(row, reference));
  let witnessed = rows.some((row) =>
    known.some((knownLicense) => row.elid === knownLicense.elid && carries(row, knownLicense.reference)),
  );

  // A list that shows neither column leaves the form of each license that could be the one.
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
      : "; no license of ours is known yet to tell whether it would show one";
  return { verdict: "absent", evidence: evidence + doubt, provesAbsence: witnessed };
}

const maxCandidates = 25;
