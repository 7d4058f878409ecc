import { parseArgs } from "node:util";
import { readFile, run, UsageError } from "../shared/command-line/usage-error.ts";
import { parseCatalog } from "../shared/licensing/catalog.ts";
import { madeUpSecrets, readSecrets } from "./options.ts";
import { shopNamed } from "./simulators/storefronts/index.ts";
import { inPeriod, type Step, type Webhook, webhooksOf } from "./simulators/storefronts/shop.ts";
import { planAt } from "./try.ts";

const usage = `npm run demo [-- options] [steps]
  --url URL            where npm start listens (http://127.0.0.1:3000)
  --storefront NAME    any of them (stripe)
  --subscription ID    of an earlier run; a new one without it
  --catalog FILE, --secrets FILE   as given to npm start
steps: buy renew grow fail grace pay cancel end forget; all of them, in this order, without any`;

type Demo = {
  says: string;
  /** What the storefront tells then; where it is absent, only time passes. */
  as?: Step;
  /** What passes before it. */
  wait?: string;
  /** By so many the period goes on. */
  period?: number;
  /** By so many the quantity rises. */
  more?: number;
};

const steps = {
  buy: { says: "buys a license", as: "buy" },
  renew: { says: "a month later, the renewal is paid", as: "renew", wait: "P1M", period: 1 },
  grow: { says: "buys two more nodes", as: "grow", more: 2 },
  fail: { says: "a month later, the renewal cannot be paid", as: "fail", wait: "P1M", period: 1 },
  grace: { says: "the grace passes", wait: "P4D" },
  pay: { says: "pays at last", as: "renew" },
  cancel: { says: "cancels, to the end of the period", as: "cancel" },
  end: { says: "the period ends", as: "end", wait: "P1M" },
  forget: { says: "the retention passes", wait: "P15D" },
} as const satisfies Record<string, Demo>;
type DemoStep = keyof typeof steps;

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const wanted = positionals.length > 0 ? positionals : Object.keys(steps);
  const unknown = wanted.find((step) => !(step in steps));
  if (unknown) throw new UsageError(`no such step "${unknown}"\n${usage}`);

  const url = new URL(values.url).origin;
  const catalog = readFile(values.catalog, "catalog", parseCatalog);
  const secrets = readFile(values.secrets ?? madeUpSecrets(), "secrets", readSecrets);
  const shop = shopNamed(values.storefront);
  const [secret] = secrets.storefronts[values.storefront] ?? [];
  if (!shop || !secret) throw new UsageError(`there is no secret for the storefront "${values.storefront}"`);
  const { plan, sold, months } = planAt(catalog, values.storefront);
  if (sold === undefined || months === undefined) {
    throw new UsageError(`the catalog sells nothing at ${values.storefront}`);
  }
  const began = await timeAt(url);
  const subscription = values.subscription ?? shop.newId();
  let customer = inPeriod({ subscription, sold, months, quantity: 1, began, email: "customer@example.com" }, 1);
  console.log(`${values.storefront} subscription ${subscription}, plan ${plan}`);
  for (const step of wanted as DemoStep[]) {
    const told = ((await request(`${url}/sandbox/ledger`)) as Entry[]).length;
    const { says, as, wait, period = 0, more = 0 }: Demo = steps[step];
    if (wait) await request(`${url}/local/clock`, { advance: wait });
    customer = inPeriod({ ...customer, quantity: customer.quantity + more }, customer.period + period);
    const at = await timeAt(url);
    console.log(`\n${at.toISOString().slice(0, 10)}  the customer: ${says}`);
    await send(as ? webhooksOf(shop, as, customer, secret, at) : [], `${url}/webhooks/${values.storefront}`);
    await tellOfBillmgr(url, told);
  }
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
    throw new UsageError(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}
type Values = {
  url: string;
  storefront: string;
  subscription?: string;
  catalog: string;
  secrets?: string;
};

async function send(webhooks: readonly Webhook[], address: string): Promise<void> {
  for (const { type, body, headers } of webhooks) {
    const response = await fetch(address, { method: "POST", body, headers }).catch(unreachable(address));
    if (!response.ok) throw new UsageError(`the webhook was answered ${response.status}: ${await response.text()}`);
    console.log(`            webhook ${type}: ${response.status}`);
  }
}

async function tellOfBillmgr(url: string, told: number): Promise<void> {
  // A minute lets billmgr finish what it processes, and the system see that it has.
  await request(`${url}/local/clock`, { advance: "PT1M" });
  const ledger = (await request(`${url}/sandbox/ledger`)) as Entry[];
  for (const entry of ledger.slice(told)) console.log(`            billmgr: ${lineOf(entry)}`);
  if (ledger.length === told) console.log("            billmgr: told nothing");
}

/** The local time, in whole seconds. */
async function timeAt(url: string): Promise<Date> {
  const { now } = (await request(`${url}/local/clock`)) as { now: string };
  return new Date(Math.floor(Date.parse(now) / 1000) * 1000);
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
  if (!response.ok) throw new UsageError(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

const unreachable = (url: string) => (): never => {
  throw new UsageError(`nothing answers at ${url}: is npm start running?`);
};

await run(main);
