import { expect, test } from "vitest";
import type { Delivery } from "../support/fixtures.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { stateOf } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = lives.FastSpring;

const stack = useTestStack();

test("FastSpring: each event of a POST is stored once, however often the POST is sent", async () => {
  const [bought] = life.events as [Delivery];
  await life.play(stack, [bought, bought]);
  await stack.settle();
  const events = await stack.table.events(`subscription#fastspring/Qk3vRz0fTUuV8pLmN2sXyA`);
  expect(events.map(({ received }) => received.id)).toEqual(["fsEvent02"]);
  expect((await stateOf(stack, life.subscription))?.payments).toHaveLength(1);
  expect(stack.sandbox?.ledger()).toHaveLength(1);
});

const takenBack = (type: string, data: Record<string, unknown>, at: string): Delivery => ({
  name: type,
  at: new Date(at),
  headers: {},
  body: { events: [{ id: `fs${type}`, type, created: Date.parse(at), data }] },
});

test.each([
  [
    "a chargeback of the first order",
    takenBack("chargeback.created", { order: "fsOrderFirst" }, "2026-11-25T00:00:00Z"),
    1,
  ],
  ["a chargeback of a renewal", takenBack("order.chargeback", { order: "fsOrderSecond" }, "2026-12-25T00:00:00Z"), 3],
  [
    "a return of a renewal",
    takenBack(
      "return.created",
      { totalReturn: 100, original: { id: "fsOrderSecond", total: 100 } },
      "2026-12-25T00:00:00Z",
    ),
    3,
  ],
])("FastSpring: %s suspends the license", async (_, delivery, after) => {
  await life.play(stack, [...life.events.slice(0, after), delivery]);
  await stack.advanceTo(new Date("2026-12-26T00:00:00Z"));
  expect(doneAt(stack)).toContainEqual([delivery.at.toISOString().slice(0, 10), "suspend"]);
});

test("FastSpring: a chargeback that arrives before the order takes effect with it", async () => {
  await life.deliver(stack, takenBack("chargeback.created", { order: "fsOrderFirst" }, "2026-11-23T12:00:00Z"));
  await stack.settle();
  await life.play(stack, life.events.slice(0, 1));
  await stack.advanceTo(new Date("2026-11-25T00:00:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "suspend"]);
});
