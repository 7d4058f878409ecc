/** Plays a customer's life against the local system: sends signed webhooks and prints what billmgr did after each step. */

import { parseArgs } from "node:util";
import { readFile, run, UsageError } from "../shared/command-line/usage-error.ts";
import { parseCatalog } from "../shared/licensing/catalog.ts";
import { ensureSecretsFile, readSecrets } from "./options.ts";
import { shopNamed } from "./simulators/storefronts/index.ts";
import { inPeriod, type Step, signedWebhooks, type Webhook } from "./simulators/storefronts/shop.ts";
import { examplePlan } from "./try.ts";

const usage = `npm run demo [-- options] [steps]
  --url URL            the address of npm start (http://127.0.0.1:3000)
  --storefront NAME    the storefront that sends the webhooks (stripe)
  --subscription ID    continue an earlier run; without it, a new subscription
  --catalog FILE, --secrets FILE   as for npm start
steps: buy renew grow fail grace pay cancel end forget; without any, all of them in this order`;

type DemoStep = {
  title: string;
  /** The step that the storefront reports. Without one, only time passes. */
  step?: Step;
  /** The time that passes before the step. */
  wait?: string;
  periodsLater?: number;
  unitsAdded?: number;
};

const steps = {
  buy: { title: "The customer buys a license.", step: "buy" },
  renew: { title: "A month later, the customer pays the renewal.", step: "renew", wait: "P1M", periodsLater: 1 },
  grow: { title: "The customer adds two nodes.", step: "grow", unitsAdded: 2 },
  fail: { title: "A month later, the payment of the renewal fails.", step: "fail", wait: "P1M", periodsLater: 1 },
  grace: { title: "The grace period ends.", wait: "P4D" },
  pay: { title: "The customer pays.", step: "renew" },
  cancel: { title: "The customer cancels at the end of the period.", step: "cancel" },
  end: { title: "The period ends.", step: "end", wait: "P1M" },
  forget: { title: "The retention period ends.", wait: "P15D" },
} as const satisfies Record<string, DemoStep>;

async function main(): Promise<void> {
  const { values, positionals } = readDemoArguments();
  const names = positionals.length > 0 ? positionals : Object.keys(steps);
  const unknown = names.find((name) => !(name in steps));
  if (unknown) throw new UsageError(`"${unknown}" is not a step\n${usage}`);

  const url = new URL(values.url).origin;
  const catalog = readFile(values.catalog, "catalog", parseCatalog);
  const secrets = readFile(values.secrets ?? ensureSecretsFile(), "secrets", readSecrets);
  const shop = shopNamed(values.storefront);
  const [secret] = secrets.storefronts[values.storefront] ?? [];
  if (!shop || !secret)
    throw new UsageError(`the secrets file has no secret for the storefront "${values.storefront}"`);
  const { plan, sold, months } = examplePlan(catalog, values.storefront);
  if (sold === undefined || months === undefined) {
    throw new UsageError(`the catalog sells nothing at ${values.storefront}; add its ids under soldAs`);
  }
  const began = await localTime(url);
  const subscription = values.subscription ?? shop.newId();
  let customer = inPeriod({ subscription, sold, months, quantity: 1, began, email: "customer@example.com" }, 1);
  console.log(`${values.storefront} subscription ${subscription}, plan ${plan}`);
  for (const name of names as (keyof typeof steps)[]) {
    const { title, step, wait, periodsLater = 0, unitsAdded = 0 }: DemoStep = steps[name];
    const before = (await readLedger(url)).length;
    if (wait) await request(`${url}/local/clock`, { advance: wait });
    customer = inPeriod({ ...customer, quantity: customer.quantity + unitsAdded }, customer.period + periodsLater);
    const at = await localTime(url);
    console.log(`\n${at.toISOString().slice(0, 10)}  ${title}`);
    await send(step ? signedWebhooks(shop, step, customer, secret, at) : [], `${url}/webhooks/${values.storefront}`);
    await printNewEntries(url, before);
  }
}

function readDemoArguments() {
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
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : cause}\n${usage}`, { cause });
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
    const response = await fetch(address, { method: "POST", body, headers }).catch(refuseUnreachable(address));
    if (!response.ok) throw new UsageError(`the webhook was answered ${response.status}: ${await response.text()}`);
    console.log(`            webhook ${type}: ${response.status}`);
  }
}

async function printNewEntries(url: string, before: number): Promise<void> {
  // Within a minute billmgr finishes processing, and the system observes it.
  await request(`${url}/local/clock`, { advance: "PT1M" });
  const entries = (await readLedger(url)).slice(before);
  for (const entry of entries) console.log(`            billmgr: ${lineOf(entry)}`);
  if (entries.length === 0) console.log("            billmgr: no change");
}

/** The local time, in whole seconds. */
async function localTime(url: string): Promise<Date> {
  const { now } = (await request(`${url}/local/clock`)) as { now: string };
  return new Date(Math.floor(Date.parse(now) / 1000) * 1000);
}

type Entry = { at: string; operation: string; elid: string; cost: number } & Record<string, unknown>;

const readLedger = async (url: string): Promise<Entry[]> => (await request(`${url}/sandbox/ledger`)) as Entry[];

function lineOf({ at, operation, elid, cost, expiry, addons, pricelist, period }: Entry): string {
  const details = {
    order: `pricelist ${pricelist}, ${period} month(s), addons ${JSON.stringify(addons)}, until ${expiry}`,
    prolong: `${period} month(s), until ${expiry}`,
    edit: `addons ${JSON.stringify(addons)}`,
  }[operation];
  return `${at.slice(0, 16).replace("T", " ")}  ${operation} license ${elid}${details ? `: ${details}` : ""}${cost ? `, cost ${cost}` : ""}`;
}

async function request(url: string, body?: unknown): Promise<unknown> {
  const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
  const response = await fetch(url, init).catch(refuseUnreachable(url));
  if (!response.ok) throw new UsageError(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

const refuseUnreachable =
  (url: string) =>
  (cause: unknown): never => {
    throw new UsageError(
      `nothing answers at ${new URL(url).origin}; start the system with npm start, or pass its address with --url`,
      {
        cause,
      },
    );
  };

await run(main);
