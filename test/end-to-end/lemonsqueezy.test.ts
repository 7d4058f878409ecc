import { expect, test } from "vitest";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";
import { stateOf } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = new Life("lemonsqueezy", "77001");

const stack = useTestStack();

test("a customer's life at Lemon Squeezy is told to billmgr", { timeout: 20_000 }, async () => {
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

const [, firstPayment, created, ...later] = life.events as [Told, Told, Told, ...Told[]];
const named = (...names: string[]) => later.filter(({ name }) => names.some((one) => name.includes(one)));

test("a renewal that is told hours before it is paid buys nothing until then", async () => {
  await life.play(stack, [created, firstPayment, ...named("next-period")]);
  await stack.advanceTo(new Date("2026-12-23T08:40:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "edit"]);
  await life.play(stack, named("renewal-paid"));
  await stack.advanceTo(new Date("2027-01-20T00:00:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "edit", "prolong"]);
});

test("a payment whose renewal is told later is not lost", async () => {
  await life.play(stack, [created, firstPayment, ...named("renewal-paid")]);
  await stack.settle();
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order"]);
  await life.play(stack, named("next-period"));
  await stack.advanceTo(new Date("2026-12-24T00:00:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "prolong", "edit"]);
});

test.each([
  ["after the subscription", [created, firstPayment]],
  ["before the subscription", [firstPayment]],
])("the refund of its order, told %s, takes the first payment back", async (_, events) => {
  const order = life.events[0] as Told;
  const { data, meta: was } = order.body as { data: { attributes: object }; meta: object };
  const attributes = {
    ...data.attributes,
    refunded: true,
    status: "refunded",
    updated_at: "2026-11-24T09:00:00.000000Z",
  };
  const meta = { ...was, event_name: "order_refunded" };
  const refund = { ...order, at: new Date("2026-11-24T09:00:00Z"), body: { meta, data: { ...data, attributes } } };
  await life.play(stack, [...events, refund]);
  await life.play(stack, [created]);
  await stack.advanceTo(new Date("2026-11-25T00:00:00Z"));
  const { payments } = (await stateOf(stack, life.subscription)) ?? {};
  expect(payments).toMatchObject([{ id: "first invoice of 77001", refunded: { value: true } }]);
  expect(stack.sandbox?.licenses().filter(({ status }) => status === 2)).toEqual([]);
});
