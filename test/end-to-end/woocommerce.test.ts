import { expect, test } from "vitest";
import type { Delivery } from "../support/fixtures.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { post } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = lives.WooCommerce;

const stack = useTestStack();

test("WooCommerce: the refund of the first order suspends the license until the next payment", {
  timeout: 20_000,
}, async () => {
  const [, order, active, , , , renewed] = life.events as [
    Delivery,
    Delivery,
    Delivery,
    Delivery,
    Delivery,
    Delivery,
    Delivery,
  ];
  const body = { ...(order.body as object), status: "refunded", date_modified_gmt: "2026-11-25T08:00:00" };
  await life.play(stack, [active, { ...order, at: new Date("2026-11-25T08:00:00Z"), body }, renewed]);
  await stack.advanceTo(new Date("2026-12-24"));
  expect(doneAt(stack)).toEqual([
    ["2026-11-23", "order", { 55165: 3 }],
    ["2026-11-25", "suspend"],
    ["2026-12-23", "prolong"],
    ["2026-12-23", "resume"],
    ["2026-12-23", "edit", { 55165: 5 }],
  ]);
});

test("WooCommerce: the unsigned ping of a saved webhook gets a 200, any other unsigned body a 401", async () => {
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
});
