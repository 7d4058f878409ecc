/** Reads the parameters of a request. A value that billmgr would not accept throws a Refusal. */

import { type Account, find } from "./account.ts";
import type { Terms } from "./changes.ts";
import { Refusal } from "./documents.ts";
import type { License } from "./license.ts";
import { idsOf, type Params } from "./names.ts";
import { type Addons, type Family, findProduct, type Product, TRIAL } from "./products.ts";

/** The licenses that the parameter elid names. */
export function licensesOf(account: Account, params: Params, family?: Family): [License, ...License[]] {
  const [first, ...others] = idsOf(params).map((id) => {
    const license = find(account, id);
    if (family && license.family !== family) throw new Refusal("missed", "item", "The item does not exist", id);
    return license;
  });
  if (!first) throw new Refusal("missed", "elid", "The parameter elid is missing");
  return [first, ...others];
}

export function productFor(family: Family, { pricelist }: Params): Product {
  // Observed: an order without a pricelist requests the wizard's earlier steps.
  if (!pricelist) throw new Refusal("wizard_unavailable", "", "The order wizard is unavailable");
  const product = findProduct(pricelist);
  if (product?.family !== family) throw invalid("pricelist", pricelist);
  return product;
}

export function termsOf(product: Product, params: Params): Terms {
  const { autoprolong = "null" } = params;
  const period = choice("period", params.period, [...product.periods, TRIAL]);
  const renews = autoprolong !== "null" && autoprolong !== "";
  const every = renews ? choice("autoprolong", autoprolong, product.periods) : null;
  return { product, period, addons: addonsOf(product, params), autoprolong: period === TRIAL ? null : every };
}

export function addonsOf(product: Product, params: Params): Addons {
  const addons: Addons = {};
  for (const [name, value] of Object.entries(params)) {
    const code = /^addon_(.+)(?<!_current_value)$/.exec(name)?.[1];
    if (code === undefined) continue;
    if (!Object.hasOwn(product.addons, code) || !/^\d{1,9}$/.test(value)) throw invalid(name, value);
    addons[code] = Number(value);
  }
  return addons;
}

export function choice(name: string, value: string | undefined, choices: readonly number[]): number {
  const found = choices.find((candidate) => String(candidate) === value);
  if (found === undefined) throw invalid(name, value);
  return found;
}

function invalid(name: string, value: string | undefined): Refusal {
  return new Refusal("value", name, `The field ${name} has an invalid value`, value);
}
