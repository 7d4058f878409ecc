import { PreconditionFailed } from "../errors.ts";
import { type Catalog, lookUp } from "./catalog.ts";
import { assign, demandsOf } from "./demand.ts";
import type { Customer, Event, Item } from "./event.ts";
import { isOpen } from "./operation.ts";
import { formatReason } from "./reasons.ts";
import { retry } from "./repair.ts";
import type { License, Register, Subscription } from "./subscription.ts";
import { type Instant, noTimestamp, startOf } from "./time.ts";

/** A subscription that existed before this system: the sold items by the storefront's names, and their licenses. */
export type ImportedSubscription = {
  sold: Item[];
  licenses: ImportedLicense[];
  customer: Customer;
  paidThrough?: Instant;
};

/** A license, and the plan as which it was sold. */
export type ImportedLicense = { plan: string; license: License };

/** The name under which a storefront sells a plan or an extra of the catalog. @throws PreconditionFailed */
export function soldName(catalog: Catalog, storefront: string, name: string): string {
  const entry = catalog.plans[name] ?? catalog.extras[name];
  const sold = storefront === "standard" ? name : entry?.soldAs?.[storefront]?.[0];
  if (sold !== undefined && lookUp(catalog, storefront, { names: [sold] })) return sold;
  throw new PreconditionFailed(
    `"${name}" is not sold at ${storefront}: the catalog lists nothing under its soldAs.${storefront}`,
  );
}

/** The quantity for which the plan has the addons that the license shows, or 1 if no quantity matches. */
export function quantityShown(catalog: Catalog, name: string, addons: License["addons"]): number {
  const plan = catalog.plans[name];
  const codes = catalog.products[plan?.product ?? ""]?.addons ?? {};
  for (const [addon, { base = 0, perUnit = 0 }] of Object.entries(plan?.addons ?? {})) {
    const quantity = ((addons[String(codes[addon])] ?? 0) - base) / perUnit;
    if (Number.isInteger(quantity) && quantity > 0) return quantity;
  }
  return 1;
}

export const importEventId = (elids: readonly string[]): string => `import-${[...elids].sort()[0] ?? ""}`;

/**
 * The fact that an import adds to a subscription. Its time is before all of the storefront's events. So the
 * storefront's plan, quantity, customer, and end take precedence, and an ended subscription stays ended.
 *
 * Payments are a set, so their order does not matter. A payment with an end keeps its end. A payment of months adds
 * them to the end of this fact's payment. That end is `paidThrough`. Without it, the licenses' expiry is the end; if
 * the storefront has already sent a payment, the fact contains none. @throws PreconditionFailed
 */
export function importEvent(
  subscription: Subscription,
  { sold, licenses, customer, paidThrough }: ImportedSubscription,
): Event {
  const fact = {
    id: importEventId(licenses.map(({ license }) => license.elid)),
    occurredAt: noTimestamp,
    customer,
    items: { asOf: noTimestamp, list: sold },
  };
  if (paidThrough === undefined) refuseCountedPayments(subscription);
  const isPaid = subscription.payments.some(({ paid }) => paid);
  const through = paidThrough ?? (isPaid ? undefined : commonExpiry(licenses));
  if (through === undefined) return { ...fact, type: "subscription.changed" };
  return { ...fact, type: "payment.succeeded", payment: fact.id, covers: { through }, trial: false };
}

/**
 * Refuses to guess the paid time of a subscription whose payments count in months. Such months are added to the time
 * that was paid before, which no event contains. The license's expiry may already include them. @throws
 * PreconditionFailed
 */
export function refuseCountedPayments({ payments }: Subscription): void {
  const counted = payments.find(
    ({ paid }) => paid && ("months" in paid.value.covers || "intervals" in paid.value.covers),
  );
  if (!counted) return;
  throw new PreconditionFailed(
    `the storefront sent payment ${counted.id}, which counts in months: set paidThrough to the day until which it was paid before the storefront's payments`,
  );
}

/**
 * Restores an import's fact from the values of it that the subscription still contains. Folding it again changes
 * nothing. Returns undefined if no such value is left.
 */
export function importEventIn(subscription: Subscription, id: string): Event | undefined {
  const { customerId, email, items, quantities, payments } = subscription;
  const imported = <T>(register?: Register<T>) => (register?.event === id ? register.value : undefined);
  const customer = { id: imported(customerId), email: imported(email) };
  const counted = quantities.filter(({ register }) => register.event === id);
  const list =
    imported(items) ?? counted.map(({ id: name, register }) => ({ names: [name], quantity: register.value }));
  const paid = imported(payments.find((payment) => payment.id === id)?.paid);
  if (!paid && list.length === 0 && customer.id === undefined && customer.email === undefined) return undefined;
  const fact = {
    id,
    occurredAt: noTimestamp,
    customer: {
      ...(customer.id !== undefined && { id: customer.id }),
      ...(customer.email !== undefined && { email: customer.email }),
    },
    ...(list.length > 0 && { items: { asOf: noTimestamp, list } }),
  };
  return paid
    ? { ...fact, type: "payment.succeeded", payment: id, ...paid }
    : { ...fact, type: "subscription.changed" };
}

function commonExpiry(licenses: readonly ImportedLicense[]): Instant {
  const ends = new Set(licenses.map(({ license }) => license.expiry ?? ""));
  const [end = "", another] = [...ends].sort();
  if (another === undefined) return startOf(end);
  throw new PreconditionFailed(
    `its licenses end on different days (${[...ends].sort().join(", ")}): set paidThrough to the day until which it is paid`,
  );
}

/** Puts the licenses into the vacant slots, and clears attention items and backoff. @throws PreconditionFailed */
export function importLicenses(
  subscription: Subscription,
  licenses: readonly ImportedLicense[],
  catalog: Catalog,
  now: Instant,
): Subscription {
  const { operation, slots } = subscription;
  if (isOpen(operation)) throw new PreconditionFailed(`its operation ${operation.n} is still open: settle that first`);
  const { demands, problems } = demandsOf(subscription, catalog);
  const [problem] = problems;
  if (problem) throw new PreconditionFailed(formatReason(problem));
  const { vacant } = assign(slots, demands, () => false);
  const filled = licenses.map(({ plan, license }) => {
    const at = vacant.findIndex(({ demand }) => demand.plan === plan);
    const [place] = at < 0 ? [] : vacant.splice(at, 1);
    if (!place)
      throw new PreconditionFailed(
        `it has no place for license ${license.elid}: ${wants(subscription, plan, demands)}`,
      );
    return { ...place.slot, license };
  });
  const others = slots.filter(({ n }) => !filled.some((slot) => slot.n === n));
  return { ...retry(subscription, now), slots: [...others, ...filled].sort((a, b) => a.n - b.n) };
}

function wants({ slots }: Subscription, plan: string, demands: readonly { plan: string }[]): string {
  const wanted = demands.filter((demand) => demand.plan === plan).length;
  const held = slots.flatMap(({ license }) => (license ? [license.elid] : []));
  return `it is entitled to ${wanted} of ${plan}${held.length > 0 ? `, and holds ${held.join(", ")}` : ""}`;
}
