/** Probes a billmgr account before going live: which reads it allows, and what the system can verify by them. */
import type { Billmgr, Reader } from "../../shared/billmgr/billmgr.ts";
import { attribute, child, children, type Element, textOf } from "../../shared/billmgr/reply.ts";
import { ReadError } from "../../shared/errors.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { type Finding, no, probeOne, unclear, yes } from "./finding.ts";
import { capabilitiesOf, type FamilyEvidence, probeFamily } from "./probe-family.ts";

export type ProbeDependencies = { billmgr: Billmgr & Reader; catalog: Catalog };

/** `able`: what the system will be able to verify at this account, and what not. */
export type Probed = { findings: Finding[]; able: Finding[] };

/**
 * Answers by reading the questions that billmgr's documentation leaves open. It sets the filter of each list and clears
 * it again, as the system does; it changes nothing else.
 */
export async function probe(deps: ProbeDependencies): Promise<Probed> {
  const { billmgr, catalog } = deps;
  const findings: Finding[] = [];
  const [login, refusal] = await probeLogin(billmgr);
  findings.push(login);
  // One more wrong password could lock the account.
  if (refusal === "auth") return { findings, able: [] };
  const balance = await probeOne("the balance can be read", async () => {
    const { amount, currency } = await billmgr.balance();
    return yes(`${amount} ${currency}`);
  });
  findings.push(balance, await probeMenu(billmgr));
  for (const [name, product] of Object.entries(catalog.products))
    findings.push(await probeOrderForm(name, product, billmgr));
  const able: Finding[] = [];
  for (const family of new Set(Object.values(catalog.products).map((product) => product.family))) {
    const evidence: FamilyEvidence = { family };
    findings.push(...(await probeFamily(evidence, billmgr)));
    able.push(...capabilitiesOf(evidence));
  }
  able.push({ ...balance, about: "retry after a top-up, and warn about a low balance" });
  return { findings, able };
}

async function probeLogin(billmgr: Reader): Promise<[Finding, string | undefined]> {
  const about = "the login works";
  try {
    const doc = await billmgr.read({ func: "whoami" });
    const [user, ok] = [child(doc, "user"), textOf(doc, "ok")];
    if (user) return [{ about, ...yes(attribute(user, "name") ?? "whoami returns no name") }, undefined];
    // Observed: with a second factor, an <ok> that leads to its form replaces every answer.
    return [{ about, ...(ok ? no(`billmgr redirects to ${ok}`) : unclear("whoami returns no user")) }, undefined];
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    const { type } = error.refused ?? {};
    // A missing permission or an unknown function is reported only after a successful login.
    const found = type === "auth" ? "no" : type === undefined ? "unclear" : "yes";
    return [{ about, found, detail: error.message }, type];
  }
}

/** Observed in client areas: the menu node "mainmenuservice" lists the functions of the account. */
const probeMenu = (billmgr: Reader): Promise<Finding> =>
  probeOne("the menu lists the functions", async () => {
    const nodes = nodesIn(await billmgr.read({ func: "menu" }));
    const services = nodes.find((node) => attribute(node, "name") === "mainmenuservice");
    const names = services ? nodesIn(services).flatMap((node) => attribute(node, "name") ?? []) : [];
    return names.length > 0 ? yes(names.join(", ")) : unclear("the menu has no mainmenuservice");
  });

const nodesIn = (element: Element): Element[] =>
  ["mainmenu", "menu", "node"].flatMap((name) => children(element, name).flatMap((node) => [node, ...nodesIn(node)]));

/** Without `sok` the function only shows the order (docs: "the function is simultaneously used to view"). */
const probeOrderForm = (name: string, { family, pricelist, addons }: Catalog["products"][string], billmgr: Reader) =>
  probeOne(`${name} can be ordered with the addons of the catalog`, async () => {
    const form = await billmgr.read({ func: `${family}.order.param`, pricelist: String(pricelist) });
    const shown = Object.keys(form).flatMap((field) => /^addon_(\d+)$/.exec(field)?.[1] ?? []);
    const missing = Object.entries(addons).filter(([, code]) => !shown.includes(String(code)));
    if (missing.length === 0) return yes(`pricelist ${pricelist}, addons ${shown.join(", ") || "none"}`);
    const codes = missing.map(([addon, code]) => `${addon} (${code})`).join(", ");
    return shown.length > 0
      ? no(`the order form has the addons ${shown.join(", ")}, not ${codes}`)
      : unclear("the order form shows no addons");
  });
