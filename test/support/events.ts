import { type Catalog, parseCatalog } from "../../shared/licensing/catalog.ts";
import { type Decision, decide as decideNext } from "../../shared/licensing/decide.ts";
import type { Event, Item } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import type { Change, Operation } from "../../shared/licensing/operation.ts";
import { type License, newSubscription, type Slot, type Subscription } from "../../shared/licensing/subscription.ts";
import { type Instant, toInstant } from "../../shared/licensing/time.ts";

/** "2027-01-31", "2027-01-31T10:00" or a whole ISO time, as UTC. */
export const utc = (text: string): Instant =>
  toInstant(Date.parse(/T/.test(text) ? `${text.replace(/Z$/, "")}Z` : text));

export const catalogJson = {
  billmgr: { url: "https://billmgr.example/manager/billmgr" },
  products: {
    vmmanager6: { pricelist: 55163, addons: { nodes: 55165, virtualMachines: 55164 } },
    dcimanager6: { pricelist: 55161, addons: { racks: 55162 } },
  },
  plans: {
    "vm-monthly": { product: "vmmanager6", period: 1, addons: { nodes: { perUnit: 1 } } },
    "vm-quarterly": { product: "vmmanager6", period: 3, addons: { nodes: { perUnit: 1 } } },
    "vm-yearly": { product: "vmmanager6", period: 12, addons: { nodes: { base: 2, perUnit: 1 } } },
    "vm-trial": { product: "vmmanager6", period: 1, addons: { nodes: { perUnit: 1 } }, trial: { period: -100 } },
    "vm-each": { product: "vmmanager6", period: 1, quantity: "licenses", addons: { nodes: { base: 1 } } },
    "dci-monthly": { product: "dcimanager6", period: 1 },
  },
  extras: {
    "extra-node": { product: "vmmanager6", addons: { nodes: { perUnit: 1 } } },
    "extra-machines": { product: "vmmanager6", addons: { virtualMachines: { perUnit: 10 } } },
  },
  ignored: { standard: ["support"] },
};

export const catalogWith = (policy: Partial<Catalog["policy"]> = {}): Catalog =>
  parseCatalog({ ...catalogJson, policy });

export type Sold = string | [plan: string, quantity: number];

export const itemsOf = (...sold: Sold[]): Item[] =>
  sold.map((one) => (typeof one === "string" ? { names: [one] } : { names: [one[0]], quantity: one[1] }));

type Options = { id?: string; items?: Sold[]; asOf?: string };

let events = 0;

const fact = (at: string, { id, items, asOf }: Options) => ({
  id: id ?? `event-${++events}`,
  occurredAt: utc(at),
  ...(items && { items: { asOf: utc(asOf ?? at), list: itemsOf(...items) } }),
});

type Covers = { from?: string; through: string } | { months: number } | { periodFrom: string } | { intervals: number };

/** A payment. Unless given, its id contains its time. */
export function paid(at: string, covers: Covers, options: Options & { payment?: string; trial?: boolean } = {}): Event {
  return {
    ...fact(at, options),
    type: "payment.succeeded",
    payment: options.payment ?? `payment of ${at}`,
    covers:
      "through" in covers
        ? { ...(covers.from !== undefined && { from: utc(covers.from) }), through: utc(covers.through) }
        : "periodFrom" in covers
          ? { periodFrom: utc(covers.periodFrom) }
          : covers,
    trial: options.trial ?? false,
  };
}

export const failed = (at: string, options: Options = {}): Event => ({ ...fact(at, options), type: "payment.failed" });

export const refunded = (at: string, payment: string, options: Options & { reversed?: boolean } = {}): Event => ({
  ...fact(at, options),
  type: "payment.refunded",
  payment,
  reversed: options.reversed ?? false,
});

export const cancelScheduled = (at: string, endsAt?: string, options: Options = {}): Event => ({
  ...fact(at, options),
  type: "subscription.cancel_scheduled",
  ...(endsAt !== undefined && { endsAt: utc(endsAt) }),
});

const plain =
  (
    type:
      | "subscription.changed"
      | "subscription.paused"
      | "subscription.resumed"
      | "subscription.cancel_withdrawn"
      | "subscription.cancelled",
  ) =>
  (at: string, options: Options = {}): Event => ({ ...fact(at, options), type });

export const changed = (at: string, ...items: Sold[]): Event => plain("subscription.changed")(at, { items });
/** A fact that sets how many months one payment covers. */
export const billedBy = (at: string, interval: number): Event => ({ ...plain("subscription.changed")(at), interval });
/** A fact that sets the end of the current period. */
export const renews = (at: string, renewsAt: string): Event => ({
  ...plain("subscription.changed")(at),
  renewsAt: utc(renewsAt),
});
export const paused = plain("subscription.paused");
export const resumed = plain("subscription.resumed");
export const cancelWithdrawn = plain("subscription.cancel_withdrawn");
export const cancelled = plain("subscription.cancelled");

export const subscriptionOf = (...facts: Event[]): Subscription =>
  facts.reduce(fold, newSubscription("standard", "shop-1"));

export const license = (of: Partial<License> = {}): License => ({
  elid: "101",
  family: "platform",
  trial: false,
  suspended: false,
  addons: { "55165": 1 },
  expiry: "2027-02-01",
  ...of,
});

/** A slot with a license. The default plan is "vm-monthly". */
export const slot = (of: Partial<License> & Partial<Omit<Slot, "license">> = {}): Slot => {
  const { n = 1, generation = 1, product = "vmmanager6", plan = "vm-monthly", replaces, ...ofLicense } = of;
  return {
    n,
    generation,
    product,
    plan,
    ...(replaces && { replaces }),
    license: license({ elid: String(100 + n), ...ofLicense }),
  };
};

/** A subscription that results from the facts, with these slots. */
export const licensed = (slots: Slot[], ...facts: Event[]): Subscription => ({ ...subscriptionOf(...facts), slots });

export const operation = (of: Partial<Operation> & Pick<Operation, "change">): Operation => ({
  n: 1,
  why: "wanted",
  before: {},
  state: "claimed",
  claimedAt: utc("2027-01-01T10:00"),
  observations: [],
  ...of,
});

export type Order = Change & { kind: "order" };

/** The order of the first license of a monthly plan. */
export const orderOf = (of: Partial<Order> = {}): Order => ({
  kind: "order",
  slot: 1,
  generation: 1,
  plan: "vm-monthly",
  product: "vmmanager6",
  family: "platform",
  pricelist: 55163,
  period: 1,
  addons: {},
  autoprolong: null,
  trial: false,
  ...of,
});

/** The decision, without the lists that are empty. */
export function decide(
  subscription: Subscription,
  now: string,
  policy: Partial<Catalog["policy"]> = {},
): Omit<Decision, "attention" | "blocked"> & Partial<Decision> {
  const { attention, blocked, ...decision } = decideNext(subscription, catalogWith(policy), utc(now));
  return {
    ...decision,
    ...(attention.length > 0 && { attention }),
    ...(blocked.length > 0 && { blocked }),
  };
}
