import { parseArgs } from "node:util";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { type Catalog, parseCatalog } from "../../shared/licensing/catalog.ts";
import { Mistake, readFile, run } from "../mistake.ts";
import { madeUpSecrets, readSecrets } from "./options.ts";

const usage = `npm run demo [-- options] [steps]
  --url URL            where npm start listens (http://127.0.0.1:3000)
  --storefront NAME    stripe or standard
  --subscription ID    of an earlier run; a new one without it
  --catalog FILE, --secrets FILE   as given to npm start
steps: buy renew grow fail grace pay cancel end forget; all of them, in this order, without any`;

type Customer = {
  subscription: string;
  catalog: Catalog;
  plan: string;
  quantity: number;
  /** Where the period that is being paid for ends. */
  periodEnd?: Date;
  now: () => Promise<Date>;
};

/** How a storefront tells each step, signed by its own package. */
type Shop = {
  path: string;
  tell: (step: Step, customer: Customer) => Promise<{ body: string; headers: Record<string, string> }[]>;
};

const steps = {
  buy: "buys a license",
  renew: "a month later, the renewal is paid",
  grow: "buys two more nodes",
  fail: "a month later, the renewal cannot be paid",
  grace: "the grace passes",
  pay: "pays at last",
  cancel: "cancels, to the end of the period",
  end: "the period ends",
  forget: "the retention passes",
} as const;
type Step = keyof typeof steps;

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const wanted = positionals.length > 0 ? positionals : Object.keys(steps);
  const unknown = wanted.find((step) => !(step in steps));
  if (unknown) throw new Mistake(`no such step "${unknown}"\n${usage}`);

  const url = new URL(values.url).origin;
  const catalog = readFile(values.catalog, "catalog", parseCatalog);
  const secrets = readFile(values.secrets ?? madeUpSecrets(), "secrets", readSecrets);
  const [secret] = secrets.storefronts[values.storefront] ?? [];
  const create = { stripe: stripeShop, standard: standardShop }[values.storefront];
  if (!create || !secret) throw new Mistake(`there is no secret for the storefront "${values.storefront}"`);
  const shop = create(secret);
  const customer: Customer = {
    subscription: values.subscription ?? `sub_demo_${Date.now().toString(36)}`,
    catalog,
    plan: planFor(catalog, values.storefront),
    quantity: 1,
    now: async () => new Date(((await request(`${url}/local/clock`)) as { now: string }).now),
  };
  console.log(`${values.storefront} subscription ${customer.subscription}, plan ${customer.plan}`);
  for (const step of wanted as Step[]) await play(step, customer, shop, url);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        url: { type: "string", default: "http://127.0.0.1:3000" },
        storefront: { type: "string", default: "stripe" },
        subscription: { type: "string" },
        catalog: { type: "string", default: "catalog.json" },
        secrets: { type: "string" },
      },
    }) as { values: Values; positionals: string[] };
  } catch (error) {
    throw new Mistake(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}
type Values = {
  url: string;
  storefront: "stripe" | "standard";
  subscription?: string;
  catalog: string;
  secrets?: string;
};

/** The first monthly plan with an addon, so that every step has something to change. */
function planFor(catalog: Catalog, storefront: string): string {
  const sold = Object.entries(catalog.plans).filter(
    ([, plan]) => storefront === "standard" || plan.soldAs?.[storefront],
  );
  const [name] = sold.find(([, plan]) => plan.period === 1 && Object.keys(plan.addons).length > 0) ?? sold[0] ?? [];
  if (!name) throw new Mistake(`the catalog sells nothing at ${storefront}`);
  return name;
}

const waits: Partial<Record<Step, string>> = { renew: "P1M", fail: "P1M", grace: "P4D", end: "P1M", forget: "P15D" };

async function play(step: Step, customer: Customer, shop: Shop, url: string): Promise<void> {
  const told = ((await request(`${url}/sandbox/ledger`)) as Entry[]).length;
  const wait = waits[step];
  if (wait) await request(`${url}/local/clock`, { advance: wait });
  if (step === "grow") customer.quantity += 2;
  if (step === "buy" || step === "renew" || step === "fail") {
    customer.periodEnd = monthsAfter(customer.periodEnd ?? (await customer.now()), 1);
  }
  console.log(`\n${(await customer.now()).toISOString().slice(0, 10)}  the customer: ${steps[step]}`);
  for (const { body, headers } of await shop.tell(step, customer)) {
    const response = await fetch(url + shop.path, { method: "POST", body, headers }).catch(unreachable(url));
    if (!response.ok) throw new Mistake(`the webhook was answered ${response.status}: ${await response.text()}`);
    console.log(`            webhook ${(JSON.parse(body) as { type: string }).type}: ${response.status}`);
  }
  // A minute lets billmgr finish what it processes, and the system see that it has.
  await request(`${url}/local/clock`, { advance: "PT1M" });
  const ledger = (await request(`${url}/sandbox/ledger`)) as Entry[];
  for (const entry of ledger.slice(told)) console.log(`            billmgr: ${lineOf(entry)}`);
  if (ledger.length === told) console.log("            billmgr: told nothing");
}

type Entry = { at: string; operation: string; elid: string; cost: number } & Record<string, unknown>;

function lineOf({ at, operation, elid, cost, expiry, addons, pricelist, period }: Entry): string {
  const details = {
    order: `pricelist ${pricelist}, ${period} month(s), addons ${JSON.stringify(addons)}, until ${expiry}`,
    prolong: `${period} month(s), until ${expiry}`,
    edit: `addons ${JSON.stringify(addons)}`,
  }[operation];
  return `${at.slice(0, 16).replace("T", " ")}  ${operation} license ${elid}${details ? `: ${details}` : ""}${cost ? `, cost ${cost}` : ""}`;
}

async function request(url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, body ? { method: "POST", body: JSON.stringify(body) } : {}).catch(unreachable(url));
  if (!response.ok) throw new Mistake(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

const unreachable = (url: string) => (): never => {
  throw new Mistake(`nothing answers at ${url}: is npm start running?`);
};

const monthsAfter = (date: Date, months: number): Date => {
  const later = new Date(date);
  later.setUTCMonth(later.getUTCMonth() + months);
  return later;
};

function standardShop(secret: string): Shop {
  return {
    path: "/webhooks/standard",
    tell: async (step, { subscription, plan, quantity, periodEnd, now }) => {
      const time = await now();
      const paidThrough = periodEnd ?? monthsAfter(time, 1);
      const customer = { id: "1001", email: "customer@example.com" };
      const payment = `${subscription}-${paidThrough.getTime()}`;
      const paid = { payment, plan, quantity, paidThrough };
      const told: Partial<Record<Step, [string, object]>> = {
        buy: ["payment.succeeded", paid],
        renew: ["payment.succeeded", paid],
        grow: ["subscription.changed", { plan, quantity }],
        fail: ["payment.failed", { payment }],
        pay: ["payment.succeeded", paid],
        cancel: ["subscription.cancel_scheduled", { endsAt: paidThrough }],
        end: ["subscription.cancelled", {}],
      };
      const message = told[step];
      if (!message) return [];
      const [type, data] = message;
      const id = `msg_${subscription}_${step}_${time.getTime()}`;
      const body = JSON.stringify({ type, timestamp: time.toISOString(), data: { subscription, customer, ...data } });
      const headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
        "webhook-signature": new Webhook(secret).sign(id, time, body),
      };
      return [{ body, headers }];
    },
  };
}

/** Events in the API's shape of 2025-03-31.basil and later. */
function stripeShop(secret: string): Shop {
  return {
    path: "/webhooks/stripe",
    tell: async (step, customer) => {
      const time = await customer.now();
      const created = Math.floor(time.getTime() / 1000);
      const end = Math.floor((customer.periodEnd ?? monthsAfter(time, 1)).getTime() / 1000);
      const price = customer.catalog.plans[customer.plan]?.soldAs?.stripe?.[0];
      const item = { price: { id: price, product: "prod_demo" }, quantity: customer.quantity, current_period_end: end };
      const subscription = (more: object) => ({
        id: customer.subscription,
        object: "subscription",
        customer: "cus_demo",
        status: "active",
        cancel_at_period_end: false,
        items: { data: [item], has_more: false },
        ...more,
      });
      const invoice = (billing_reason: string) => ({
        id: `in_${customer.subscription}_${end}`,
        object: "invoice",
        created,
        billing_reason,
        customer: "cus_demo",
        customer_email: "customer@example.com",
        total: 1900,
        parent: { subscription_details: { subscription: customer.subscription } },
        lines: {
          has_more: false,
          data: [
            {
              amount: 1900,
              quantity: customer.quantity,
              period: { start: created, end },
              parent: { subscription_item_details: { proration: false, subscription: customer.subscription } },
              pricing: { price_details: { price, product: "prod_demo" } },
            },
          ],
        },
      });
      const told: Record<Step, [string, object][]> = {
        buy: [
          ["customer.subscription.created", subscription({})],
          ["invoice.paid", invoice("subscription_create")],
        ],
        renew: [["invoice.paid", invoice("subscription_cycle")]],
        grow: [["customer.subscription.updated", subscription({})]],
        fail: [
          ["invoice.payment_failed", invoice("subscription_cycle")],
          ["customer.subscription.updated", subscription({ status: "past_due" })],
        ],
        grace: [],
        pay: [
          ["invoice.paid", invoice("subscription_cycle")],
          ["customer.subscription.updated", subscription({})],
        ],
        cancel: [["customer.subscription.updated", subscription({ cancel_at_period_end: true })]],
        end: [["customer.subscription.deleted", subscription({ status: "canceled" })]],
        forget: [],
      };
      return told[step].map(([type, object], i) => {
        const id = `evt_${customer.subscription}_${step}_${created}_${i}`;
        const body = JSON.stringify({ id, object: "event", type, created, livemode: false, data: { object } });
        const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: created });
        return { body, headers: { "content-type": "application/json", "stripe-signature": signature } };
      });
    },
  };
}

await run(main);
