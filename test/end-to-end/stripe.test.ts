import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LocalStack } from "../../infra/local/stack.ts";
import { startTestStack, stateOf, tellStripe } from "../support/local.ts";

type StripeEvent = { id: string; type: string; created: number; livemode: boolean };
const sold = "stripe/sub_1SWxQ2Lkd9mVfR3a";

const lifeIn = (shape: string): StripeEvent[] => {
  const folder = new URL(`../fixtures/stripe/${shape}/`, import.meta.url);
  return readdirSync(folder)
    .sort()
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as StripeEvent);
};

let stack: LocalStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(() => stack.stop());

async function play(events: StripeEvent[]): Promise<void> {
  for (const event of events) {
    const at = new Date(event.created * 1000);
    if (at > stack.clock.now()) await stack.advanceTo(at);
    expect((await tellStripe(stack, event)).status).toBe(200);
  }
}

describe.each(["basil", "older"])("a customer's life at Stripe, in the API's %s shape", (shape) => {
  test("is told to billmgr", { timeout: 20_000 }, async () => {
    await play(lifeIn(shape));
    await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
    const told = (stack.sandbox?.ledger() ?? []).map(({ at, operation, ...entry }) => [
      at.slice(0, 10),
      operation,
      ...("addons" in entry ? [entry.addons] : []),
    ]);
    expect(told).toEqual([
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
    const events = lifeIn(shape).filter(({ created }) => created < Date.parse("2027-02-06T00:00:00Z") / 1000);
    const seen = new Set<string>();
    const orders = fc.sample(
      fc.shuffledSubarray([...events, ...events.slice(0, 6)], { minLength: events.length + 6 }),
      5,
    );
    for (const order of [events, ...orders]) {
      await stack.stop();
      stack = await startTestStack({ clock: new Date("2027-02-06T00:00:00Z") });
      for (const event of order) await tellStripe(stack, event);
      await stack.advanceTo(new Date("2027-02-07T00:00:00Z"));
      const { slots, payments, failures, end } = (await stateOf(stack, sold)) ?? {};
      const licenses = stack.sandbox?.licenses().map(({ status, addons, expiry }) => ({ status, addons, expiry }));
      seen.add(JSON.stringify({ slots, payments, failures, end, licenses }));
    }
    expect([...seen]).toHaveLength(1);
  });
});

test("a refund that comes before the event that links it waits for that", async () => {
  const [created, invoicePaid, , link] = lifeIn("basil");
  const refund = {
    id: "evt_refund",
    type: "charge.refunded",
    created: Date.parse("2026-11-24T00:00:00Z") / 1000,
    livemode: true,
    data: { object: { id: "ch_first", object: "charge", payment_intent: "pi_first", refunded: true } },
  };
  await play([created, invoicePaid, refund].filter((event) => event !== undefined));
  await stack.settle();
  expect(stack.sandbox?.ledger().map(({ operation }) => operation)).toEqual(["order"]);
  await tellStripe(stack, link as StripeEvent);
  await stack.advanceTo(new Date("2026-11-25T00:00:00Z"));
  expect(stack.sandbox?.ledger().map(({ operation }) => operation)).toEqual(["order", "suspend"]);
});

test("several subscriptions of one customer have licenses of their own", async () => {
  const rename = (event: StripeEvent, name: string) =>
    JSON.parse(
      JSON.stringify(event).replaceAll("sub_1SWxQ2Lkd9mVfR3a", name).replaceAll("in_first", `in_${name}`),
    ) as StripeEvent;
  const [created, invoicePaid] = lifeIn("basil") as [StripeEvent, StripeEvent];
  for (const name of ["sub_a", "sub_b"]) {
    await play([created, invoicePaid].map((event) => ({ ...rename(event, name), id: `${event.id}_${name}` })));
  }
  await stack.advanceTo(new Date("2026-11-24T00:00:00Z"));
  expect(stack.sandbox?.ledger().map(({ operation }) => operation)).toEqual(["order", "order"]);
});
