import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../shared/billmgr/outcome.ts";
import { readReply } from "../../shared/billmgr/reply.ts";
import { CatalogError, parseCatalog } from "../../shared/licensing/catalog.ts";
import { chargebee } from "../../shared/storefronts/chargebee.ts";
import { fastspring } from "../../shared/storefronts/fastspring.ts";
import { hostbill } from "../../shared/storefronts/hostbill.ts";
import { lemonsqueezy } from "../../shared/storefronts/lemonsqueezy.ts";
import { paddle } from "../../shared/storefronts/paddle.ts";
import { polar } from "../../shared/storefronts/polar.ts";
import { shopify } from "../../shared/storefronts/shopify.ts";
import { standard } from "../../shared/storefronts/standard.ts";
import { stripe } from "../../shared/storefronts/stripe.ts";
import { woocommerce } from "../../shared/storefronts/woocommerce.ts";
import { catalogJson } from "../support/events.ts";
import { ofInvoice, ofOrder, ofSubscription } from "../support/lemonsqueezy.ts";
import { fixturesOf } from "../support/life.ts";
import { mutatedJson } from "../support/mutations.ts";
import { paddleAdjustment, paddleEvent, paddleSubscription, paddleTransaction } from "../support/paddle.ts";
import { polarEvent, polarOrder, polarSubscription } from "../support/polar.ts";
import { invoice, line, stripeEvent, stripeSubscription } from "../support/stripe.ts";

const replies = [
  '<?xml version="1.0"?><doc lang="en"><id>77</id><ok type="form">func=order</ok></doc>',
  '<doc><error type="value" object="period"><param name="object">period</param><msg>Wrong &lt;period&gt;</msg></error></doc>',
  "<doc><doc><newexpiredate>2027-03-01</newexpiredate></doc><ok/></doc>",
  '<doc><elem><id>1</id><item_status orig="2_stop" color="red">Stopped</item_status></elem><p_elems>1</p_elems></doc>',
];

const edits = fc.array(
  fc.record({
    at: fc.nat(200),
    drop: fc.nat(8),
    put: fc.constantFrom(
      "",
      "<",
      ">",
      "&",
      '"',
      "]]>",
      "<!--",
      "<![CDATA[",
      "</doc>",
      "<doc>",
      "\0",
      "é",
      "<__proto__>",
    ),
  }),
  { maxLength: 4 },
);

const mutatedReplies = fc
  .tuple(fc.constantFrom(...replies), edits)
  .map(([reply, changes]) =>
    changes.reduce((text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop), reply),
  );

test("whatever billmgr answers is a document, an error or unreadable, and some outcome of every change", () => {
  const bodies = fc.oneof(fc.string({ unit: "binary" }), mutatedReplies);
  const kinds = fc.constantFrom("order" as const, "prolong" as const, "delete" as const);
  fc.assert(
    fc.property(bodies, kinds, fc.constantFrom(200, 200, 200, 502), (body, kind, status) => {
      expect(["document", "error", "unreadable"]).toContain(readReply(status, body).is);
      const { outcome } = outcomeOf(kind, { came: "answer", status, body });
      expect(["done", "refused", "unknown"]).toContain(outcome);
    }),
    { numRuns: 3000 },
  );
});

const asJson = (value: unknown): fc.JsonValue => JSON.parse(JSON.stringify(value));

