import { type Billmgr, type Listing, ReadError, type Reader } from "../../shared/billmgr/billmgr.ts";
import { seenLicense } from "../../shared/billmgr/license.ts";
import { attribute, child, children, type Element, textOf } from "../../shared/billmgr/reply.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";

export type ProbeWorld = { billmgr: Billmgr & Reader; catalog: Catalog };

/** An answer to one question about the account. `unclear`: nothing here could tell. */
export type Finding = { about: string; found: "yes" | "no" | "unclear"; detail: string };

export type Probed = {
  findings: Finding[];
  /** What the system will be able to tell by reading, and what not. */
  able: Finding[];
};

/** What a family's list and the form of one of its licenses showed; what is undefined could not be told. */
type Shown = {
  family: string;
  listReferences?: boolean;
  incomplete?: string | undefined;
  form?: { references: boolean; expiry: boolean; status: boolean; addons: boolean };
};

/**
 * Finds out by reading what billmgr's documentation leaves open. It sets the filter of each list and empties it again,
 * as the system itself does; apart from that it changes nothing.
 */
export async function probe(world: ProbeWorld): Promise<Probed> {
  const { billmgr, catalog } = world;
  const findings: Finding[] = [];
  const [user, refused] = await whoami(billmgr);
  findings.push(user);
  // The next wrong password may be the one that locks the account.
  if (refused === "auth") return { findings, able: [] };
  const balance = await asked("the balance is told", async () => {
    const { amount, currency } = await billmgr.balance();
    return yes(`${amount} ${currency}`);
  });
  findings.push(balance, await menu(billmgr));
  for (const [name, product] of Object.entries(catalog.products))
    findings.push(await orderForm(name, product, billmgr));
  const able: Finding[] = [];
  for (const family of new Set(Object.values(catalog.products).map((product) => product.family))) {
    const shown: Shown = { family };
    findings.push(...(await probeFamily(shown, billmgr)));
    able.push(...ableTo(shown));
  }
  able.push({ ...balance, about: "wait for money, and warn when there is little" });
  return { findings, able };
}

type Answer = Pick<Finding, "found" | "detail">;
const yes = (detail: string): Answer => ({ found: "yes", detail });
const no = (detail: string): Answer => ({ found: "no", detail });
const unclear = (detail: string): Answer => ({ found: "unclear", detail });

async function asked(about: string, ask: () => Promise<Answer>): Promise<Finding> {
  try {
    return { about, ...(await ask()) };
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    const { type } = error.refused ?? {};
    return {
      about,
      found: type === "access" || type === "missed" || type === "auth" ? "no" : "unclear",
      detail: error.message,
    };
  }
}

async function whoami(billmgr: Reader): Promise<[Finding, string | undefined]> {
  const about = "the user is let in";
  try {
    const doc = await billmgr.read({ func: "whoami" });
    const [user, ok] = [child(doc, "user"), textOf(doc, "ok")];
    if (user) return [{ about, ...yes(attribute(user, "name") ?? "whoami tells no name") }, undefined];
    // Observed: with a second factor an <ok> leads to its form, instead of any answer.
    return [{ about, ...(ok ? no(`billmgr leads to ${ok} instead`) : unclear("whoami tells no user")) }, undefined];
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    const { type } = error.refused ?? {};
    // Whoever is told that he may not, or that there is no such function, is in.
    const found = type === "auth" ? "no" : type === undefined ? "unclear" : "yes";
    return [{ about, found, detail: error.message }, type];
  }
}

/** Observed in client areas: the menu's node "mainmenuservice" lists the functions that the account has. */
const menu = (billmgr: Reader): Promise<Finding> =>
  asked("the menu tells the functions", async () => {
    const nodes = nodesIn(await billmgr.read({ func: "menu" }));
    const services = nodes.find((node) => attribute(node, "name") === "mainmenuservice");
    const names = services ? nodesIn(services).flatMap((node) => attribute(node, "name") ?? []) : [];
    return names.length > 0 ? yes(names.join(", ")) : unclear("it has no mainmenuservice");
  });

const nodesIn = (element: Element): Element[] =>
  ["mainmenu", "menu", "node"].flatMap((name) => children(element, name).flatMap((node) => [node, ...nodesIn(node)]));

/** Without `sok` the order is only shown (docs: "the function is simultaneously used to view"). */
const orderForm = (name: string, { family, pricelist, addons }: Catalog["products"][string], billmgr: Reader) =>
  asked(`${name} can be ordered, with the addons of the catalog`, async () => {
    const form = await billmgr.read({ func: `${family}.order.param`, pricelist: String(pricelist) });
    const shown = Object.keys(form).flatMap((field) => /^addon_(\d+)$/.exec(field)?.[1] ?? []);
    const missing = Object.entries(addons).filter(([, code]) => !shown.includes(String(code)));
    if (missing.length === 0) return yes(`pricelist ${pricelist}, addons ${shown.join(", ") || "none"}`);
    const codes = missing.map(([addon, code]) => `${addon} (${code})`).join(", ");
    return shown.length > 0
      ? no(`its form has the addons ${shown.join(", ")}, not ${codes}`)
      : unclear("its form shows no addons");
  });

async function probeFamily(shown: Shown, billmgr: Billmgr & Reader): Promise<Finding[]> {
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

function ableTo({ family, listReferences, incomplete, form }: Shown): Finding[] {
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
