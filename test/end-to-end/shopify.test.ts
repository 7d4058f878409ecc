import { expect, test } from "vitest";
import { licensesOf } from "../field/report.ts";
import type { Delivery } from "../support/fixtures.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = lives.Shopify;

const stack = useTestStack();

test("Shopify: a failed attempt does not shorten paid time, and grace begins at its end", {
  timeout: 20_000,
}, async () => {
  const failure = life.events[5] as Delivery;
  const triggeredAt = "2026-12-20T10:00:00Z";
  const headers = { ...failure.headers, "x-shopify-triggered-at": triggeredAt };
  await life.play(stack, [...life.events.slice(0, 2), { ...failure, at: new Date(triggeredAt), headers }]);
  await stack.advanceTo(new Date("2026-12-22"));
  expect(licensesOf(stack)).toEqual(["active"]);
  await stack.advanceTo(new Date("2026-12-28"));
  expect(licensesOf(stack)).toEqual(["suspended"]);
  expect(doneAt(stack)).toEqual([["2026-11-23", "order", { 55165: 3 }]]);
});

test("Shopify: an order without a linked contract buys nothing", { timeout: 20_000 }, async () => {
  await life.play(stack, life.events.slice(0, 1));
  await stack.advanceTo(new Date("2026-11-24"));
  expect(doneAt(stack)).toEqual([]);
});
