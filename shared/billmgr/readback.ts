import type { Change, Operation } from "../licensing/operation.ts";
import type { Sighting } from "../licensing/operation-lifecycle.ts";
import { addDays, addMonths, type Day, dayOf, daysBetween } from "../licensing/time.ts";
import type { Billmgr } from "./billmgr.ts";
import type { SeenLicense } from "./license.ts";

/** A license known to be ours, by which a list shows whether it tells references at all. */
export type Witness = { elid: string; reference: string };

export type Sight = Omit<Sighting, "at">;

export type Sought = { reference: string; elid: string | undefined; witnesses: () => Promise<readonly Witness[]> };

/**
 * Finds out by reading what an operation did: an order by its reference, everything else by what its license shows.
 * @throws ReadError
 */
export async function readBack(operation: Operation, sought: Sought, billmgr: Billmgr): Promise<Sight> {
  const { change, state, before } = operation;
  if (change.kind === "order") return readOrder(operation, change, sought, billmgr);
  const seen = await billmgr.license(change.family, change.elid);
  if (seen) {
    const sight = judge(change, { ...before, answeredOk: state === "unconfirmed" }, seen);
    const unseen = sight.verdict === "absent" && !shows(seen, change);
    return unseen
      ? { ...sight, verdict: "pending", saw: `${sight.saw}, and does not show whether it was done` }
      : sight;
  }
  const saw = `billmgr knows no license ${change.elid}`;
  return { verdict: change.kind === "delete" ? "achieved" : "contrary", saw };
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
async function readOrder(operation: Operation, change: Order, sought: Sought, billmgr: Billmgr): Promise<Sight> {
  const { reference, elid } = sought;
  const { claimedAt, state, resolved } = operation;
  const seen = elid === undefined ? undefined : await billmgr.license(change.family, elid);
  const orderedOn = dayOf(claimedAt);
  const answeredOk = state === "unconfirmed";
  // What an operator adopts can be older, and without any reference.
  if (seen && resolved && !seen.comment && !seen.remoteid) return judge(change, { answeredOk }, seen);
  if (seen && canBeOurs(seen, reference, orderedOn)) {
    return judge(change, { answeredOk, ...(!resolved && { orderedOn }) }, seen);
  }
  const found = await findOrder(operation, change.family, sought, billmgr);
  if (found.elid !== undefined && found.elid === elid) return { verdict: "pending", saw: `${found.saw} in the list` };
  if (!seen || found.elid !== undefined) return found;
  const shown = seen.comment === undefined ? "no comment" : `the comment "${seen.comment.slice(0, 60).toWellFormed()}"`;
  const saw = `license ${elid}, which billmgr told for it, shows ${shown} instead of ${reference}; ${found.saw}`;
  return { verdict: "contrary", saw };
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
export function judge(
  change: Change,
  known: { expiry?: Day; orderedOn?: Day; answeredOk: boolean },
  seen: SeenLicense,
): Sight {
  const { status, expiry, key } = seen;
  const saw = `license ${seen.elid} is ${status ?? "of unknown status"}${expiry ? ` until ${expiry}` : ""}`;
  const sight = (verdict: Sight["verdict"], more = ""): Sight => ({
    verdict,
    saw: saw + more,
    expiry,
    ...(key !== undefined && { key }),
  });
  // What a form does not show can only be taken at billmgr's word, where it gave that.
  const byItsWord = status === undefined && known.answeredOk;
  if (change.kind === "delete") {
    return sight(status === "deleted" || byItsWord ? "achieved" : status === "processing" ? "pending" : "absent");
  }
  if (status === "deleted") return sight("contrary");
  // Its own queue can hold an operation for hours.
  if (status === "processing") return sight("pending");
  if (status === "ordered") return { ...sight("pending", ", not paid"), unpaid: true };
  switch (change.kind) {
    case "order":
      // Without an expiry nothing could be told of a later prolong, and one that is not yet the paid one would be prolonged.
      if (expiry === undefined || isTooSoon(change, expiry, known.orderedOn)) return sight("pending", ", too soon");
      return sight(status !== undefined || byItsWord ? "achieved" : "pending");
    case "prolong":
      if (expiry === undefined) return sight("pending", ", without an expiry");
      return sight(known.expiry !== undefined && expiry > known.expiry ? "achieved" : "absent");
    case "edit": {
      const codes = Object.keys(change.addons);
      const shown = codes.filter((code) => seen.addons[code] !== undefined);
      const differs = shown.some((code) => seen.addons[code] !== change.addons[code]);
      const all = shown.length === codes.length;
      const addons = `, addons ${JSON.stringify(Object.fromEntries(shown.map((code) => [code, seen.addons[code]])))}`;
      return sight(!differs && (all || known.answeredOk) ? "achieved" : "absent", addons);
    }
    case "suspend":
      // billmgr stops a license itself at expiry, and starts it again when it is prolonged: that withholds nothing.
      return sight(
        byItsWord || (status === "stopped" && (known.answeredOk || !seen.autosuspended)) ? "achieved" : "absent",
      );
    case "resume":
      return sight(byItsWord || status === "active" ? "achieved" : "absent");
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
  { reference, witnesses }: Sought,
  billmgr: Billmgr,
): Promise<Sight> {
  const { rows, incomplete } = await billmgr.licenses(family);
  const known = await witnesses();
  const alive = rows.filter((row) => row.status !== "deleted");
  const found = alive.filter((row) => carries(row, reference));
  let witnessed = rows.some((row) =>
    known.some((witness) => row.elid === witness.elid && carries(row, witness.reference)),
  );

  // A list that shows neither column leaves the form of each license that could be the one.
  if (found.length === 0 && !rows.some((row) => row.remoteid ?? row.comment)) {
    const since = addDays(dayOf(claimedAt), -1);
    const candidates = alive.filter((row) => row.createdOn === undefined || row.createdOn >= since);
    if (candidates.length > mostCandidates) {
      return { verdict: "pending", saw: `the list shows no references, and ${candidates.length} licenses are new` };
    }
    for (const { elid } of candidates) {
      const form = await billmgr.license(family, elid);
      if (form && carries(form, reference) && form.status !== "deleted") found.push(form);
    }
    for (const witness of known) {
      const form = witnessed ? undefined : await billmgr.license(family, witness.elid);
      if (form) witnessed = carries(form, witness.reference);
    }
  }

  const [license] = found;
  if (found.length > 1) {
    const elids = found.map(({ elid }) => elid).slice(0, 10);
    return { verdict: "contrary", saw: `licenses ${elids.join(", ")} all carry ${reference}` };
  }
  if (license) return { verdict: "achieved", saw: `license ${license.elid} carries ${reference}`, elid: license.elid };
  const saw = `none of the ${alive.length} licenses listed carries ${reference}`;
  if (incomplete) return { verdict: "absent", saw: `${saw}; ${incomplete}`, provesAbsence: false };
  const doubt = witnessed
    ? ""
    : known.length > 0
      ? "; it does not show the reference of a license known to be ours"
      : "; no license of ours is known yet to tell whether it would show one";
  return { verdict: "absent", saw: saw + doubt, provesAbsence: witnessed };
}

const mostCandidates = 25;
