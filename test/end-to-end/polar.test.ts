import { expect, test } from "vitest";
import { doneAt, Life } from "../support/life.ts";

import { useTestStack } from "../support/test-stack.ts";

const life = new Life("polar", "5c0f3f1e-8f0a-4f6e-9a55-1d7a3f0b2c01");

const stack = useTestStack();

test("a customer's life at Polar is told to billmgr", { timeout: 20_000 }, async () => {
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
    ["2027-02-05", "resume"],
    ["2027-02-10", "suspend"],
    ["2027-03-09", "delete"],
  ]);
});

test("it gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  await life.expectSameInAnyOrder(new Date("2027-02-06T00:00:00Z"));
});
