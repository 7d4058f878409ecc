/** Lets a newcomer act as the customer, advance the clock, and break billmgr, on the console's "Try it" pages. */

import { keyNamed, nameOf } from "../operator/actions/dependencies.ts";
import type { TryIt } from "../operator/console/context.ts";
import type { Secrets } from "../shared/aws/secrets.ts";
import type { Table } from "../shared/aws/table.ts";
import { ExpectedError, PreconditionFailed } from "../shared/errors.ts";
import { keyOf } from "../shared/intake/message.ts";
import type { Catalog } from "../shared/licensing/catalog.ts";
import { coverage, withPeriods } from "../shared/licensing/coverage.ts";
import type { Subscription } from "../shared/licensing/subscription.ts";
import { addDuration, type Clock } from "./clock.ts";
import type { FaultName, Sandbox } from "./simulators/billmgr/index.ts";
import { shopNamed, shops } from "./simulators/storefronts/index.ts";
import { type Customer, inPeriod, type Shop, type Step, signedWebhooks } from "./simulators/storefronts/shop.ts";

/** The buttons' labels, after the words "the customer". */
const stepLabels: Record<Step, string> = {
  buy: "buys",
  renew: "pays the next period",
  grow: "adds one unit",
  fail: "fails to pay",
  refund: "gets a refund",
  cancel: "cancels",
  end: "ends immediately",
};

/** These faults take a minute of real time each, so the page does not offer them. */
const slowFaults = ["hang", "hang_then_act", "slow"];

type TryItDependencies = {
  url: string;
  clock: Clock;
  table: Pick<Table, "load">;
  catalog: Catalog;
  secrets: () => Secrets;
  settle: () => Promise<void>;
  advanceTo: (moment: Date) => Promise<void>;
  sandbox: Sandbox;
};

/** Keeps no state: it derives the customer's state from the stored subscription. */
export function createTryIt(deps: TryItDependencies): TryIt {
  const { url, clock, table, catalog, secrets, settle, advanceTo, sandbox } = deps;
  const now = (): Date => new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
  const loadCustomer = async (storefront: string, name: string): Promise<Customer> => {
    const stored = await table.load(keyNamed("subscription", name));
    if (!stored) throw new PreconditionFailed(`the subscription ${name} does not exist`);
    return customerOf(storefront, stored.subscription, catalog);
  };
  return {
    storefronts: async () => {
      const { storefronts } = secrets();
      const open = Object.keys(shops).filter((name) => (storefronts[name] ?? []).length > 0);
      return open.map((name) => ({ name, ...examplePlan(catalog, name) }));
    },
    stepsAt: (storefront) =>
      Object.fromEntries(Object.entries(stepLabels).filter(([step]) => shopNamed(storefront)?.webhooks[step as Step])),
    async send(storefront, step, name) {
      const shop = shopNamed(storefront);
      const [secret] = secrets().storefronts[storefront] ?? [];
      if (!shop || secret === undefined) {
        throw new PreconditionFailed(`the secrets file has no secret for the storefront "${storefront}"`);
      }
      if (!(step in stepLabels)) throw new PreconditionFailed(`"${step}" is not a step of a customer`);
      const at = now();
      const customer =
        name === undefined
          ? newCustomer(storefront, shop, catalog, at)
          : afterStep(await loadCustomer(storefront, name), step as Step, at);
      const responses: { type: string; status: number }[] = [];
      for (const { type, body, headers } of signedWebhooks(shop, step as Step, customer, secret, at)) {
        const { status } = await fetch(`${url}/webhooks/${storefront}`, { method: "POST", body, headers });
        responses.push({ type, status });
      }
      await settle();
      return { name: nameOf(keyOf("subscription", storefront, customer.subscription)), webhooks: responses };
    },
    async advance(duration) {
      const moment = addDuration(clock.now(), duration);
      if (!moment) throw new PreconditionFailed(`"${duration}" is not an ISO 8601 duration such as P1M`);
      await advanceTo(moment);
    },
    faults: offeredFaults(sandbox),
  };
}

