import { PreconditionFailed } from "../errors.ts";
import { type Catalog, lookUp } from "./catalog.ts";
import { assign, demandsOf } from "./demand.ts";
import type { Customer, Event, Item } from "./event.ts";
import { isOpen } from "./operation.ts";
import { formatReason } from "./reasons.ts";
import { retry } from "./repair.ts";
import type { License, Register, Subscription } from "./subscription.ts";
import { type Instant, noTimestamp, startOf } from "./time.ts";

/** What a customer has already when the shop moves in: what was sold, as the storefront names it, and the licenses of it. */
export type ImportedSubscription = {
  sold: Item[];
  licenses: ImportedLicense[];
  customer: Customer;
  paidThrough?: Instant;
};

/** The plan that a license was sold as. */
export type ImportedLicense = { plan: string; license: License };

/** The name under which a storefront sells a plan or an extra of the catalog. @throws Unfit */
export function soldName(catalog: Catalog, storefront: string, name: string): string {
  const entry = catalog.plans[name] ?? catalog.extras[name];
  const sold = storefront === "standard" ? name : entry?.soldAs?.[storefront]?.[0];
  if (sold !== undefined && lookUp(catalog, storefront, { names: [sold] })) return sold;
  throw new PreconditionFailed(
    `"${name}" is not sold at ${storefront}: the catalog lists nothing under its soldAs.${storefront}`,
  );
}

/** The quantity by which the plan comes to the addons that the license shows; 1 where no quantity does. */
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
 * What is told of the subscription by its moving in: a fact as any other, from before all that the storefront tells. So
 * what that has told or will tell of plan, quantity, customer and end counts instead, and nothing that has ended is taken
 * up again. Payments are a set: one that tells to which day it pays counts as it says, and one that tells months adds
 * them to the day of this fact, whichever came first. Without that day it is the end of the licenses, or nothing where
 * the storefront has told of a payment. @throws Unfit
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
 * Months are counted from the day to which was paid before them, and what no event told nobody but a person knows: the
 * license's end may have these months in it or not. @throws Unfit
 */
export function refuseCountedPayments({ payments }: Subscription): void {
  const counted = payments.find(
    ({ paid }) => paid && ("months" in paid.value.covers || "intervals" in paid.value.covers),
  );
  if (!counted) return;
  throw new PreconditionFailed(
    `the storefront has told of payment ${counted.id}, which counts in months: say to which day it was paidThrough before the payments that the storefront has told`,
  );
}

/**
 * The fact of an import that the subscription has folded, as far as it still shows it: it folds to the same. Undefined
 * where it shows nothing of it.
 */
export function importEventIn(subscription: Subscription, id: string): Event | undefined {
  const { customerId, email, items, quantities, payments } = subscription;
  const toldHere = <T>(register?: Register<T>) => (register?.event === id ? register.value : undefined);
  const customer = { id: toldHere(customerId), email: toldHere(email) };
  const counted = quantities.filter(({ register }) => register.event === id);
  const list =
    toldHere(items) ?? counted.map(({ id: name, register }) => ({ names: [name], quantity: register.value }));
  const paid = toldHere(payments.find((payment) => payment.id === id)?.paid);
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
    `its licenses end on different days (${[...ends].sort().join(", ")}): say to which it is paidThrough`,
  );
}

/** The licenses in the places that are empty and wanted, and nothing that holds it up any more. @throws Unfit */
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
