import { Webhook } from "standardwebhooks";
import {
  basic,
  signFastspring,
  signHostbill,
  signRecharge,
  signSvix,
  woocommerceHeaders,
} from "../../local/simulators/storefronts/signing.ts";
import type { StorefrontName } from "../../shared/licensing/event.ts";
import { type Delivery, deliveriesIn } from "./fixtures.ts";
import { ofInvoice, ofOrder, ofSubscription, signLemonSqueezy } from "./lemonsqueezy.ts";
import { paddleAdjustment, paddleEvent, paddleHeader, paddleSubscription, paddleTransaction } from "./paddle.ts";
import { polarEvent, polarOrder, polarSubscription, signPolar } from "./polar.ts";
import { authinfoWith, plainSecretOf, standardSecretOf } from "./secrets.ts";
import { shopifyHeaders } from "./shopify.ts";
import { invoice, line, stripeEvent, stripeHeader, stripeSubscription } from "./stripe.ts";

/** Signs as a storefront does: with its library if it has one, or by its documented formula. */
export type Signer = {
  secret: string;
  /** @returns the headers that authenticate the body. `id` is used if the storefront signs an id too. */
  sign(body: string, now: Date, secret?: string, id?: string): Record<string, string>;
  /** The required headers. The group of each pattern is the part in which every character counts. */
  counts: Record<string, RegExp>;
  /** False if the headers authenticate only the sender, and not the body. */
  signsBody: boolean;
  /** The maximum age of a signature. The default is 300. */
  toleranceSeconds?: number;
  /** Some of its webhooks. */
  webhooks: Pick<Delivery, "body" | "headers">[];
};

const seconds = (now: Date): number => Math.floor(now.getTime() / 1000);
const all = /^(.+)$/;
const standardCounts = { "webhook-id": all, "webhook-timestamp": all, "webhook-signature": /^v1,(.+)$/ };
const withoutHeaders = (...bodies: unknown[]) => bodies.map((body) => ({ body, headers: {} }));

const secrets = {
  standard: standardSecretOf("standard"),
  stripe: plainSecretOf("stripe"),
  paddle: plainSecretOf("paddle", "pdl_ntfset_"),
  lemonsqueezy: plainSecretOf("lemonsqueezy", ""),
  polar: standardSecretOf("polar"),
  shopify: plainSecretOf("shopify", "shpss_"),
  woocommerce: plainSecretOf("woocommerce", ""),
  chargebee: authinfoWith(": of chargebee"),
  fastspring: plainSecretOf("fastspring", ""),
  hostbill: plainSecretOf("hostbill", ""),
  appstle: standardSecretOf("appstle"),
  recharge: plainSecretOf("recharge", ""),
};

