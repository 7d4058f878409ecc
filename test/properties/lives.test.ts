import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { type Instant, toInstant } from "../../shared/licensing/time.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import type { Subject, Told } from "../../shared/storefronts/storefront.ts";
import { Life } from "../support/lives.ts";
import { testCatalog } from "../support/local.ts";
import { isPurchase, PerfectBillmgr } from "../support/perfect-billmgr.ts";

const catalog = testCatalog();
const hours = 3_600_000;
const begins = toInstant(Date.parse("2026-11-23T00:00:00Z"));
const ends = toInstant(Date.parse("2027-03-20T00:00:00Z"));

const lives = [
  new Life("stripe", "sub_1SWxQ2Lkd9mVfR3a", "stripe/basil"),
  new Life("stripe", "sub_1SWxQ2Lkd9mVfR3a", "stripe/older"),
  new Life("paddle", "sub_01kb2w3x4y5z6a7b8c9d0e1f2g"),
  new Life("lemonsqueezy", "77001"),
  new Life("polar", "5c0f3f1e-8f0a-4f6e-9a55-1d7a3f0b2c01"),
];

/** The events of each life, by their names, that tell of the three payments in it. */
const payments = [/first-(invoice|transaction|payment|order)/, /renewal-(paid|completed)/, /paid-late|recovered/];

/** What each event says of the subscription, payments under the name by which the subscription knows them. */
function factsOf(life: Life): { at: number; name: string; events: Event[] }[] {
  const told = life.events.map(({ at, body, name }) => {
    const [one] = storefrontNamed(life.storefront)?.events(body, { "webhook-id": name }) ?? [];
    return { at: at.getTime(), name, one: one as Told };
  });
  const links = new Map(
    told
      .flatMap(({ one }) => (one.says === "facts" ? (one.links ?? []) : []))
      .map(({ reference, to }) => [reference, to]),
  );
  return told.map(({ at, name, one }) => {
    expect(one.says).not.toBe("unclear");
    if (one.says !== "facts") return { at, name, events: [] };
    let about: Subject | undefined = one.about;
    let payment: string | undefined;
    while (about && "reference" in about) {
      payment = about.reference;
      about = links.get(payment);
    }
    const events = one.events.map((event) => ({ ...event, id: name, ...(payment !== undefined && { payment }) }));
    return { at, name, events: events as Event[] };
  });
}

test.each(lives)(
  "each paid period of $subscription is bought once, and not before it is paid, however late it is told",
  (life) => {
    const facts = factsOf(life);
    const delays = fc.array(fc.integer({ min: 0, max: 20 * hours }), {
      minLength: facts.length,
      maxLength: facts.length,
    });
    fc.assert(
      fc.property(delays, (late) => {
        const deliveries = facts
          .map((fact, i) => ({ ...fact, arrives: fact.at + (late[i] ?? 0) }))
          .sort((a, b) => a.arrives - b.arrives);
        const billmgr = new PerfectBillmgr(catalog);
        let subscription = newSubscription(life.storefront, life.subscription);
        let now: Instant = begins;
        deliveries.forEach(({ arrives, events }, i) => {
          subscription = billmgr.convergeUntil(subscription, now, toInstant(arrives));
          const names = deliveries.slice(0, i).map(({ name }) => name);
          const paid = payments.filter((payment) => names.some((name) => payment.test(name))).length;
          expect(billmgr.ledger.filter(isPurchase).length).toBeLessThanOrEqual(paid);
          subscription = events.reduce(fold, subscription);
          now = toInstant(arrives);
        });
        billmgr.convergeUntil(subscription, now, ends);
        const done = billmgr.ledger.map(({ change }) => change.kind);
        expect(done.filter((kind) => kind === "order")).toHaveLength(1);
        expect(done.filter((kind) => kind === "prolong")).toHaveLength(2);
        expect(done.at(-1)).toBe("delete");
      }),
      { numRuns: 200 },
    );
  },
);
