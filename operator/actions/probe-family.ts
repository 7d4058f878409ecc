import type { Billmgr, Listing, Reader } from "../../shared/billmgr/billmgr.ts";
import { seenLicense } from "../../shared/billmgr/license.ts";
import { child, children, textOf } from "../../shared/billmgr/reply.ts";
import { type Answer, asked, type Finding, no, unclear, yes } from "./finding.ts";

/** What a family's list and the form of one of its licenses showed; what is undefined could not be told. */
export type Shown = {
  family: string;
  listReferences?: boolean;
  incomplete?: string | undefined;
  form?: { references: boolean; expiry: boolean; status: boolean; addons: boolean };
};

export async function probeFamily(shown: Shown, billmgr: Billmgr & Reader): Promise<Finding[]> {
  const { family } = shown;
  let listing: Listing | undefined;
  const list = await asked(`${family}: the list can be read whole`, async () => {
    listing = await billmgr.licenses(family);
    shown.incomplete = listing.incomplete;
    return listing.incomplete ? no(listing.incomplete) : yes(`licenses listed: ${listing.rows.length}`);
  });
  if (!listing) {
    shown.incomplete = "the list cannot be read";
    return [list];
  }
  const { rows } = listing;
  const alive = rows.find(({ status }) => status === "active") ?? rows.find(({ status }) => status !== "deleted");
  const more = [await filterWorks(family, rows.length, billmgr), await columnsOf(shown, billmgr)];
  if (!alive) return [list, ...more, { about: `${family}: the form of a license`, ...unclear("there is no license") }];
  more.push(await formOf(shown, alive.elid, billmgr), await quoteOf(family, alive.elid, billmgr));
  return [list, ...more];
}

const filterWorks = (family: string, rows: number, billmgr: Billmgr & Reader): Promise<Finding> =>
  asked(`${family}: a filter that was left in the account is emptied`, async () => {
    if (rows === 0) return unclear("there is no license that a filter could hide");
    await billmgr.read({ func: `${family}.filter`, sok: "ok", id: "1" });
    const filtered = textOf(await billmgr.read({ func: family, p_cnt: "1", p_num: "1" }), "p_elems");
    const after = await billmgr.licenses(family);
    if (after.incomplete) return no(after.incomplete);
    if (after.rows.length !== rows) return no(`${rows} licenses before, ${after.rows.length} after it was emptied`);
    return Number(filtered) < rows
      ? yes(`it hid ${rows - Number(filtered)} of ${rows}, and none after that`)
      : unclear("a filter could not be set from here");
  });

const columnsOf = (shown: Shown, billmgr: Reader): Promise<Finding> =>
  asked(`${shown.family}: the list shows our reference`, async () => {
    const doc = await billmgr.read({ func: shown.family, p_cnt: "1", p_num: "1" });
    const [row] = children(doc, "elem");
    if (!row) return unclear("there is no license");
    const columns = ["remoteid", "comment"].filter((name) => child(row, name));
    shown.listReferences = columns.length > 0;
    const { status, expiry } = seenLicense(row);
    const others = `status ${status ?? "not shown"}, expiry ${expiry ?? "not shown"}`;
    return columns.length > 0
      ? yes(`${columns.join(" and ")}; ${others}`)
      : no(`neither remoteid nor comment; ${others}`);
  });

const formOf = (shown: Shown, elid: string, billmgr: Reader): Promise<Finding> =>
  asked(`${shown.family}: the form of a license tells its state`, async () => {
    const doc = await billmgr.read({ func: `${shown.family}.edit`, elid });
    const { status, expiry, addons } = seenLicense(doc, elid);
    const references = ["remoteid", "comment"].filter((name) => child(doc, name));
    const told = Object.keys(addons);
    shown.form = {
      references: references.length > 0,
      expiry: expiry !== undefined,
      status: status !== undefined,
      addons: told.length > 0,
    };
    const detail = `license ${elid}: status ${status ?? "not shown"}, expiry ${expiry ?? "not shown"}, addons ${
      told.join(", ") || "not shown"
    }, ${references.join(" and ") || "neither remoteid nor comment"}`;
    return status && expiry ? yes(detail) : no(detail);
  });

const quoteOf = (family: string, elid: string, billmgr: Billmgr): Promise<Finding> =>
  asked(`${family}: a prolong can be quoted`, async () => {
    const { expiry, newExpiry, cost } = await billmgr.quote(elid, 1);
    const detail = `license ${elid}, from ${expiry ?? "?"} to ${newExpiry ?? "?"}${cost ? ` for ${cost}` : ""}`;
    return newExpiry ? yes(detail) : unclear(detail);
  });

/** What the system will be able to tell of the family's licenses by reading. */
export function ableTo({ family, listReferences, incomplete, form }: Shown): Finding[] {
  const about = (what: string) => `${family}: ${what}`;
  const references = listReferences || form?.references;
  const noLicense = "there is no license to see it on: probe again after the first order";
  const bySeeing = (shown: boolean | undefined, what: string): Answer =>
    shown === undefined
      ? unclear(noLicense)
      : shown
        ? yes(`the form shows ${what}`)
        : no(`the form does not show ${what}`);
  let found: Answer;
  let absence: Answer;
  if (references === undefined) found = unclear(noLicense);
  else if (listReferences) found = yes("the list shows it");
  else
    found = references
      ? yes("the forms show it, of the 25 newest licenses")
      : no("nothing shows a reference: a person has to look");
  if (incomplete) absence = no(incomplete);
  else if (references === undefined) absence = unclear(noLicense);
  else
    absence = references ? yes("once one license that the system ordered is there") : no("nothing shows a reference");
  return [
    { about: about("find an order whose answer was lost, by its reference"), ...found },
    { about: about("prove that an order was not made, and make it again by itself"), ...absence },
    { about: about("see that a license was prolonged"), ...bySeeing(form?.expiry, "the expiry") },
    { about: about("see that addons were changed"), ...bySeeing(form?.addons, "the addons") },
    { about: about("see that a license was suspended, resumed or deleted"), ...bySeeing(form?.status, "the status") },
  ];
}
