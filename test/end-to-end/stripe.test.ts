import { expect, test } from "vitest";
import type { Delivery } from "../support/fixtures.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { useTestStack } from "../support/test-stack.ts";

const stack = useTestStack();

const basil = lives["Stripe since API version basil"];
const [created, invoicePaid, , link] = basil.events as [Delivery, Delivery, Delivery, Delivery];

test("Stripe: a refund that arrives before the event that links it takes effect once that arrives", async () => {
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

test("Stripe: two subscriptions of one customer get a license each", async () => {
  const renamed = (event: Delivery, name: string): Delivery => {
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
