import { expect, test } from "vitest";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";
import { stateOf } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = new Life("fastspring", "Qk3vRz0fTUuV8pLmN2sXyA");

const stack = useTestStack();

test("a customer's life at FastSpring is told to billmgr", { timeout: 20_000 }, async () => {
  await life.play(stack);
  await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
  expect(doneAt(stack)).toEqual([
    ["2026-11-23", "order", { 55165: 3 }],
    ["2026-12-03", "edit", { 55165: 5 }],
    ["2026-12-23", "prolong"],
    ["2027-01-26", "suspend"],
    ["2027-01-28", "prolong"],
    ["2027-01-28", "resume"],
    ["2027-02-23", "suspend"],
    ["2027-03-09", "delete"],
  ]);
});

test("gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  await life.expectSameInAnyOrder(new Date("2027-02-11T00:00:00Z"));
});

test("several events of one POST are each stored once, however often it is sent", async () => {
  const [bought] = life.events as [Told];
  await life.play(stack, [bought, bought]);
  await stack.settle();
  const events = await stack.table.events(`subscription#fastspring/Qk3vRz0fTUuV8pLmN2sXyA`);
  expect(events.map(({ received }) => received.id)).toEqual(["fsEvent02"]);
  expect((await stateOf(stack, life.subscription))?.payments).toHaveLength(1);
  expect(stack.sandbox?.ledger()).toHaveLength(1);
});

const takenBack = (type: string, data: Record<string, unknown>, at: string): Told => ({
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
])("%s suspends", async (_, told, after) => {
  await life.play(stack, [...life.events.slice(0, after), told]);
  await stack.advanceTo(new Date("2026-12-26T00:00:00Z"));
  expect(doneAt(stack)).toContainEqual([told.at.toISOString().slice(0, 10), "suspend"]);
});

test("a chargeback that comes before the order's events waits for them", async () => {
  await life.deliver(stack, takenBack("chargeback.created", { order: "fsOrderFirst" }, "2026-11-23T12:00:00Z"));
  await stack.settle();
  await life.play(stack, life.events.slice(0, 1));
  await stack.advanceTo(new Date("2026-11-25T00:00:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "suspend"]);
});
