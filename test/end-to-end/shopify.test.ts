import { expect, test } from "vitest";
import { type Delivery, fixturesOf, live, openShop, outcomes } from "../support/life.ts";
import { type ShopifyWebhook, shopifyHeaders } from "../support/shopify.ts";

const shop = {
  name: "shopify",
  secret: "shpss_of_the_tests_alone",
  soldAs: { monthly: "44872881439030", other: "sku:DCI6" },
};
const sold = "9998878778";

const deliveryOf = ({ body, ...of }: ShopifyWebhook): Delivery => {
  const text = JSON.stringify(body);
  return { at: new Date(of.triggeredAt), body: text, headers: () => shopifyHeaders(text, shop.secret, of) };
};
const webhooks = fixturesOf<ShopifyWebhook>("shopify");
const life = webhooks.map(deliveryOf);

test("a customer's life at Shopify is told to billmgr", { timeout: 20_000 }, async () => {
  const stack = await openShop(shop);
  try {
    expect(await live(stack, shop, life, new Date("2027-03-20T00:00:00Z"))).toEqual([
      ["2026-11-23", "order", { 55165: 3 }],
      ["2026-12-23", "prolong"],
      ["2026-12-23", "edit", { 55165: 5 }],
      ["2027-01-25", "prolong"],
      ["2027-02-01", "suspend"],
      ["2027-02-05", "resume"],
      ["2027-02-08", "suspend"],
      ["2027-02-09", "resume"],
      // Cancelled on the 12th, and paid to the 23rd.
      ["2027-02-23", "suspend"],
      ["2027-03-09", "delete"],
    ]);
  } finally {
    await stack.stop();
  }
});

test("a life gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  expect(await outcomes(shop, life.slice(0, 12), sold)).toHaveProperty("size", 1);
});

test("a renewal that fails is suspended after the grace", { timeout: 20_000 }, async () => {
  const stack = await openShop(shop);
  const failure = webhooks[5] as ShopifyWebhook;
  const early = { ...failure, triggeredAt: "2026-12-20T10:00:00Z" };
  try {
    const told = await live(stack, shop, [...life.slice(0, 2), deliveryOf(early)], new Date("2026-12-24"));
    expect(told).toEqual([
      ["2026-11-23", "order", { 55165: 3 }],
      ["2026-12-23", "suspend"],
    ]);
  } finally {
    await stack.stop();
  }
});

test("an order that no contract is linked to buys nothing", { timeout: 20_000 }, async () => {
  const stack = await openShop(shop);
  try {
    expect(await live(stack, shop, life.slice(0, 1), new Date("2026-11-24"))).toEqual([]);
  } finally {
    await stack.stop();
  }
});
