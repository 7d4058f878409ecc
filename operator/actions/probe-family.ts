/** Probes the license list and the license form of one product family. */
import type { Billmgr, Listing, Reader } from "../../shared/billmgr/billmgr.ts";
import { seenLicense } from "../../shared/billmgr/license.ts";
import { child, children, textOf } from "../../shared/billmgr/reply.ts";
import { type Answer, type Finding, no, probeOne, unclear, yes } from "./finding.ts";

/** Observations of a family's list and of one license's form. A missing field means that nothing could be observed. */
export type FamilyEvidence = {
  family: string;
  listReferences?: boolean;
  incomplete?: string | undefined;
  form?: { references: boolean; expiry: boolean; status: boolean; addons: boolean };
};

/** Fills `evidence` while it probes. */
export async function probeFamily(evidence: FamilyEvidence, billmgr: Billmgr & Reader): Promise<Finding[]> {
  const { family } = evidence;
  let listing: Listing | undefined;
  const list = await probeOne(`${family}: the whole list can be read`, async () => {
    listing = await billmgr.licenses(family);
    evidence.incomplete = listing.incomplete;
    return listing.incomplete ? no(listing.incomplete) : yes(`licenses listed: ${listing.rows.length}`);
  });
  if (!listing) {
    evidence.incomplete = "the list cannot be read";
    return [list];
  }
  const { rows } = listing;
  const alive = rows.find(({ status }) => status === "active") ?? rows.find(({ status }) => status !== "deleted");
  const listFindings = [
    list,
    await probeFilter(family, rows.length, billmgr),
    await probeListReferences(evidence, billmgr),
  ];
  if (!alive)
    return [...listFindings, { about: `${family}: the form of a license`, ...unclear("there is no license") }];
  return [
    ...listFindings,
    await probeForm(evidence, alive.elid, billmgr),
    await probeQuote(family, alive.elid, billmgr),
  ];
}

const probeFilter = (family: string, rows: number, billmgr: Billmgr & Reader): Promise<Finding> =>
  probeOne(`${family}: a filter that was left in the account is cleared`, async () => {
    if (rows === 0) return unclear("there is no license that a filter could hide");
    await billmgr.read({ func: `${family}.filter`, sok: "ok", id: "1" });
    const filtered = textOf(await billmgr.read({ func: family, p_cnt: "1", p_num: "1" }), "p_elems");
    const after = await billmgr.licenses(family);
    if (after.incomplete) return no(after.incomplete);
    if (after.rows.length !== rows) return no(`${rows} licenses before, ${after.rows.length} after it was cleared`);
    return Number(filtered) < rows
      ? yes(`it hid ${rows - Number(filtered)} of ${rows} licenses, and none after it was cleared`)
      : unclear("the probe could not set a filter");
  });

const probeListReferences = (evidence: FamilyEvidence, billmgr: Reader): Promise<Finding> =>
  probeOne(`${evidence.family}: the list shows our reference`, async () => {
    const doc = await billmgr.read({ func: evidence.family, p_cnt: "1", p_num: "1" });
    const [row] = children(doc, "elem");
    if (!row) return unclear("there is no license");
    const columns = ["remoteid", "comment"].filter((name) => child(row, name));
    evidence.listReferences = columns.length > 0;
    const { status, expiry } = seenLicense(row);
    const others = `status ${status ?? "not shown"}, expiry ${expiry ?? "not shown"}`;
    return columns.length > 0
      ? yes(`${columns.join(" and ")}; ${others}`)
      : no(`neither remoteid nor comment; ${others}`);
  });

const probeForm = (evidence: FamilyEvidence, elid: string, billmgr: Reader): Promise<Finding> =>
  probeOne(`${evidence.family}: the form of a license shows its status and expiry`, async () => {
    const doc = await billmgr.read({ func: `${evidence.family}.edit`, elid });
    const { status, expiry, addons } = seenLicense(doc, elid);
    const references = ["remoteid", "comment"].filter((name) => child(doc, name));
    const codes = Object.keys(addons);
    evidence.form = {
      references: references.length > 0,
      expiry: expiry !== undefined,
      status: status !== undefined,
      addons: codes.length > 0,
    };
    const detail = `license ${elid}: status ${status ?? "not shown"}, expiry ${expiry ?? "not shown"}, addons ${
      codes.join(", ") || "not shown"
    }, ${references.join(" and ") || "neither remoteid nor comment"}`;
    return status && expiry ? yes(detail) : no(detail);
  });

const probeQuote = (family: string, elid: string, billmgr: Billmgr): Promise<Finding> =>
  probeOne(`${family}: the price of a prolong can be read`, async () => {
    const { expiry, newExpiry, cost } = await billmgr.quote(elid, 1);
    const detail = `license ${elid}, from ${expiry ?? "?"} to ${newExpiry ?? "?"}${cost ? ` for ${cost}` : ""}`;
    return newExpiry ? yes(detail) : unclear(detail);
  });

const noLicense = "there is no license to check; probe again after the first order";

/** The facts that the system can verify about the family's licenses. */
export function capabilitiesOf({ family, listReferences, incomplete, form }: FamilyEvidence): Finding[] {
  const references = listReferences || form?.references;
  const capabilities: [about: string, answer: Answer][] = [
    ["check before each order that it was not made already", canGuardOrder(references, listReferences, incomplete)],
    ["find an order by its reference after a lost response", canFindOrder(references, listReferences)],
    ["prove that an order was not made, and repeat it automatically", canProveAbsence(references, incomplete)],
    ["verify that a license was prolonged", formShows(form?.expiry, "the expiry")],
    ["verify that addons were changed", formShows(form?.addons, "the addons")],
    ["verify that a license was suspended, resumed, or deleted", formShows(form?.status, "the status")],
  ];
  return capabilities.map(([about, answer]) => ({ about: `${family}: ${about}`, ...answer }));
}

/** Under policy.orderGuard strict. */
function canGuardOrder(
  references: boolean | undefined,
  listReferences: boolean | undefined,
  incomplete: string | undefined,
): Answer {
  if (incomplete) return no(`${incomplete}: orders wait until the whole list can be read`);
  if (references === undefined) return unclear(noLicense);
  if (listReferences) return yes("the list shows our reference");
  return references
    ? yes("the forms show our reference, for up to 50 licenses")
    : no("nothing shows a reference: each order needs attention, unless policy.orderGuard is lenient");
}

function canFindOrder(references: boolean | undefined, listReferences: boolean | undefined): Answer {
  if (references === undefined) return unclear(noLicense);
  if (listReferences) return yes("the list shows it");
  return references ? yes("the forms of the 25 newest licenses show it") : no("nothing shows a reference");
}

function canProveAbsence(references: boolean | undefined, incomplete: string | undefined): Answer {
  if (incomplete) return no(incomplete);
  if (references === undefined) return unclear(noLicense);
  return references ? yes("as soon as one license that the system ordered exists") : no("nothing shows a reference");
}

function formShows(isShown: boolean | undefined, what: string): Answer {
  if (isShown === undefined) return unclear(noLicense);
  return isShown ? yes(`the form shows ${what}`) : no(`the form does not show ${what}`);
}