export const signers = {
  standard: {
    secret: secrets.standard,
    sign: (body, now, secret = secrets.standard, id = "msg_1") => ({
      "webhook-id": id,
      "webhook-timestamp": String(seconds(now)),
      "webhook-signature": new Webhook(secret).sign(id, now, body),
    }),
    counts: standardCounts,
    signsBody: true,
    webhooks: withoutHeaders(
      {
        type: "payment.succeeded",
        timestamp: "2027-01-31T10:00:00Z",
        data: {
          subscription: "s1",
          payment: "p1",
          months: 1,
          items: [
            { plan: "vm-monthly", quantity: "2" },
            { plan: "extra-node", quantity: 1 },
          ],
          customer: { id: 7, email: "a@example.com" },
        },
      },
      {
        type: "payment.succeeded",
        timestamp: "2027-01-31 10:00",
        data: { subscription: 1, payment: 2, plan: "vm-each", quantity: 3, paidThrough: "2027-03-01" },
      },
      {
        type: "subscription.cancel_scheduled",
        timestamp: "2027-01-31T10:00:00.5+01:00",
        data: { subscription: "s1", endsAt: "2027-02-28" },
      },
      {
        type: "payment.refunded",
        timestamp: "2027-02-01",
        data: { subscription: "s1", payment: "p1", reversed: false },
      },
    ),
  },
  stripe: {
    secret: secrets.stripe,
    sign: (body, now, secret = secrets.stripe) => ({ "stripe-signature": stripeHeader(body, secret, seconds(now)) }),
    counts: { "stripe-signature": /^t=\d+,v1=(.+)$/ },
    signsBody: true,
    webhooks: withoutHeaders(
      stripeEvent(
        "invoice.paid",
        invoice({ billing_reason: "subscription_create", lines: { data: [line(), line()] } }),
      ),
      stripeEvent("customer.subscription.updated", stripeSubscription()),
      stripeEvent("invoice.payment_failed", invoice()),
      stripeEvent("invoice_payment.paid", { invoice: "in_1", payment: { payment_intent: "pi_1", charge: "ch_1" } }),
      stripeEvent("charge.refunded", { id: "ch_1", payment_intent: "pi_1", refunded: true }),
      stripeEvent("charge.dispute.closed", { id: "dp_1", charge: { id: "ch_1" }, status: "won" }),
    ),
  },
  paddle: {
    secret: secrets.paddle,
    sign: (body, now, secret = secrets.paddle) => ({ "paddle-signature": paddleHeader(body, secret, seconds(now)) }),
    counts: { "paddle-signature": /^ts=\d+;h1=(.+)$/ },
    signsBody: true,
    webhooks: withoutHeaders(
      paddleEvent("subscription.created", paddleSubscription({ transaction_id: "txn_1" })),
      paddleEvent("transaction.completed", paddleTransaction()),
      paddleEvent("transaction.payment_failed", paddleTransaction()),
      paddleEvent("adjustment.updated", paddleAdjustment()),
    ),
  },
  lemonsqueezy: {
    secret: secrets.lemonsqueezy,
    sign: (body, _, secret = secrets.lemonsqueezy) => signLemonSqueezy(body, secret),
    counts: { "x-signature": all },
    signsBody: true,
    webhooks: withoutHeaders(
      ofSubscription("subscription_created"),
      ofInvoice("subscription_payment_success"),
      ofInvoice("subscription_payment_refunded", { refunded: true }),
      ofOrder("order_refunded", { refunded: true }),
    ),
  },
  polar: {
    secret: secrets.polar,
    sign: (body, now, secret = secrets.polar, id = "msg_1") => signPolar(body, secret, seconds(now), id),
    counts: standardCounts,
    signsBody: true,
    webhooks: withoutHeaders(
      polarEvent("subscription.updated", polarSubscription()),
      polarEvent("order.paid", polarOrder()),
      polarEvent("order.refunded", polarOrder({ status: "refunded" })),
    ),
  },
  shopify: {
    secret: secrets.shopify,
    sign: (body, _, secret = secrets.shopify) =>
      shopifyHeaders(body, secret, { topic: "orders/paid", webhookId: "1", triggeredAt: "2027-01-31T10:00:00Z" }),
    counts: { "x-shopify-hmac-sha256": all },
    signsBody: true,
    webhooks: deliveriesIn("shopify"),
  },
  woocommerce: {
    secret: secrets.woocommerce,
    sign: (body, _, secret = secrets.woocommerce) => woocommerceHeaders(body, secret),
    counts: { "x-wc-webhook-signature": all },
    signsBody: true,
    webhooks: deliveriesIn("woocommerce"),
  },
  chargebee: {
    secret: secrets.chargebee,
    sign: (_, __, secret = secrets.chargebee) => ({ authorization: basic(secret) }),
    // The last characters of base64 contain unused bits.
    counts: { authorization: /^Basic (.+).{4}$/ },
    signsBody: false,
    webhooks: deliveriesIn("chargebee"),
  },
  fastspring: {
    secret: secrets.fastspring,
    sign: (body, _, secret = secrets.fastspring) => signFastspring(body, secret),
    counts: { "x-fs-signature": all },
    signsBody: true,
    webhooks: deliveriesIn("fastspring"),
  },
  hostbill: {
    secret: secrets.hostbill,
    sign: (body, now, secret = secrets.hostbill) => signHostbill("after_accountsuspend", body, now, secret),
    counts: { "hb-timestamp": all, "hb-signature": all },
    signsBody: true,
    webhooks: deliveriesIn("hostbill"),
  },
  appstle: {
    secret: secrets.appstle,
    sign: (body, now, secret = secrets.appstle, id = "msg_1") => signSvix(body, secret, seconds(now), id),
    counts: { "svix-id": all, "svix-timestamp": all, "svix-signature": /^v1,(.+)$/ },
    signsBody: true,
    webhooks: deliveriesIn("appstle"),
  },
  recharge: {
    secret: secrets.recharge,
    sign: (body, now, secret = secrets.recharge) => signRecharge(body, secret, seconds(now)),
    counts: { "x-recharge-webhook-signature": /^t=\d+,v1=(.+)$/ },
    signsBody: true,
    toleranceSeconds: 48 * 3600,
    webhooks: deliveriesIn("recharge"),
  },
} satisfies Record<StorefrontName, Signer>;

export const signerOf = (name: StorefrontName): Signer => signers[name];

/** All headers of a webhook that is delivered now. */
export function headersOf(
  storefront: StorefrontName,
  { headers, name: id }: Pick<Delivery, "headers"> & { name?: string },
  text: string,
  now: Date,
): Record<string, string> {
  const { sign, secret } = signerOf(storefront);
  return { ...sign(text, now, secret, id), ...headers };
}
