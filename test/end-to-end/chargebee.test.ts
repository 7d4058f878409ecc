import { expect, test } from "vitest";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";

import { useTestStack } from "../support/test-stack.ts";

const life = new Life("chargebee", "AzyPRtUh8r2Ym9");

const stack = useTestStack();

test("a customer's life at Chargebee is told to billmgr", { timeout: 20_000 }, async () => {
  await life.play(stack);
  await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
  expect(doneAt(stack)).toEqual([
    ["2026-11-23", "order", { 55165: 3 }],
    ["2026-12-03", "edit", { 55165: 5 }],
    ["2026-12-23", "prolong"],
    ["2027-01-26", "suspend"],
    ["2027-01-28", "prolong"],
    ["2027-01-28", "resume"],
    ["2027-02-03", "suspend"],
    ["2027-02-05", "resume"],
    ["2027-02-23", "suspend"],
    ["2027-03-09", "delete"],
  ]);
});

test("a life gives the same licenses in whatever order and however often it is told", { timeout: 60_000 }, async () => {
  await life.expectSameInAnyOrder(new Date("2027-02-07T00:00:00Z"));
});

test("what is refunded whole is suspended, and what is refunded in part is not", { timeout: 20_000 }, async () => {
  const [created] = life.events as [Told];
  const { invoice } = (created.body as { content: { invoice: object } }).content;
  const refund = (day: number, total: number): Told => ({
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
