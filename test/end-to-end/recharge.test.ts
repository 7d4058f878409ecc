import { afterEach, beforeEach, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { doneAt, Life } from "../support/life.ts";
import { startTestStack } from "../support/local.ts";

const life = new Life("recharge", "89562349");

let stack: LocalStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(() => stack.stop());

test("a customer's life at Recharge becomes billmgr's operations", { timeout: 20_000 }, async () => {
  await life.play(stack);
  await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
  expect(doneAt(stack)).toEqual([
    ["2026-11-23", "order", { 55165: 3 }],
    ["2026-12-03", "edit", { 55165: 5 }],
    ["2026-12-23", "prolong"],
    ["2027-01-25", "prolong"],
    // Cancelled on the 12th, and paid to the 23rd.
    ["2027-02-23", "suspend"],
    ["2027-03-09", "delete"],
  ]);
});

test("a life gives the same licenses in any order, with repeats", { timeout: 60_000 }, async () => {
  await life.expectSameInAnyOrder(new Date("2027-02-10T00:00:00Z"));
});
