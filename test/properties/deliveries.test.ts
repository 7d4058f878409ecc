import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import type { Subject } from "../../shared/storefronts/storefront.ts";
import { fixturesOf } from "../support/life.ts";
import { isPurchase, PerfectBillmgr } from "../support/perfect-billmgr.ts";
import type { ShopifyWebhook } from "../support/shopify.ts";

type Webhook = { at: Date; body: unknown; headers: Record<string, string> };

const lives: { storefront: string; webhooks: Webhook[] }[] = [
  {
    storefront: "shopify",
    webhooks: fixturesOf<ShopifyWebhook>("shopify").map(({ body, topic, webhookId, triggeredAt }) => ({
      at: new Date(triggeredAt),
      body,
      headers: {
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": webhookId,
        "x-shopify-triggered-at": triggeredAt,
      },
    })),
  },
  {
    storefront: "woocommerce",
    webhooks: fixturesOf<{ topic: string; body: { date_modified_gmt: string } }>("woocommerce").map(
      ({ topic, body }) => ({
        at: new Date(`${body.date_modified_gmt}Z`),
        body,
        headers: { "x-wc-webhook-topic": topic },
      }),
    ),
  },
  {
    storefront: "chargebee",
    webhooks: fixturesOf<{ occurred_at: number }>("chargebee").map((body) => ({
      at: new Date(body.occurred_at * 1000 + 1000),
      body,
      headers: {},
    })),
  },
];

const catalog = parseCatalog({
  billmgr: { url: "https://billmgr.example/manager/billmgr" },
  products: { vmmanager6: { pricelist: 55163, addons: { nodes: 55165 } } },
  plans: {
    "vm6-monthly": {
      product: "vmmanager6",
      period: 1,
      addons: { nodes: { perUnit: 1 } },
      soldAs: { shopify: ["sku:VM6"], woocommerce: ["633"], chargebee: ["vm6-EUR-Monthly"] },
    },
  },
});

/** What each webhook says of the one subscription of a life, payments under the name by which that knows them. */
function factsOf(name: string, webhooks: readonly Webhook[]): { at: number; events: Event[] }[] {
  const told = webhooks.flatMap(({ at, body, headers }) =>
    (storefrontNamed(name)?.events(body, headers) ?? []).map((one) => ({ at: at.getTime(), one })),
  );
  const links = new Map<string, Subject>();
  for (const { one } of told) {
    for (const { reference, to } of (one.says === "facts" && one.links) || []) links.set(reference, to);
  }
  return told.map(({ at, one }, i) => {
    expect(one.says).not.toBe("unclear");
    if (one.says !== "facts") return { at, events: [] };
    const payment = "reference" in one.about ? one.about.reference : undefined;
    if (payment) expect(links.get(payment)).toHaveProperty("subscription");
    const events = one.events.map((event): Event => {
      const known = { ...event, id: one.id || `event ${i}` };
      return payment && "payment" in known ? { ...known, payment } : known;
    });
    return { at, events };
  });
}

describe.each(lives)("a life at $storefront", ({ storefront, webhooks }) => {
  const facts = factsOf(storefront, webhooks);
  const fresh = () => newSubscription(storefront, "sold");

  test("says the same in any order, with any of it repeated", () => {
    const folded = (said: typeof facts) => said.flatMap(({ events }) => events).reduce(fold, fresh());
    const twice = [...facts, ...facts];
    fc.assert(
      fc.property(fc.shuffledSubarray(twice, { minLength: facts.length }), (order) => {
        const missing = facts.filter((fact) => !order.includes(fact));
        expect(folded([...order, ...missing])).toStrictEqual(folded(facts));
      }),
      { numRuns: 500 },
    );
  });

  test("buys each paid period once and none before it is paid, however late it is told", () => {
    const late = fc.array(fc.integer({ min: 0, max: 20 * 3_600_000 }), {
      minLength: facts.length,
      maxLength: facts.length,
    });
    const paymentsIn = (said: typeof facts) =>
      new Set(
        said.flatMap(({ events }) =>
          events.flatMap((event) => (event.type === "payment.succeeded" ? [event.payment] : [])),
        ),
      ).size;
    fc.assert(
      fc.property(late, (delays) => {
        const delivered = facts
          .map((fact, i) => ({ ...fact, at: fact.at + (delays[i] ?? 0) }))
          .sort((a, b) => a.at - b.at);
        const billmgr = new PerfectBillmgr(catalog);
        const bought = () => billmgr.ledger.filter(isPurchase).map(({ change }) => change.kind);
        let subscription = fresh();
        let now = toInstant(Date.UTC(2026, 10, 23));
        delivered.forEach(({ at, events }, i) => {
          subscription = billmgr.convergeUntil(subscription, now, toInstant(at));
          expect(bought().length).toBeLessThanOrEqual(paymentsIn(delivered.slice(0, i)));
          subscription = events.reduce(fold, subscription);
          now = toInstant(at);
        });
        billmgr.convergeUntil(subscription, now, toInstant(Date.UTC(2027, 2, 20)));
        expect(bought()).toEqual(["order", "prolong", "prolong"]);
        expect(billmgr.ledger.at(-1)?.change.kind).toBe("delete");
      }),
      { numRuns: 200 },
    );
  });
});
