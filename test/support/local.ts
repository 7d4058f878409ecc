import { type LocalStack, type Options, startStack } from "../../local/stack.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { watchedLog } from "./log.ts";
import { authinfoWith } from "./secrets.ts";
import { signers } from "./signers.ts";

export const standardSecret = signers.standard.secret;
export const stripeSecret = signers.stripe.secret;
export const authinfo = authinfoWith("-correct-horse");

export const testCatalog = (policy: object = {}, limits: object = {}) =>
  parseCatalog({
    billmgr: { url: "https://api.ispsystem.com/manager/billmgr" },
    products: {
      vmmanager6: { pricelist: 55163, addons: { nodes: 55165, virtualMachines: 55164 } },
      dcimanager6: { pricelist: 55161 },
    },
    plans: {
      "vm6-monthly": {
        product: "vmmanager6",
        period: 1,
        addons: { nodes: { perUnit: 1 } },
        soldAs: {
          stripe: ["price_vm6"],
          paddle: ["pri_vm6"],
          lemonsqueezy: ["variant:501"],
          polar: ["2e9d4a61-7c1b-4f7f-b1a0-6f3f0b2c0003"],
          shopify: ["44872881439030"],
          woocommerce: ["sku:vm6"],
          chargebee: ["vm6-EUR-Monthly"],
          fastspring: ["vm6-monthly"],
          hostbill: ["12"],
          appstle: ["44872881439030"],
          recharge: ["44872881439030"],
        },
      },
      "dci6-monthly": {
        product: "dcimanager6",
        period: 1,
        quantity: "licenses",
        soldAs: { stripe: ["price_dci6"], hostbill: ["13"] },
      },
      "dci6-trial": { product: "dcimanager6", period: 1, trial: { period: -100 }, soldAs: { stripe: ["price_trial"] } },
    },
    extras: {
      "vm6-node": { product: "vmmanager6", addons: { nodes: { perUnit: 1 } }, soldAs: { stripe: ["price_node"] } },
    },
    policy,
    limits,
  });

/** A secret that was replaced. The list of secrets contains it before the current one. */
const older = (secret: string): string => secret.replace(/.{4}$/, "AAAA");

export const secrets = JSON.stringify({
  billmgr: authinfo,
  storefronts: Object.fromEntries(Object.entries(signers).map(([name, { secret }]) => [name, [older(secret), secret]])),
});

/** Starts the embedded stack on a free port. Its clock starts at a fixed time, and only the test runs its schedule. */
export const startTestStack = (options: Partial<Options> = {}): Promise<LocalStack> =>
  startStack({
    catalog: testCatalog(),
    secrets: () => secrets,
    clock: new Date("2026-11-23T08:00:00Z"),
    scheduleIntervalMs: 3_600_000,
    ...options,
    log: watchedLog(options.log),
  });

export type Sent = { status: number; body: { error?: string } };

export async function post(url: string, body: string | Buffer, headers: Record<string, string>): Promise<Sent> {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, body: (await response.json()) as Sent["body"] };
}

let events = 0;

export const signStandard = (body: string, time: Date, id = `msg_${++events}`): Record<string, string> =>
  signers.standard.sign(body, time, standardSecret, id);

/** Sends a canonical event to the standard endpoint, signed by the official package at the stack's time. */
export function tell(
  stack: LocalStack,
  type: string,
  data: Record<string, unknown>,
  { at = stack.clock.now(), id }: { at?: Date; id?: string } = {},
): Promise<Sent> {
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data: { subscription: "42", ...data } });
  return post(`${stack.url}/webhooks/standard`, body, signStandard(body, stack.clock.now(), id));
}

/** Sends a Stripe event, signed by the official package at the stack's time. */
export function tellStripe(stack: LocalStack, event: object): Promise<Sent> {
  const payload = JSON.stringify(event);
  return post(`${stack.url}/webhooks/stripe`, payload, signers.stripe.sign(payload, stack.clock.now()));
}

export const inDays = (stack: LocalStack, days: number): Date =>
  new Date(stack.clock.now().getTime() + days * 86_400_000);

export const advanceMinutes = (stack: LocalStack, minutes: number): Promise<void> =>
  stack.advanceTo(new Date(stack.clock.now().getTime() + minutes * 60_000));

export const advanceDays = (stack: LocalStack, days: number): Promise<void> => stack.advanceTo(inDays(stack, days));

/** The operations in billmgr's ledger, each with its license. */
export const done = (stack: LocalStack): string[] =>
  (stack.sandbox?.ledger() ?? []).map(({ operation, elid }) => `${operation} ${elid}`);

export const paid = (paidThrough: Date, more: object = {}) => ({
  payment: `p_${++events}`,
  plan: "vm6-monthly",
  paidThrough: paidThrough.toISOString(),
  ...more,
});

export const stateOf = async (stack: LocalStack, subscription = "standard/42") =>
  (await stack.table.load(`subscription#${subscription as `${string}/${string}`}`))?.subscription;

/** The latest operation in the log. */
export const lastOperation = async (stack: LocalStack, subscription = "standard/42") =>
  (await stack.table.operations(`subscription#${subscription as `${string}/${string}`}`)).at(-1);

/** Calls billmgr as another user of the client area does. */
export const postToBillmgr = (stack: LocalStack, form: Record<string, string>): Promise<Response> =>
  fetch(`${stack.url}/manager/billmgr`, {
    method: "POST",
    body: new URLSearchParams({ authinfo, out: "xml", ...form }),
  });

/** The order of one VMmanager 6 for a month, as the client area sends it. */
export const orderForm = {
  func: "platform.order.param",
  clicked_button: "finish",
  sok: "ok",
  skipbasket: "on",
  pricelist: "55163",
  period: "1",
};
