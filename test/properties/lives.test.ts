import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import type { Change } from "../../shared/licensing/operation.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import type { Subject } from "../../shared/storefronts/storefront.ts";
import { Life } from "../support/life.ts";
import { testCatalog } from "../support/local.ts";
import { isPurchase, PerfectBillmgr } from "../support/perfect-billmgr.ts";
import { headersOf } from "../support/signers.ts";

const catalog = testCatalog();
const hours = 3_600_000;
const begins = toInstant(Date.parse("2026-11-23T00:00:00Z"));
const ends = toInstant(Date.parse("2027-03-20T00:00:00Z"));

const lives = [
  { name: "Stripe, since basil", life: new Life("stripe", "sub_1SWxQ2Lkd9mVfR3a", "stripe/basil") },
  { name: "Stripe, before it", life: new Life("stripe", "sub_1SWxQ2Lkd9mVfR3a", "stripe/older") },
  { name: "Paddle", life: new Life("paddle", "sub_01kb2w3x4y5z6a7b8c9d0e1f2g") },
  { name: "Lemon Squeezy", life: new Life("lemonsqueezy", "77001") },
  { name: "Polar", life: new Life("polar", "5c0f3f1e-8f0a-4f6e-9a55-1d7a3f0b2c01") },
  { name: "Shopify", life: new Life("shopify", "9998878778") },
  { name: "WooCommerce", life: new Life("woocommerce", "1300") },
  { name: "Chargebee", life: new Life("chargebee", "AzyPRtUh8r2Ym9") },
  { name: "FastSpring", life: new Life("fastspring", "Qk3vRz0fTUuV8pLmN2sXyA") },
  { name: "HostBill", life: new Life("hostbill", "49") },
  { name: "Appstle", life: new Life("appstle", "29905485997") },
  { name: "Recharge", life: new Life("recharge", "89562349") },
];

/** What each webhook says of the subscription, payments under the name by which it knows them. */
function factsOf({ storefront, events }: Life): { at: number; events: Event[] }[] {
  const told = events.flatMap((event) => {
    const headers = headersOf(storefront, event, JSON.stringify(event.body), event.at);
    const response = storefrontNamed(storefront)?.events(event.body, headers) ?? [];
    return response.map((one) => ({ at: event.at.getTime(), one, id: one.id || event.name }));
  });
  const links = new Map<string, Subject>();
  for (const { one } of told) {
    for (const { reference, to } of (one.kind === "facts" && one.links) || []) links.set(reference, to);
  }
  return told.map(({ at, one, id }) => {
    expect(one.kind).not.toBe("unparseable");
    if (one.kind !== "facts") return { at, events: [] };
    let about: Subject | undefined = one.about;
    let payment: string | undefined;
    while (about && "reference" in about) {
      payment = about.reference;
      about = links.get(payment);
    }
    expect(about).toHaveProperty("subscription");
    const named = one.events.map((event) => ({ ...event, id, ...(payment !== undefined && { payment }) }));
    return { at, events: named as Event[] };
  });
}

const paymentsIn = (facts: readonly { events: Event[] }[]): number =>
  new Set(
    facts.flatMap(({ events }) => events.flatMap((event) => (event.type === "payment.succeeded" ? event.payment : []))),
  ).size;

/** Another product for the time that is paid already. */
const isReplacement = (change: Change): boolean => "replaces" in change && change.replaces !== undefined;

describe.each(lives)("a life at $name", ({ life }) => {
  const facts = factsOf(life);
  const fresh = () => newSubscription(life.storefront, "sold");

  test("says the same in any order, with any of it repeated", () => {
    const folded = (response: typeof facts) => response.flatMap(({ events }) => events).reduce(fold, fresh());
    const twice = [...facts, ...facts];
    fc.assert(
      fc.property(fc.shuffledSubarray(twice, { minLength: facts.length }), (order) => {
        const missing = facts.filter((fact) => !order.includes(fact));
        expect(folded([...order, ...missing])).toStrictEqual(folded(facts));
      }),
      { numRuns: 500 },
    );
  });

  test("buys each paid period once, and none before it is paid, however late it is told", () => {
    const delays = fc.array(fc.integer({ min: 0, max: 20 * hours }), {
      minLength: facts.length,
      maxLength: facts.length,
    });
    fc.assert(
      fc.property(delays, (late) => {
        const deliveries = facts
          .map((fact, i) => ({ ...fact, at: fact.at + (late[i] ?? 0) }))
          .sort((a, b) => a.at - b.at);
        const billmgr = new PerfectBillmgr(catalog);
        const bought = () =>
          billmgr.ledger.filter(isPurchase).flatMap(({ change }) => (isReplacement(change) ? [] : change.kind));
        let subscription = fresh();
        let now = begins;
        deliveries.forEach(({ at, events }, i) => {
          subscription = billmgr.convergeUntil(subscription, now, toInstant(at));
          expect(bought().length).toBeLessThanOrEqual(paymentsIn(deliveries.slice(0, i)));
          subscription = events.reduce(fold, subscription);
          now = toInstant(at);
        });
        billmgr.convergeUntil(subscription, now, ends);
        expect(bought()).toEqual(["order", "prolong", "prolong"]);
        expect(billmgr.ledger.at(-1)?.change.kind).toBe("delete");
      }),
      { numRuns: 200 },
    );
  });
});
