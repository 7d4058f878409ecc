import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";

/** Signatures of the storefronts without a signing package, by the formulas that they document. */

export const hmac = (secret: string, encoding: "hex" | "base64", ...parts: string[]): string =>
  parts.reduce((digest, part) => digest.update(part), createHmac("sha256", secret)).digest(encoding);

export const signStandard = (body: string, secret: string, seconds: number, id: string) => ({
  "webhook-id": id,
  "webhook-timestamp": String(seconds),
  "webhook-signature": new Webhook(secret).sign(id, new Date(seconds * 1000), body),
});

/** Paddle's SDK only verifies. During a rotation, Paddle signs with each secret. */
export function signPaddle(body: string, secrets: string | string[], seconds: number): string {
  const h1 = [secrets].flat().map((secret) => hmac(secret, "hex", `${seconds}:${body}`));
  return [`ts=${seconds}`, ...h1.map((one) => `h1=${one}`)].join(";");
}

/** Lemon Squeezy's SDK has no signing function. */
export const signLemonSqueezy = (body: string, secret: string) => ({ "x-signature": hmac(secret, "hex", body) });

/** The headers that @shopify/shopify-api requires. Tests verify these signatures with that package. */
export const shopifyHeaders = (
  body: string,
  secret: string,
  of: { topic: string; webhookId: string; triggeredAt: string },
) => ({
  "x-shopify-topic": of.topic,
  "x-shopify-webhook-id": of.webhookId,
  "x-shopify-triggered-at": of.triggeredAt,
  "x-shopify-shop-domain": "example.myshopify.com",
  "x-shopify-api-version": "2026-07",
  "x-shopify-hmac-sha256": hmac(secret, "base64", body),
});

/** The signature of `WC_Webhook::generate_signature`. `secret` is already decoded. */
export const woocommerceHeaders = (body: string, secret: string, topic = "subscription.updated") => ({
  "x-wc-webhook-topic": topic,
  "x-wc-webhook-delivery-id": "the same for all of one second",
  "x-wc-webhook-signature": hmac(secret, "base64", body),
});

/** The header that Chargebee sends for the user and password of the webhook settings. */
export const basic = (secret: string): string => `Basic ${Buffer.from(secret).toString("base64")}`;

/** developer.fastspring.com/docs/message-security */
export const signFastspring = (body: string, secret: string) => ({ "x-fs-signature": hmac(secret, "base64", body) });

/** hostbill.atlassian.net/wiki/spaces/DOCS/pages/259784705 */
export function signHostbill(event: string, body: string, at: Date, secret: string): Record<string, string> {
  const seconds = String(Math.floor(at.getTime() / 1000));
  return {
    "hb-hook": "3",
    "hb-event": event,
    "hb-timestamp": seconds,
    "hb-signature": hmac(secret, "hex", seconds, body),
  };
}

/** Svix signs as Standard Webhooks do, under its own header names. */
export const signSvix = (body: string, secret: string, seconds: number, id: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(signStandard(body, secret, seconds, id)).map(([name, value]) => [
      name.replace("webhook-", "svix-"),
      value,
    ]),
  );

/** developer.rechargepayments.com/2021-11/webhooks_endpoints */
export const signRecharge = (body: string, secret: string, seconds: number) => ({
  "x-recharge-webhook-timestamp": String(seconds),
  "x-recharge-webhook-signature": `t=${seconds},v1=${hmac(secret, "hex", `${seconds}.${body}`)}`,
});
