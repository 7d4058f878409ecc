import { type Catalog, lookUp, type Plan } from "./catalog.ts";
import { withPeriods } from "./coverage.ts";
import type { Item } from "./event.ts";
import type { Reason } from "./reasons.ts";
import { type License, type Payment, type Replaced, type Slot, type Subscription, stands } from "./subscription.ts";

/** One license that the items of a subscription entitle to, according to the catalog. */
export type Demand = {
  plan: string;
  product: string;
  terms: Plan;
  /** By addon code. */
  addons: Record<string, number>;
};

/** No shop sells more in one subscription. A larger number is a mistyped quantity. */
const maxLicenses = 1000;
const maxUnits = 1_000_000;

/**
 * The licenses that the subscription's items entitle to. `problems` contains why this list may be incomplete or wrong.
 * A missing demand is then no reason to end or reduce a license.
 */
export function demandsOf(subscription: Subscription, catalog: Catalog): { demands: Demand[]; problems: Reason[] } {
  const { storefront, items } = subscription;
  const payments = withPeriods(subscription).filter((payment) => payment.paid && stands(payment));
  if (!items) return { demands: [], problems: payments.length > 0 ? [{ code: "plan_not_stated" }] : [] };
  const demands: Demand[] = [];
  const extras: { name: string; quantity: number }[] = [];
  const problems: Reason[] = [];
  let isIgnored = false;
  for (const item of items.value) {
    const found = lookUp(catalog, storefront, item);
    const quantity = quantityOf(subscription, item);
    if (found === undefined) problems.push({ code: "unknown_item", storefront, names: item.names });
    else if (found === "ignored") isIgnored = true;
    else if (quantity > 0 && "extra" in found) extras.push({ name: found.extra, quantity });
    else if (quantity > 0 && "plan" in found) {
      const more = demandsOfPlan(catalog, found.plan, quantity);
      if (demands.length + more.length > maxLicenses) problems.push({ code: "too_many_licenses", max: maxLicenses });
      else demands.push(...more);
    }
  }
  for (const { name, quantity } of extras) {
    const extra = catalog.extras[name];
    const base = demands.find((demand) => demand.product === extra?.product);
    if (extra && base) addAddons(base.addons, extra.addons, catalog.products[extra.product]?.addons ?? {}, quantity);
    else problems.push({ code: "extra_without_plan", extra: name, product: extra?.product ?? "" });
  }
  if (demands.length > 0 && payments.some(isOpenEnded)) problems.push({ code: "period_not_stated" });
  if (demands.length === 0 && !isIgnored && problems.length === 0 && payments.length > 0) {
    problems.push({ code: "nothing_sold" });
  }
  const believed = demands.filter(({ addons }) => {
    const excess = Object.entries(addons).find(([, value]) => value > maxUnits);
    if (excess) problems.push({ code: "addon_too_large", addon: excess[0], value: excess[1], max: maxUnits });
    return !excess;
  });
  return { demands: believed, problems };
}

const isOpenEnded = ({ paid }: Payment): boolean =>
  paid !== undefined && !("through" in paid.value.covers || "months" in paid.value.covers);

const quantityOf = ({ quantities }: Subscription, { names, quantity }: Item): number =>
  quantity ?? quantities.find(({ id }) => id === names[0])?.register.value ?? 1;

function demandsOfPlan(catalog: Catalog, name: string, quantity: number): Demand[] {
  const terms = catalog.plans[name];
  if (!terms) return [];
  const [count, units] = terms.quantity === "licenses" ? [quantity, 1] : [1, quantity];
  return Array.from({ length: Math.min(count, maxLicenses + 1) }, () => {
    const addons: Record<string, number> = {};
    addAddons(addons, terms.addons, catalog.products[terms.product]?.addons ?? {}, units);
    return { plan: name, product: terms.product, terms, addons };
  });
}

/** An addon's value is `base + perUnit * quantity`. */
function addAddons(
  into: Record<string, number>,
  amounts: Plan["addons"],
  codes: Record<string, number>,
  units: number,
) {
  for (const [name, { base = 0, perUnit = 0 }] of Object.entries(amounts)) {
    const code = String(codes[name]);
    into[code] = (into[code] ?? 0) + base + perUnit * units;
  }
}

export type LicensedSlot = Slot & { license: License };

export type Assignment = {
  /** Demands that have a license. */
  filled: { slot: LicensedSlot; demand: Demand }[];
  /** Demands without a license, each with the slot for it. */
  vacant: { slot: Slot; demand: Demand }[];
  /** Licenses without a demand. `replacement` was ordered to replace the license, and fills a demand now. */
  surplus: { slot: LicensedSlot; replacement?: LicensedSlot }[];
};

/**
 * Pairs demands with slots. A license keeps its plan if possible, and may get another plan of the same product. Slots
 * with low numbers are kept, so the newest license ends first. An exhausted license fills no demand.
 */
export function assign(
  slots: readonly Slot[],
  demands: readonly Demand[],
  isExhausted: (slot: LicensedSlot) => boolean,
): Assignment {
  const licensed = slots.filter((slot): slot is LicensedSlot => slot.license !== undefined);
  const free = licensed.filter((slot) => !isExhausted(slot));
  const filled: Assignment["filled"] = [];
  const open = new Set(demands);
  for (const fits of [
    (slot: Slot, demand: Demand) => slot.plan === demand.plan && slot.product === demand.product,
    (slot: Slot, demand: Demand) => slot.product === demand.product,
  ]) {
    for (const demand of open) {
      const at = free.findIndex((slot) => fits(slot, demand));
      const [slot] = at < 0 ? [] : free.splice(at, 1);
      if (!slot) continue;
      filled.push({ slot, demand });
      open.delete(demand);
    }
  }

  const empty = slots.filter((slot) => slot.license === undefined);
  let last = Math.max(0, ...slots.map((slot) => slot.n));
  const vacant = [...open].map((demand) => {
    const { n, generation, spentThrough } = empty.shift() ?? { n: ++last, generation: 1 };
    const spent = spentThrough !== undefined && { spentThrough };
    return { demand, slot: { n, generation, product: demand.product, plan: demand.plan, ...spent } };
  });

  const surplus = licensed
    .filter((slot) => !filled.some((pair) => pair.slot.n === slot.n))
    .map((slot) => {
      const replacement = filled.find((pair) => isSameSlot(pair.slot.replaces, slot))?.slot;
      return { slot, ...(replacement && { replacement }) };
    });
  return { filled, vacant, surplus };
}

export const isSameSlot = (one: Replaced | undefined, slot: Slot): boolean =>
  one !== undefined && one.n === slot.n && one.generation === slot.generation;
