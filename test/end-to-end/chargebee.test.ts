import { expect, test } from "vitest";
import type { Delivery } from "../support/fixtures.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = lives.Chargebee;

const stack = useTestStack();

test("Chargebee: a full refund suspends the license, a partial one does not", { timeout: 20_000 }, async () => {
  const [created] = life.events as [Delivery];
  const { invoice } = (created.body as { content: { invoice: object } }).content;
  const refund = (day: number, total: number): Delivery => ({
    name: `refund of the ${day}th`,
    at: new Date(Date.UTC(2026, 10, day)),
    headers: {},
    body: {
      id: `ev_refund_${day}`,
      occurred_at: Date.UTC(2026, 10, day) / 1000,
      event_type: "payment_refunded",
      content: {
        transaction: { id: `txn_${day}`, type: "refund", status: "success", amount: total },
        invoice: { ...invoice, resource_version: Date.UTC(2026, 10, day) },
        credit_note: { id: `TEST-CN-${day}`, status: "refunded", total },
      },
    },
  });
  await life.play(stack, [created, refund(24, 1900), refund(26, 5700)]);
  await stack.advanceTo(new Date("2026-11-27"));
  expect(doneAt(stack).map((entry) => entry.slice(0, 2))).toEqual([
    ["2026-11-23", "order"],
    ["2026-11-26", "suspend"],
  ]);
});
