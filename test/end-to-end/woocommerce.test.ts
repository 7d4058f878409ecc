import { expect, test } from "vitest";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";
import { post } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = new Life("woocommerce", "1300");

const stack = useTestStack();

test("a customer's life at WooCommerce is told to billmgr", { timeout: 20_000 }, async () => {
  await life.play(stack);
  await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
  expect(doneAt(stack)).toEqual([
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
});

test("a life gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  await life.expectSameInAnyOrder(new Date("2027-02-06T00:00:00Z"));
});

test("the order with which it was bought, refunded, suspends it until the next is paid", {
  timeout: 20_000,
}, async () => {
  const [, order, active, , , , renewed] = life.events as [Told, Told, Told, Told, Told, Told, Told];
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

test("the ping that a saved webhook sends is answered 200, and nothing else is that is unsigned", async () => {
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
