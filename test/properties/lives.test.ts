import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { isExchange } from "../../shared/licensing/operation.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import type { Subject } from "../../shared/storefronts/storefront.ts";
import type { Life } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { testCatalog } from "../support/local.ts";
import { isPurchase, PerfectBillmgr } from "../support/perfect-billmgr.ts";
import { headersOf } from "../support/signers.ts";

const catalog = testCatalog();
const hours = 3_600_000;
const begins = toInstant(Date.parse("2026-11-23T00:00:00Z"));
const ends = toInstant(Date.parse("2027-03-20T00:00:00Z"));

/** The facts of each webhook about the subscription, with payments under the name that the subscription stores. */
function factsOf({ storefront, events }: Life): { at: number; events: Event[] }[] {
  const parsed = events.flatMap((event) => {
    const headers = headersOf(storefront, event, JSON.stringify(event.body), event.at);
    const response = storefrontNamed(storefront)?.events(event.body, headers) ?? [];
    return response.map((one) => ({ at: event.at.getTime(), one, id: one.id || event.name }));
  });
  const links = new Map<string, Subject>();
  for (const { one } of parsed) {
    for (const { reference, to } of (one.kind === "facts" && one.links) || []) links.set(reference, to);
  }
  return parsed.map(({ at, one, id }) => {
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

describe.each(Object.entries(lives))("a life at %s", (_, life) => {
  const facts = factsOf(life);
  const fresh = () => newSubscription(life.storefront, "sold");

  test("folds to the same subscription in any order, with any of it repeated", () => {
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

  test("buys each paid period once and none before its payment, however late the webhooks arrive", () => {
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
          billmgr.ledger.filter(isPurchase).flatMap(({ change }) => (isExchange(change) ? [] : change.kind));
        let subscription = fresh();
        let now = begins;
        deliveries.forEach(({ at, events }, i) => {
          subscription = billmgr.convergeUntil(subscription, now, toInstant(at));
          expect(bought().length).toBeLessThanOrEqual(paymentsIn(deliveries.slice(0, i)));
          subscription = events.reduce(fold, subscription);
          now = toInstant(at);
        });
        billmgr.convergeUntil(subscription, now, ends);
        // A payment after the grace period whose dates arrive late can be for a new license: policy.late.
        expect([bought().length, bought()[0]]).toEqual([3, "order"]);
        expect(billmgr.ledger.at(-1)?.change.kind).toBe("delete");
      }),
      { numRuns: 200 },
    );
  });
});