function offeredFaults(sandbox: Sandbox): TryIt["faults"] {
  const { known, pending, clear } = sandbox.faults;
  return {
    known: Object.fromEntries(Object.entries(known).filter(([name]) => !slowFaults.includes(name))),
    pending: () => pending().map(({ fault, func, times }) => ({ fault, times, ...(func !== undefined && { func }) })),
    clear,
    plan(fault, func) {
      try {
        sandbox.plan({ fault: fault as FaultName, func });
      } catch (cause) {
        if (!(cause instanceof ExpectedError)) throw cause;
        throw new PreconditionFailed(cause.message, { cause });
      }
    },
  };
}

/** The first monthly plan with an addon, so that each step has something to change; otherwise any plan that is sold there. */
export function examplePlan(catalog: Catalog, storefront: string): { plan?: string; sold?: string; months?: number } {
  const sold = Object.entries(catalog.plans).flatMap(([plan, { soldAs, period, addons }]) => {
    const id = storefront === "standard" ? plan : soldAs?.[storefront]?.[0];
    return id === undefined ? [] : [{ plan, sold: id, months: period, hasAddons: Object.keys(addons).length > 0 }];
  });
  const found = sold.find(({ months, hasAddons }) => months === 1 && hasAddons) ?? sold[0];
  return found ? { plan: found.plan, sold: found.sold, months: found.months } : {};
}

function newCustomer(storefront: string, shop: Shop, catalog: Catalog, began: Date): Customer {
  const { sold, months = 1 } = examplePlan(catalog, storefront);
  if (sold === undefined) throw new PreconditionFailed(`the catalog sells nothing at ${storefront}`);
  const subscription = shop.newId();
  const email = `customer-${subscription.slice(-4)}@example.com`;
  return inPeriod({ subscription, sold, quantity: 1, months, began, email }, 1);
}

/** The customer as the shop would know them, derived from the facts that its webhooks contained. */
function customerOf(storefront: string, subscription: Subscription, catalog: Catalog): Customer {
  const { id, items, email, payments } = subscription;
  const [item] = items?.value ?? [];
  const sold = item?.names[0];
  const plan = Object.entries(catalog.plans).find(
    ([name, { soldAs }]) => name === sold || item?.names.some((one) => soldAs?.[storefront]?.includes(one)),
  )?.[1];
  if (sold === undefined || !plan)
    throw new PreconditionFailed(`${storefront}/${id}: the catalog does not sell what the subscription contains`);
  const starts = payments.flatMap(({ paid }) => {
    if (!paid) return [];
    const { covers } = paid.value;
    if ("periodFrom" in covers) return [covers.periodFrom];
    return ["through" in covers && covers.from ? covers.from : paid.at];
  });
  const [began = items?.at ?? ""] = starts.sort();
  const customer = {
    subscription: id,
    sold,
    quantity: item?.quantity ?? 1,
    months: plan.period,
    began: new Date(began),
    email: email?.value ?? "customer@example.com",
  };
  const paidUntil = coverage(withPeriods(subscription), catalog.policy).at(-1)?.through ?? began;
  // A difference of a day is the same period, because HostBill sends only dates.
  return firstPeriod(customer, 1, ({ to }) => to.getTime() >= Date.parse(paidUntil) - 86_400_000);
}

function firstPeriod(
  customer: Parameters<typeof inPeriod>[0],
  first: number,
  accepts: (one: Customer) => boolean,
): Customer {
  for (let period = first; ; period++) {
    const one = inPeriod(customer, period);
    if (accepts(one)) return one;
  }
}

/** The state that the storefront sends after the step. A late payment is for the current period. */
function afterStep(customer: Customer, step: Step, at: Date): Customer {
  if (step === "grow") return { ...customer, quantity: customer.quantity + 1 };
  if (step !== "renew" && step !== "fail") return customer;
  return firstPeriod(customer, customer.period + 1, ({ to }) => to > at);
}
