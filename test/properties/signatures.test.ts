import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { fastspring } from "../../shared/storefronts/fastspring.ts";
import { hostbill } from "../../shared/storefronts/hostbill.ts";
import { lemonsqueezy } from "../../shared/storefronts/lemonsqueezy.ts";
import { paddle } from "../../shared/storefronts/paddle.ts";
import { polar } from "../../shared/storefronts/polar.ts";
import { shopify } from "../../shared/storefronts/shopify.ts";
import { timelyAt } from "../../shared/storefronts/signatures.ts";
import { standard } from "../../shared/storefronts/standard.ts";
import { stripe } from "../../shared/storefronts/stripe.ts";
import { woocommerce } from "../../shared/storefronts/woocommerce.ts";
import { signFastspring } from "../support/fastspring.ts";
import { signHostbill } from "../support/hostbill.ts";
import { signLemonSqueezy } from "../support/lemonsqueezy.ts";
import { paddleHeader } from "../support/paddle.ts";
import { signPolar, signPolarAsOfOld } from "../support/polar.ts";
import { plainSecretOf, standardSecretOf } from "../support/secrets.ts";
import { shopifyHeaders } from "../support/shopify.ts";
import { stripeHeader, unix } from "../support/stripe.ts";
import { woocommerceHeaders } from "../support/woocommerce.ts";

const now = unix("2027-01-31T10:00");
const timely = timelyAt(() => now * 1000);

/** How each storefront's own library signs; where it does not, the formula that it documents. */
const signers = [
  {
    storefront: stripe,
    secret: plainSecretOf("stripe"),
    header: "stripe-signature",
    encoding: "hex" as const,
    sign: (body: string, secret: string) => ({ "stripe-signature": stripeHeader(body, secret, now) }),
  },
  {
    storefront: standard,
    secret: standardSecretOf("standard"),
    header: "webhook-signature",
    encoding: "base64" as const,
    sign: (body: string, secret: string) => ({
      "webhook-id": "msg_1",
      "webhook-timestamp": String(now),
      "webhook-signature": new Webhook(secret).sign("msg_1", new Date(now * 1000), body),
    }),
  },
  {
    storefront: paddle,
    secret: "pdl_ntfset_synthetic_of_paddle",
    header: "paddle-signature",
    encoding: "hex" as const,
    sign: (body: string, secret: string) => ({ "paddle-signature": paddleHeader(body, secret, now) }),
  },
  {
    storefront: lemonsqueezy,
    secret: "synthetic of Lemon Squeezy",
    header: "x-signature",
    encoding: "hex" as const,
    sign: signLemonSqueezy,
  },
  {
    storefront: polar,
    secret: `whsec_${Buffer.from("a synthetic key of Polar's, 32 b").toString("base64")}`,
    header: "webhook-signature",
    encoding: "base64" as const,
    sign: (body: string, secret: string) => signPolar(body, secret, now),
  },
  {
    storefront: { ...polar, name: "polar, with a secret of before 2026-09-08" },
    secret: "polar_whs_synthetic_of_polar",
    header: "webhook-signature",
    encoding: "base64" as const,
    sign: (body: string, secret: string) => signPolarAsOfOld(body, secret, now),
  },
  {
    storefront: shopify,
    secret: "shpss_synthetic_of_shopify",
    header: "x-shopify-hmac-sha256",
    encoding: "base64" as const,
    sign: (body: string, secret: string) =>
      shopifyHeaders(body, secret, { topic: "orders/paid", webhookId: "1", triggeredAt: "2027-01-31T10:00:00Z" }),
  },
  {
    storefront: woocommerce,
    secret: "synthetic secret of WooCommerce",
    header: "x-wc-webhook-signature",
    encoding: "base64" as const,
    sign: (body: string, secret: string) => woocommerceHeaders(body, secret),
  },
  {
    storefront: fastspring,
    secret: "synthetic secret of FastSpring",
    header: "x-fs-signature",
    encoding: "base64" as const,
    sign: signFastspring,
  },
  {
    storefront: hostbill,
    secret: "synthetic secret of HostBill",
    header: "hb-signature",
    encoding: "hex" as const,
    sign: (body: string, secret: string) => signHostbill("after_accountsuspend", body, new Date(now * 1000), secret),
  },
];

const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  const at = bit % (copy.length * 8);
  copy[at >> 3] = (copy[at >> 3] ?? 0) ^ (1 << (at & 7));
  return copy;
};

describe.each(signers)("$storefront.name", ({ storefront, secret, header, encoding, sign }) => {
  const bodies = fc.string({ unit: "grapheme", minLength: 1 });

  test("accepts what its own library signed", () => {
    fc.assert(
      fc.property(bodies, (text) => {
        const request = { headers: sign(text, secret), body: Buffer.from(text) };
        expect(storefront.verify(request, ["whsec_b3RoZXJvdGhlcm90aGVy", secret], timely)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test("refuses a body in which one bit differs", () => {
    fc.assert(
      fc.property(bodies, fc.nat(), (text, bit) => {
        const request = { headers: sign(text, secret), body: flipped(Buffer.from(text), bit) };
        expect(storefront.verify(request, [secret], timely)).toMatch(/matches not the secret/);
      }),
      { numRuns: 300 },
    );
  });

  test("refuses a signature in which one bit differs, and a part of one", () => {
    fc.assert(
      fc.property(bodies, fc.nat(255), fc.nat(31), (text, bit, length) => {
        const headers: Record<string, string> = sign(text, secret);
        const [, prefix = "", signature = ""] = /^(.*[vh]1[=,])?(.+)$/.exec(headers[header] ?? "") ?? [];
        const bytes = Buffer.from(signature, encoding);
        for (const wrong of [flipped(bytes, bit), bytes.subarray(0, length)]) {
          const request = {
            headers: { ...headers, [header]: prefix + wrong.toString(encoding) },
            body: Buffer.from(text),
          };
          expect(storefront.verify(request, [secret], timely)).not.toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  test("refuses any other secret", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 64 }), (key) => {
        const other = `whsec_${Buffer.from(key).toString("base64")}`;
        fc.pre(other !== secret);
        const request = { headers: sign("{}", other), body: Buffer.from("{}") };
        expect(storefront.verify(request, [secret], timely)).not.toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test("does not throw on any headers", () => {
    const values = fc.option(fc.string({ unit: "binary" }), { nil: undefined });
    const headers = fc.record({
      "stripe-signature": fc.oneof(
        values,
        values.map((value) => `t=${now},v1=${value}`),
      ),
      "paddle-signature": fc.oneof(
        values,
        values.map((value) => `ts=${now};h1=${value}`),
      ),
      "x-signature": values,
      "x-shopify-hmac-sha256": values,
      "shopify-hmac-sha256": values,
      "x-wc-webhook-signature": values,
      "x-fs-signature": values,
      "hb-signature": values,
      "hb-timestamp": fc.oneof(values, fc.constant(String(now))),
      "webhook-id": values,
      "webhook-timestamp": fc.oneof(values, fc.constant(String(now))),
      "webhook-signature": fc.oneof(
        values,
        values.map((value) => `v1,${value}`),
      ),
    });
    fc.assert(
      fc.property(headers, (given) => {
        expect(storefront.verify({ headers: given, body: Buffer.from("{}") }, [secret], timely)).toBeTypeOf("string");
      }),
      { numRuns: 500 },
    );
  });
});
