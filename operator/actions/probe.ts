import type { Billmgr, Reader } from "../../shared/billmgr/billmgr.ts";
import { attribute, child, children, type Element, textOf } from "../../shared/billmgr/reply.ts";
import { ReadError } from "../../shared/errors.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { asked, type Finding, no, unclear, yes } from "./finding.ts";
import { ableTo, probeFamily, type Shown } from "./probe-family.ts";

export type ProbeWorld = { billmgr: Billmgr & Reader; catalog: Catalog };

export type Probed = {
  findings: Finding[];
  /** What the system will be able to tell by reading, and what not. */
  able: Finding[];
};

/**
 * Finds out by reading what billmgr's documentation leaves open. It sets the filter of each list and empties it again,
 * as the system itself does; apart from that it changes nothing.
 */
export async function probe(deps: ProbeWorld): Promise<Probed> {
  const { billmgr, catalog } = deps;
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
