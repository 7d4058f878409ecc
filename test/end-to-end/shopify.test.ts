import { afterEach, beforeEach, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";
import { startTestStack } from "../support/local.ts";

const life = new Life("shopify", "9998878778");

let stack: LocalStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(() => stack.stop());

test("a customer's life at Shopify is told to billmgr", { timeout: 20_000 }, async () => {
  await life.play(stack);
  await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
  expect(doneAt(stack)).toEqual([
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
});

test("a life gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  await life.expectSameInAnyOrder(new Date("2027-02-10T00:00:00Z"));
});

test("a failed attempt leaves paid time alone, and grace begins where that ends", { timeout: 20_000 }, async () => {
  const failure = life.events[5] as Told;
  const triggeredAt = "2026-12-20T10:00:00Z";
  const headers = { ...failure.headers, "x-shopify-triggered-at": triggeredAt };
  await life.play(stack, [...life.events.slice(0, 2), { ...failure, at: new Date(triggeredAt), headers }]);
  await stack.advanceTo(new Date("2026-12-28"));
  expect(doneAt(stack)).toEqual([
    ["2026-11-23", "order", { 55165: 3 }],
    ["2026-12-26", "suspend"],
  ]);
});

test("an order that no contract is linked to buys nothing", { timeout: 20_000 }, async () => {
  await life.play(stack, life.events.slice(0, 1));
  await stack.advanceTo(new Date("2026-11-24"));
  expect(doneAt(stack)).toEqual([]);
});
