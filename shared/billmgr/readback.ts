import type { Change, Operation } from "../licensing/operation.ts";
import type { Sighting } from "../licensing/progress.ts";
import { addDays, dayOf } from "../licensing/time.ts";
import type { Billmgr } from "./billmgr.ts";
import type { SeenLicense } from "./license.ts";

/** A license known to be ours, by which a list shows whether it tells references at all. */
export type Witness = { elid: string; reference: string };

export type Sight = Omit<Sighting, "at">;

/**
 * Finds out by reading what an operation did: an order by its reference in the list, everything else by what its license
 * shows. @throws ReadError
 */
export async function readBack(
  operation: Operation,
  { reference, elid, witnesses }: { reference: string; elid: string | undefined; witnesses: readonly Witness[] },
  billmgr: Billmgr,
): Promise<Sight> {
  const { change, state, before } = operation;
  if (change.kind === "order" && elid === undefined)
    return findOrder(operation, change.family, reference, witnesses, billmgr);
  const id = change.kind === "order" ? elid : change.elid;
  const seen = await billmgr.license(change.family, id ?? "");
  return seen
    ? judge(change, { ...before, answeredOk: state === "unconfirmed", reference }, seen)
    : judgeGone(change, id);
}

function judgeGone(change: Change, elid: string | undefined): Sight {
  const saw = `billmgr knows no license ${elid}`;
  if (change.kind === "delete") return { verdict: "achieved", saw };
  // One that was just ordered can take a while to show.
  return { verdict: change.kind === "order" ? "absent" : "contrary", saw };
}

/** What a license shows of a change. Pure. */
export function judge(
  change: Change,
  known: { expiry?: string; answeredOk: boolean; reference?: string },
  seen: SeenLicense,
): Sight {
  const { status, expiry } = seen;
  const saw = `license ${seen.elid} is ${status ?? "of unknown status"}${expiry ? ` until ${expiry}` : ""}`;
  const sight = (verdict: Sight["verdict"], more = ""): Sight => ({ verdict, saw: saw + more, expiry });
  // What a form does not show can only be taken at billmgr's word, where it gave that.
  const byItsWord = status === undefined && known.answeredOk;
  if (change.kind === "delete") {
    return sight(status === "deleted" || byItsWord ? "achieved" : status === "processing" ? "pending" : "absent");
  }
  if (status === "deleted") return sight("contrary");
  // Its own queue can hold an operation for hours ("5"), an order until it is paid ("1").
  if (status === "processing" || status === "ordered") return sight("pending");
  switch (change.kind) {
    case "order":
      if (seen.comment !== undefined && seen.comment !== known.reference) {
        return sight("contrary", `, with the comment "${seen.comment.slice(0, 60)}" instead of ${known.reference}`);
      }
      // Without an expiry nothing could be told of a later prolong.
      return sight(expiry !== undefined && (status !== undefined || byItsWord) ? "achieved" : "pending");
    case "prolong":
      if (expiry === undefined) return sight("pending", ", without an expiry");
      return sight(known.expiry !== undefined && expiry > known.expiry ? "achieved" : "absent");
    case "edit": {
      const shown = Object.entries(change.addons).filter(([code]) => seen.addons[code] !== undefined);
      const differs = shown.some(([code, value]) => seen.addons[code] !== value);
      const all = shown.length === Object.keys(change.addons).length;
      const addons = `, addons ${JSON.stringify(seen.addons)}`;
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

async function findOrder(
  { claimedAt }: Operation,
  family: string,
  reference: string,
  witnesses: readonly Witness[],
  billmgr: Billmgr,
): Promise<Sight> {
  const { rows, complete } = await billmgr.licenses(family);
  const alive = rows.filter((row) => row.status !== "deleted");
  const shows = (row: SeenLicense, wanted: string) => row.remoteid === wanted || row.comment === wanted;
  const found = alive.filter((row) => shows(row, reference));
  let witnessed = rows.some((row) =>
    witnesses.some(({ elid, reference }) => row.elid === elid && shows(row, reference)),
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
      if (form && shows(form, reference)) found.push(form);
    }
    for (const witness of witnesses) {
      const form = witnessed ? undefined : await billmgr.license(family, witness.elid);
      if (form) witnessed = shows(form, witness.reference);
    }
  }

  const [license] = found;
  if (found.length > 1) {
    return { verdict: "contrary", saw: `licenses ${found.map((row) => row.elid).join(", ")} all carry ${reference}` };
  }
  if (license) return { verdict: "achieved", saw: `license ${license.elid} carries ${reference}`, elid: license.elid };
  if (!complete) return { verdict: "pending", saw: `the list could not be read whole (${rows.length} rows)` };
  const doubt = witnessed
    ? ""
    : witnesses.length > 0
      ? "; it does not show the reference of a license known to be ours"
      : "; no license of ours is known yet to tell whether it would show one";
  return {
    verdict: "absent",
    saw: `none of the ${alive.length} licenses listed carries ${reference}${doubt}`,
    provesAbsence: witnessed,
  };
}

const mostCandidates = 25;
