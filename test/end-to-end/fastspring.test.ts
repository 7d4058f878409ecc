import { afterEach, beforeEach, expect, test } from "vitest";
import type { LocalStack } from "../../infra/local/stack.ts";
import { fastspringSecret, signFastspring } from "../support/fastspring.ts";
import { type Delivery, deliver, fixturesOf, live, openShop, outcomes } from "../support/life.ts";
import { stateOf } from "../support/local.ts";

type Posted = { events: { id: string; type: string; created: number; data: Record<string, unknown> }[] };

const shop = {
  name: "fastspring",
  secret: fastspringSecret,
  soldAs: { monthly: "vm6-monthly", other: "dci6-monthly" },
};
const sold = "Qk3vRz0fTUuV8pLmN2sXyA";
const posts = fixturesOf<Posted>("fastspring");

const deliveryOf = (posted: Posted): Delivery => {
  const body = JSON.stringify(posted);
  return {
    at: new Date(Math.max(...posted.events.map(({ created }) => created))),
    body,
    headers: () => signFastspring(body, fastspringSecret),
  };
};
const life = posts.map(deliveryOf);

let stack: LocalStack;
beforeEach(async () => {
  stack = await openShop(shop);
});
afterEach(() => stack.stop());

test("a customer's life at FastSpring is told to billmgr", { timeout: 20_000 }, async () => {
  expect(await live(stack, shop, life, new Date("2027-03-20T00:00:00Z"))).toEqual([
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
  expect([...(await outcomes(shop, life.slice(0, 8), sold))]).toHaveLength(1);
});

test("several events of one POST are each stored once, however often it is sent", async () => {
  const [bought] = life as [Delivery];
  for (let times = 0; times < 2; times++) await deliver(stack, shop, bought);
  await stack.settle();
  const events = await stack.table.events(`subscription#fastspring/${sold}`);
  expect(events.map(({ received }) => received.id)).toEqual(["fsEvent02"]);
  expect((await stateOf(stack, `fastspring/${sold}`))?.payments).toHaveLength(1);
  expect(stack.sandbox?.ledger()).toHaveLength(1);
});

const takenBack = (type: string, data: Record<string, unknown>, at: string): Posted => ({
  events: [{ id: `fs${type}`, type, created: Date.parse(at), data }],
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
])("%s suspends", async (_, posted, after) => {
  const told = [...life.slice(0, after), deliveryOf(posted)];
  const done = await live(stack, shop, told, new Date("2026-12-26T00:00:00Z"));
  const [at] = new Date(posted.events[0]?.created ?? 0).toISOString().split("T");
  expect(done).toContainEqual([at, "suspend"]);
});

test("a chargeback that comes before the order's events waits for them", async () => {
  await deliver(
    stack,
    shop,
    deliveryOf(takenBack("chargeback.created", { order: "fsOrderFirst" }, "2026-11-23T12:00:00Z")),
  );
  await stack.settle();
  const done = await live(stack, shop, life.slice(0, 1), new Date("2026-11-25T00:00:00Z"));
  expect(done.map((entry) => (entry as string[])[1])).toEqual(["order", "suspend"]);
});
