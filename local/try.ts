import { keyNamed, nameOf } from "../operator/actions/dependencies.ts";
import type { TryIt } from "../operator/console/context.ts";
import type { Secrets } from "../shared/aws/secrets.ts";
import type { Table } from "../shared/aws/table.ts";
import { PreconditionFailed } from "../shared/errors.ts";
import { keyOf } from "../shared/intake/message.ts";
import type { Catalog } from "../shared/licensing/catalog.ts";
import { coverage, withPeriods } from "../shared/licensing/entitlement.ts";
import type { Subscription } from "../shared/licensing/subscription.ts";
import { after, type Clock } from "./clock.ts";
import type { FaultName, Sandbox } from "./simulators/billmgr/index.ts";
import { shops } from "./simulators/storefronts/index.ts";
import { type Customer, inPeriod, type Shop, type Step, webhooksOf } from "./simulators/storefronts/shop.ts";

const steps: Record<Step, string> = {
  buy: "buys",
  renew: "pays the next period",
  grow: "takes one more",
  fail: "cannot pay",
  refund: "gets the money back",
  cancel: "cancels",
  end: "ends now",
};

/** They take a minute of real time each. */
const slow = ["hang", "hang_then_act", "slow"];

type Parts = {
  url: string;
  clock: Clock;
  table: Pick<Table, "load">;
  catalog: Catalog;
  secrets: () => Secrets;
  settle: () => Promise<void>;
  advanceTo: (moment: Date) => Promise<void>;
  sandbox: Sandbox;
};

/** The shop, the time and billmgr's bad day, on the buttons of the operator's page. What a customer has is in the table. */
export function tryItWith({ url, clock, table, catalog, secrets, settle, advanceTo, sandbox }: Parts): TryIt {
  const now = (): Date => new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
  const customerIn = async (storefront: string, name: string): Promise<Customer> => {
    const stored = await table.load(keyNamed("subscription", name));
    if (!stored) throw new PreconditionFailed(`no subscription ${name} is known`);
    return customerOf(storefront, stored.subscription, catalog);
  };
  return {
    storefronts: async () => {
      const { storefronts } = secrets();
      const open = Object.keys(shops).filter((name) => (storefronts[name] ?? []).length > 0);
      return open.map((name) => ({ name, ...planAt(catalog, name) }));
    },
    stepsAt: (storefront) =>
      Object.fromEntries(Object.entries(steps).filter(([step]) => shops[storefront]?.tell[step as Step])),
    async tell(storefront, step, name) {
      const shop = shops[storefront];
      const [secret] = secrets().storefronts[storefront] ?? [];
      if (!shop || secret === undefined) throw new PreconditionFailed(`the storefront "${storefront}" has no secret`);
      if (!(step in steps)) throw new PreconditionFailed(`no customer does "${step}"`);
      const at = now();
      const customer =
        name === undefined
          ? newCustomer(storefront, shop, catalog, at)
          : afterStep(await customerIn(storefront, name), step as Step, at);
      const webhooks: { type: string; status: number }[] = [];
      for (const { type, body, headers } of webhooksOf(shop, step as Step, customer, secret, at)) {
        const { status } = await fetch(`${url}/webhooks/${storefront}`, { method: "POST", body, headers });
        webhooks.push({ type, status });
      }
      await settle();
      return { name: nameOf(keyOf("subscription", storefront, customer.subscription)), webhooks };
    },
    async advance(duration) {
      const moment = after(clock.now(), duration);
      if (!moment) throw new PreconditionFailed(`"${duration}" is no time to go on by`);
      await advanceTo(moment);
    },
    faults: faultsOf(sandbox),
  };
}

function faultsOf(sandbox: Sandbox): TryIt["faults"] {
  const { known, pending, clear } = sandbox.faults;
  return {
    known: Object.fromEntries(Object.entries(known).filter(([name]) => !slow.includes(name))),
    pending: () => pending().map(({ fault, func, times }) => ({ fault, times, ...(func !== undefined && { func }) })),
    clear,
    plan(fault, func) {
      try {
        sandbox.plan({ fault: fault as FaultName, func });
      } catch (error) {
        throw new PreconditionFailed(error instanceof Error ? error.message : String(error));
      }
    },
  };
}

/** The first monthly plan with an addon, so that each step has something to change. */
export function planAt(catalog: Catalog, storefront: string): { plan?: string; sold?: string; months?: number } {
  const sold = Object.entries(catalog.plans).flatMap(([plan, { soldAs, period, addons }]) => {
    const id = storefront === "standard" ? plan : soldAs?.[storefront]?.[0];
    return id === undefined ? [] : [{ plan, sold: id, months: period, rich: Object.keys(addons).length > 0 }];
  });
  const found = sold.find(({ months, rich }) => months === 1 && rich) ?? sold[0];
  return found ? { plan: found.plan, sold: found.sold, months: found.months } : {};
}

function newCustomer(storefront: string, shop: Shop, catalog: Catalog, began: Date): Customer {
  const { sold, months = 1 } = planAt(catalog, storefront);
  if (sold === undefined) throw new PreconditionFailed(`the catalog sells nothing at ${storefront}`);
  const subscription = shop.newId();
  const email = `customer-${subscription.slice(-4)}@example.com`;
  return inPeriod({ subscription, sold, quantity: 1, months, began, email }, 1);
}

/** What the shop would know of it, read from what it told. */
function customerOf(storefront: string, subscription: Subscription, catalog: Catalog): Customer {
  const { id, items, email, payments } = subscription;
  const [item] = items?.value ?? [];
  const sold = item?.names[0];
  const plan = Object.entries(catalog.plans).find(
    ([name, { soldAs }]) => name === sold || item?.names.some((one) => soldAs?.[storefront]?.includes(one)),
  )?.[1];
  if (sold === undefined || !plan)
    throw new PreconditionFailed(`${storefront}/${id}: the catalog does not sell what it holds`);
  const begins = payments.flatMap(({ paid }) => {
    if (!paid) return [];
    const { covers } = paid.value;
    if ("periodFrom" in covers) return [covers.periodFrom];
    return ["through" in covers && covers.from ? covers.from : paid.at];
  });
  const [began = items?.at ?? ""] = begins.sort();
  const customer = {
    subscription: id,
    sold,
    quantity: item?.quantity ?? 1,
    months: plan.period,
    began: new Date(began),
    email: email?.value ?? "customer@example.com",
  };
  const through = coverage(withPeriods(subscription), catalog.policy.graceDays).at(-1)?.through ?? began;
  // A day off is the same period: HostBill tells days alone.
  return nextPeriod(customer, 1, ({ to }) => to.getTime() >= Date.parse(through) - 86_400_000);
}

function nextPeriod(
  customer: Parameters<typeof inPeriod>[0],
  first: number,
  fits: (one: Customer) => boolean,
): Customer {
  for (let period = first; ; period++) {
    const one = inPeriod(customer, period);
    if (fits(one)) return one;
  }
}

/** As the storefront tells it: who pays late pays the period that runs. */
function afterStep(customer: Customer, step: Step, at: Date): Customer {
  if (step === "grow") return { ...customer, quantity: customer.quantity + 1 };
  if (step !== "renew" && step !== "fail") return customer;
  return nextPeriod(customer, customer.period + 1, ({ to }) => to > at);
}
