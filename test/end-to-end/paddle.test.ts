import { describe, expect, test } from "vitest";
import type { Delivery } from "../support/fixtures.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = lives.Paddle;

const stack = useTestStack();

describe("Paddle: a first transaction without subscription and period", () => {
  const [transaction, created, , ...later] = life.events as [Delivery, Delivery, Delivery, ...Delivery[]];
  const body = transaction.body as { data: object };
  const data = { ...body.data, subscription_id: null, billing_period: null };
  const bare = { ...transaction, body: { ...body, data } };
  const renewal = later.filter(({ name }) => /next-period|renewal-completed/.test(name));

  test.each([
    ["before", [bare, created]],
    ["after", [created, bare]],
  ])("that arrives %s the subscription pays the subscription's current period once", async (_, events) => {
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
