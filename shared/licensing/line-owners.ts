import { type Catalog, lookUp } from "./catalog.ts";
import type { Event, Item } from "./event.ts";

/** One of the subscriptions of an order. `months`: for how many it is charged each time. */
export type Sharer = { to: string; months?: number };

/** By line: the subscription that it belongs to. */
export type LineOwners = Readonly<Record<string, string>>;

export type SharedOrder = {
  storefront: string;
  /** The lines of all its states. */
  items: readonly Item[];
  /** In the order in which they were linked. */
  sharers: readonly Sharer[];
  owners: LineOwners;
};

/** The name under which a line of an order is known. */
export const lineName = ({ names }: Item): string => names[0] ?? "";

/** Each line once, as the first of the events contains it. */
export function linesOf(events: readonly Event[]): Item[] {
  const lines = events.flatMap(({ items }) => items?.list ?? []);
  return [...new Map(lines.toReversed().map((item) => [lineName(item), item])).values()].toReversed();
}

/** The facts of an order that concern one of its subscriptions: its own lines, and no facts if it owns none of them. */
export function factsOfSharer(events: readonly Event[], { to, months }: Sharer, owners: LineOwners): Event[] {
  const ownsNothing = Object.keys(owners).length > 0 && !Object.values(owners).includes(to);
  return ownsNothing ? [] : events.map((event) => withTerms(event, to, months, owners));
}

/** The link states the months together with the order, so a later change of the interval does not move this payment. */
function withTerms(event: Event, to: string, months: number | undefined, owners: LineOwners): Event {
  const { items } = event;
  const theirs = items && { ...items, list: items.list.filter((item) => owners[lineName(item)] === to) };
  const owned = { ...event, ...(theirs && { items: theirs }) };
  return owned.type === "payment.succeeded" && "intervals" in owned.covers && months !== undefined
    ? { ...owned, covers: { months: months * owned.covers.intervals } }
    : owned;
}

/**
 * Where no contract ever claims an order: the subscription of each plan, by line. One customer's orders of one variant are
 * one subscription, and each pays for the period of its plan.
 */
export function customersOf(
  { storefront, items, owners }: Omit<SharedOrder, "sharers">,
  customer: string,
  catalog: Catalog,
): Map<string, Required<Sharer>> {
  const found = items.flatMap((item) => {
    const sold = lookUp(catalog, storefront, item);
    const plan = typeof sold === "object" && "plan" in sold ? catalog.plans[sold.plan] : undefined;
    if (!plan || owners[lineName(item)] !== undefined) return [];
    // Webhooks of an older API version omit the selling plan, so the name without it identifies the line.
    const variant = item.names.find((name) => !name.includes("@")) ?? lineName(item);
    return [[lineName(item), { to: `${customer}-${variant}`, months: plan.period }] as const];
  });
  return new Map(found);
}

/** The lines that the catalog sells and that belong to no subscription yet. */
export const unclaimedLines = ({ storefront, items, owners }: Omit<SharedOrder, "sharers">, catalog: Catalog): Item[] =>
  items.filter((item) => {
    const found = lookUp(catalog, storefront, item);
    return found !== undefined && found !== "ignored" && owners[lineName(item)] === undefined;
  });

/**
 * The owners of lines that have none yet. No event says which line of an order belongs to which of its subscriptions. So
 * a line belongs to the first one that is charged for as many months as the period of the line's plan. A line that fits none
 * waits for another subscription, which `isSettled` excludes: then it belongs to the only one that owns nothing.
 */
export function newOwners(
  { storefront, items, sharers, owners }: SharedOrder,
  catalog: Catalog,
  isSettled: boolean,
): LineOwners {
  const [first] = sharers;
  if (!first) return {};
  const found = new Map(items.map((item) => [lineName(item), lookUp(catalog, storefront, item)]));
  const plans = new Map(
    [...found].flatMap(([line, sold]) => {
      const plan = typeof sold === "object" && "plan" in sold ? catalog.plans[sold.plan] : undefined;
      return plan ? [[line, plan] as const] : [];
    }),
  );
  const known = new Map(Object.entries(owners));
  const ownerOfPlan = (line: string, period: number): string | undefined =>
    known.get(line) ?? sharers.find(({ months }) => months === period)?.to ?? (plans.size === 1 ? first.to : undefined);
  for (const [line, { period }] of plans) {
    const owner = ownerOfPlan(line, period);
    if (owner !== undefined) known.set(line, owner);
  }
  if (isSettled) {
    const [idle, ...others] = sharers.filter(({ to }) => ![...known.values()].includes(to));
    if (idle && others.length === 0) for (const line of plans.keys()) known.set(line, known.get(line) ?? idle.to);
  }
  for (const [line, sold] of found) {
    if (known.has(line) || plans.has(line)) continue;
    // An extra goes with a plan of its product; goods that the catalog does not list, with the first subscription.
    const product = typeof sold === "object" && "extra" in sold ? catalog.extras[sold.extra]?.product : undefined;
    const withPlan = [...plans].find(([, plan]) => plan.product === product)?.[0];
    const owner = withPlan === undefined ? first.to : known.get(withPlan);
    if (owner !== undefined) known.set(line, owner);
  }
  return Object.fromEntries([...known].filter(([line]) => owners[line] === undefined));
}
