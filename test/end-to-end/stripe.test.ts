import { describe, expect, test } from "vitest";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";

import { useTestStack } from "../support/test-stack.ts";

const lifeIn = (shape: string) => new Life("stripe", "sub_1SWxQ2Lkd9mVfR3a", `stripe/${shape}`);

const stack = useTestStack();

describe.each(["basil", "older"])("a customer's life at Stripe, in the API's %s shape", (shape) => {
  const life = lifeIn(shape);

  test("is told to billmgr", { timeout: 20_000 }, async () => {
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
      ["2027-02-23", "suspend"],
      ["2027-03-09", "delete"],
    ]);
  });

  test("gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
    // Up to the won dispute: what is told after it ends everything, in any order.
    await life.expectSameInAnyOrder(new Date("2027-02-06T00:00:00Z"));
  });
});

const basil = lifeIn("basil");
const [created, invoicePaid, , link] = basil.events as [Told, Told, Told, Told];

test("a refund that comes before the event that links it waits for that", async () => {
  const at = new Date("2026-11-24T00:00:00Z");
  const refund = {
    name: "refund",
    at,
    headers: {},
    body: {
      id: "evt_refund",
      type: "charge.refunded",
      created: at.getTime() / 1000,
      livemode: true,
      data: { object: { id: "ch_first", object: "charge", payment_intent: "pi_first", refunded: true } },
    },
  };
  await basil.play(stack, [created, invoicePaid, refund]);
  await stack.settle();
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order"]);
  await basil.deliver(stack, link);
  await stack.advanceTo(new Date("2026-11-25T00:00:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "suspend"]);
});

test("several subscriptions of one customer have licenses of their own", async () => {
  const renamed = (event: Told, name: string): Told => {
    const text = JSON.stringify(event.body)
      .replaceAll("sub_1SWxQ2Lkd9mVfR3a", name)
      .replaceAll("in_first", `in_${name}`);
    const body = JSON.parse(text);
    return { ...event, body: { ...body, id: `${body.id}_${name}` } };
  };
  for (const name of ["sub_a", "sub_b"]) {
    await basil.play(
      stack,
      [created, invoicePaid].map((event) => renamed(event, name)),
    );
  }
  await stack.advanceTo(new Date("2026-11-24T00:00:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "order"]);
});
