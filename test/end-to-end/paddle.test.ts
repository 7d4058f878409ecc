import { describe, expect, test } from "vitest";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";

import { useTestStack } from "../support/test-stack.ts";

const life = new Life("paddle", "sub_01kb2w3x4y5z6a7b8c9d0e1f2g");

const stack = useTestStack();

test("a customer's life at Paddle is told to billmgr", { timeout: 20_000 }, async () => {
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
    ["2027-02-08", "suspend"],
    ["2027-02-10", "resume"],
    ["2027-02-23", "suspend"],
    ["2027-03-09", "delete"],
  ]);
});

test("it gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  await life.expectSameInAnyOrder(new Date("2027-02-06T00:00:00Z"));
});

describe("a first transaction that tells neither subscription nor period", () => {
  const [transaction, created, , ...later] = life.events as [Told, Told, Told, ...Told[]];
  const body = transaction.body as { data: object };
  const data = { ...body.data, subscription_id: null, billing_period: null };
  const bare = { ...transaction, body: { ...body, data } };
  const renewal = later.filter(({ name }) => /next-period|renewal-completed/.test(name));

  test.each([
    ["before", [bare, created]],
    ["after", [created, bare]],
  ])("%s the subscription pays the period that this tells, and no more", async (_, events) => {
    await life.play(stack, events);
    await stack.advanceTo(new Date("2026-12-22T00:00:00Z"));
    expect(doneAt(stack)).toEqual([["2026-11-23", "order", { 55165: 3 }]]);
    await life.play(stack, renewal);
    await stack.advanceTo(new Date("2027-01-20T00:00:00Z"));
    expect(doneAt(stack).map(([day, done]) => `${day} ${done}`)).toEqual([
      "2026-11-23 order",
      "2026-12-23 edit",
      "2026-12-23 prolong",
    ]);
  });
});