describe("whatever a signed body holds, a storefront tells something of it", () => {
  const payment = {
    type: "payment.succeeded",
    timestamp: "2027-01-31T10:00:00Z",
    data: {
      subscription: "s1",
      payment: "p1",
      months: 1,
      items: [{ plan: "vm-monthly", quantity: "2" }],
      customer: { id: 7, email: "a@example.com" },
    },
  };
  const bodies = {
    standard: [payment],
    stripe: [
      asJson(stripeEvent("invoice.paid", invoice({ lines: { data: [line()] } }))),
      asJson(stripeEvent("customer.subscription.updated", stripeSubscription())),
    ],
    paddle: [
      asJson(paddleEvent("subscription.created", paddleSubscription({ transaction_id: "txn_1" }))),
      asJson(paddleEvent("transaction.completed", paddleTransaction())),
      asJson(paddleEvent("transaction.payment_failed", paddleTransaction())),
      asJson(paddleEvent("adjustment.updated", paddleAdjustment())),
    ],
    lemonsqueezy: [
      asJson(ofSubscription("subscription_created")),
      asJson(ofInvoice("subscription_payment_success")),
      asJson(ofInvoice("subscription_payment_refunded", { refunded: true })),
      asJson(ofOrder("order_refunded", { refunded: true })),
    ],
    polar: [
      asJson(polarEvent("subscription.updated", polarSubscription())),
      asJson(polarEvent("order.paid", polarOrder())),
      asJson(polarEvent("order.refunded", polarOrder({ status: "refunded" }))),
    ],
    shopify: fixturesOf<{ body: fc.JsonValue }>("shopify").map(({ body }) => body),
    woocommerce: fixturesOf<{ body: fc.JsonValue }>("woocommerce").map(({ body }) => body),
    chargebee: fixturesOf<fc.JsonValue>("chargebee"),
    fastspring: fixturesOf<fc.JsonValue>("fastspring"),
    hostbill: fixturesOf<{ body: fc.JsonValue }>("hostbill").flatMap(({ body }) =>
      typeof body === "object" ? [body] : [],
    ),
  };
  const topics = ["shopify", "woocommerce"].flatMap((name) =>
    fixturesOf<{ topic: string }>(name).map(({ topic }) => topic),
  );
  const headers = fc.record({
    "webhook-id": fc.constant("msg_1"),
    "x-shopify-topic": fc.constantFrom(...topics, "", "__proto__", undefined),
    "x-shopify-triggered-at": fc.constantFrom("2027-01-31T10:00:00Z", "soon", undefined),
    "hb-event": fc.constantFrom(...fixturesOf<{ event: string }>("hostbill").map(({ event }) => event), "", undefined),
    "hb-timestamp": fc.constantFrom("1801389600", undefined),
    "x-wc-webhook-topic": fc.constantFrom(...topics, "subscription.deleted", "", "__proto__", undefined),
  });
  test.each([standard, stripe, paddle, lemonsqueezy, polar, shopify, woocommerce, chargebee, fastspring, hostbill])(
    "$name",
    (storefront) => {
      const bodyOf = bodies[storefront.name as keyof typeof bodies];
      const known = fc.oneof(...bodyOf.map((body) => mutatedJson(body)));
      fc.assert(
        fc.property(fc.oneof(fc.jsonValue(), known), headers, (body, given) => {
          const told = storefront.events(body, given);
          const batch = storefront === fastspring && (body as { events?: unknown } | null)?.events;
          const isEmptyBatch = Array.isArray(batch) && batch.length === 0;
          if (!isEmptyBatch) expect(told).not.toEqual([]);
          for (const one of told) {
            expect(["facts", "nothing", "unclear"]).toContain(one.says);
            if (one.says === "unclear" || one.says === "nothing") expect(one.reason).not.toBe("");
          }
        }),
        { numRuns: 3000 },
      );
    },
  );
});

test("whatever a catalog holds, it is one or it is refused by a CatalogError", () => {
  const keys = fc.constantFrom("__proto__", "constructor", "toString", "products", "plans", "billmgr", "url", "addons");
  const nested = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 0, 1, "", "vmmanager6", "https://billmgr.example/x"),
      fc.dictionary(keys, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;
  const values = fc.oneof(fc.jsonValue(), nested, mutatedJson(catalogJson));
  fc.assert(
    fc.property(values, (value) => {
      try {
        parseCatalog(value);
      } catch (error) {
        expect(error).toBeInstanceOf(CatalogError);
        expect((error as Error).message).not.toBe("");
      }
    }),
    { numRuns: 3000 },
  );
});
