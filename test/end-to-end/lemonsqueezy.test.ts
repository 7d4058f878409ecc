import { expect, test } from "vitest";
import { revocationId } from "../../shared/licensing/subscription.ts";
import type { Delivery } from "../support/fixtures.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { stateOf } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = lives["Lemon Squeezy"];

const stack = useTestStack();

const [, firstPayment, created, ...later] = life.events as [Delivery, Delivery, Delivery, ...Delivery[]];
const named = (...names: string[]) => later.filter(({ name }) => names.some((one) => name.includes(one)));

test("Lemon Squeezy: a renewal that is announced hours before its payment buys nothing until it is paid", async () => {
  await life.play(stack, [created, firstPayment, ...named("next-period")]);
  await stack.advanceTo(new Date("2026-12-23T08:40:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "edit"]);
  await life.play(stack, named("renewal-paid"));
  await stack.advanceTo(new Date("2027-01-20T00:00:00Z"));
  expect(doneAt(stack).map(([, done]) => done)).toEqual(["order", "edit", "prolong"]);
});

test("Lemon Squeezy: a payment counts although its renewal is announced later", async () => {
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
])("Lemon Squeezy: an order's refund that arrives %s takes the first payment back", async (_, events) => {
  const order = life.events[0] as Delivery;
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
  expect(payments).toMatchObject([
    { id: "first invoice of 77001", revocations: [{ id: revocationId("payment.refunded"), held: { value: true } }] },
  ]);
  expect(stack.sandbox?.licenses().filter(({ status }) => status === 2)).toEqual([]);
});
