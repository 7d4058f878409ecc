import { expect, test } from "vitest";
import { type Delivery, fixturesOf, live, openShop, outcomes } from "../support/life.ts";
import { post } from "../support/local.ts";
import { woocommerceHeaders } from "../support/woocommerce.ts";

const shop = {
  name: "woocommerce",
  secret: "a secret of woocommerce",
  soldAs: { monthly: "sku:vm6", other: "sku:dci6" },
};

type Fixture = { topic: string; body: { date_modified_gmt: string } };

const deliveryOf = ({ topic, body }: Fixture): Delivery => {
  const text = JSON.stringify(body);
  return {
    at: new Date(`${body.date_modified_gmt}Z`),
    body: text,
    headers: () => woocommerceHeaders(text, shop.secret, topic),
  };
};
const life = fixturesOf<Fixture>("woocommerce").map(deliveryOf);

test("a customer's life at WooCommerce is told to billmgr", { timeout: 20_000 }, async () => {
  const stack = await openShop(shop);
  try {
    expect(await live(stack, shop, life, new Date("2027-03-20T00:00:00Z"))).toEqual([
      ["2026-11-23", "order", { 55165: 3 }],
      ["2026-12-03", "edit", { 55165: 5 }],
      ["2026-12-23", "prolong"],
      ["2027-01-26", "suspend"],
      ["2027-01-28", "prolong"],
      ["2027-01-28", "resume"],
      ["2027-02-01", "suspend"],
      ["2027-02-02", "resume"],
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
  expect(await outcomes(shop, life.slice(0, 16), "1300")).toHaveProperty("size", 1);
});

test("the order with which it was bought, refunded, suspends it until the next is paid", {
  timeout: 20_000,
}, async () => {
  const [, order, active, , , , renewed] = fixturesOf<Fixture>("woocommerce") as [Fixture, Fixture, ...Fixture[]];
  const refunded = { ...order, body: { ...order.body, status: "refunded", date_modified_gmt: "2026-11-25T08:00:00" } };
  const stack = await openShop(shop);
  try {
    const told = [active, refunded, renewed].map((fixture) => deliveryOf(fixture as Fixture));
    expect(await live(stack, shop, told, new Date("2026-12-24"))).toEqual([
      ["2026-11-23", "order", { 55165: 3 }],
      ["2026-11-25", "suspend"],
      ["2026-12-23", "prolong"],
      ["2026-12-23", "resume"],
      ["2026-12-23", "edit", { 55165: 5 }],
    ]);
  } finally {
    await stack.stop();
  }
});

test("the ping that a saved webhook sends is answered 200, and nothing else is that is unsigned", async () => {
  const stack = await openShop(shop);
  try {
    const send = (body: string, headers: Record<string, string> = {}) =>
      post(`${stack.url}/webhooks/woocommerce`, body, {
        "content-type": "application/x-www-form-urlencoded",
        ...headers,
      });
    expect((await send("webhook_id=7")).status).toBe(200);
    for (const body of ["webhook_id=7&x=1", "webhook_id=", "webhook_id=7\n", "{}"]) {
      expect((await send(body)).status).toBe(401);
    }
    expect((await send("webhook_id=7", { "x-wc-webhook-signature": "AAAA" })).status).toBe(401);
  } finally {
    await stack.stop();
  }
});
