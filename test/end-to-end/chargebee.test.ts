import { expect, test } from "vitest";
import { basic } from "../support/chargebee.ts";
import { type Delivery, deliver, fixturesOf, live, openShop, outcomes } from "../support/life.ts";

const shop = {
  name: "chargebee",
  secret: "webhooks:a password with : in it",
  soldAs: { monthly: "vm6-EUR-Monthly", other: "dci6-EUR-Monthly" },
};
const sold = "AzyPRtUh8r2Ym9";

type ChargebeeEvent = { id: string; occurred_at: number; event_type: string; content: Record<string, object> };

const deliveryOf = (event: ChargebeeEvent): Delivery => ({
  at: new Date(event.occurred_at * 1000 + 2000),
  body: JSON.stringify(event),
  headers: () => ({ authorization: basic(shop.secret) }),
});
const events = fixturesOf<ChargebeeEvent>("chargebee");
const life = events.map(deliveryOf);

test("a customer's life at Chargebee is told to billmgr", { timeout: 20_000 }, async () => {
  const stack = await openShop(shop);
  try {
    expect(await live(stack, shop, life, new Date("2027-03-20T00:00:00Z"))).toEqual([
      ["2026-11-23", "order", { 55165: 3 }],
      ["2026-12-03", "edit", { 55165: 5 }],
      ["2026-12-23", "prolong"],
      ["2027-01-26", "suspend"],
      ["2027-01-28", "prolong"],
      ["2027-01-28", "resume"],
      ["2027-02-03", "suspend"],
      ["2027-02-05", "resume"],
      ["2027-02-23", "suspend"],
      ["2027-03-09", "delete"],
    ]);
  } finally {
    await stack.stop();
  }
});

test("a life gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  expect(await outcomes(shop, life.slice(0, 9), sold)).toHaveProperty("size", 1);
});

test("what is refunded whole is suspended, and what is refunded in part is not", { timeout: 20_000 }, async () => {
  const [created] = events as [ChargebeeEvent];
  const refund = (day: number, total: number): ChargebeeEvent => ({
    id: `ev_refund_${day}`,
    occurred_at: Date.UTC(2026, 10, day) / 1000,
    event_type: "payment_refunded",
    content: {
      transaction: { id: `txn_${day}`, type: "refund", status: "success", amount: total },
      invoice: { ...created.content.invoice, resource_version: Date.UTC(2026, 10, day) },
      credit_note: { id: `TEST-CN-${day}`, status: "refunded", total },
    },
  });
  const stack = await openShop(shop);
  try {
    const told = await live(
      stack,
      shop,
      [created, refund(24, 1900), refund(26, 5700)].map(deliveryOf),
      new Date("2026-11-27"),
    );
    expect(told.map((entry) => (entry as unknown[]).slice(0, 2))).toEqual([
      ["2026-11-23", "order"],
      ["2026-11-26", "suspend"],
    ]);
    await deliver(stack, shop, deliveryOf(refund(26, 5700)));
  } finally {
    await stack.stop();
  }
});
