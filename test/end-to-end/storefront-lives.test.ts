import { describe, expect, test } from "vitest";
import { asForm } from "../support/hostbill.ts";
import { doneAt } from "../support/life.ts";
import { lives } from "../support/lives.ts";
import { useTestStack } from "../support/test-stack.ts";

type Ledger = [day: string, operation: string, addons?: Record<string, number>][];

const ordered: Ledger = [["2026-11-23", "order", { 55165: 3 }]];
const grown: Ledger = [...ordered, ["2026-12-03", "edit", { 55165: 5 }], ["2026-12-23", "prolong"]];
/** billmgr itself stops a license at its expiry, and starts it with the prolong. */
const paidLate: Ledger = [["2027-01-28", "prolong"]];
const deleted: Ledger = [["2027-03-09", "delete"]];
const refundedWhileCancelled: Ledger = [
  ...grown,
  ...paidLate,
  ["2027-02-01", "suspend"],
  ["2027-02-05", "resume"],
  ["2027-02-10", "suspend"],
  ...deleted,
];

/**
 * billmgr's operations during each life. Until `sameUntil`, the storefront's webhooks result in the same licenses in any
 * order. Later webhooks end the subscription, and override all earlier ones.
 */
const expected: Record<keyof typeof lives, { ledger: Ledger; sameUntil: string }> = {
  "Stripe since API version basil": stripe(),
  "Stripe before API version basil": stripe(),
  Paddle: {
    ledger: [
      ...grown,
      ...paidLate,
      ["2027-02-01", "suspend"],
      ["2027-02-05", "resume"],
      ["2027-02-08", "suspend"],
      ["2027-02-10", "resume"],
      ...deleted,
    ],
    sameUntil: "2027-02-06",
  },
  "Lemon Squeezy": { ledger: refundedWhileCancelled, sameUntil: "2027-02-06" },
  Polar: { ledger: refundedWhileCancelled, sameUntil: "2027-02-06" },
  Shopify: {
    ledger: [
      ...ordered,
      ["2026-12-23", "prolong"],
      ["2026-12-23", "edit", { 55165: 5 }],
      ["2027-01-25", "prolong"],
      ["2027-02-01", "suspend"],
      ["2027-02-05", "resume"],
      ["2027-02-08", "suspend"],
      ["2027-02-09", "resume"],
      ...deleted,
    ],
    sameUntil: "2027-02-10",
  },
  WooCommerce: {
    ledger: [
      ...grown,
      ...paidLate,
      ["2027-02-01", "suspend"],
      ["2027-02-02", "resume"],
      ["2027-02-03", "suspend"],
      ["2027-02-05", "resume"],
      ...deleted,
    ],
    sameUntil: "2027-02-06",
  },
  Chargebee: {
    ledger: [...grown, ...paidLate, ["2027-02-03", "suspend"], ["2027-02-05", "resume"], ...deleted],
    sameUntil: "2027-02-07",
  },
  FastSpring: { ledger: [...grown, ...paidLate, ...deleted], sameUntil: "2027-02-11" },
  HostBill: {
    ledger: [
      ["2026-11-23", "order", { 55165: 1 }],
      ["2026-12-20", "prolong"],
      ["2027-01-30", "prolong"],
      ["2027-02-02", "order", {}],
      ["2027-02-02", "delete"],
      ["2027-02-23", "suspend"],
      ...deleted,
    ],
    // Purchases and payments only. HostBill signs the time of sending, which is also the event's: a late delivery is a new event.
    sameUntil: "2027-01-01",
  },
  Appstle: {
    ledger: [...grown, ["2027-01-25", "prolong"], ["2027-02-01", "suspend"], ["2027-02-05", "resume"], ...deleted],
    sameUntil: "2027-02-10",
  },
  Recharge: {
    ledger: [...grown, ["2027-01-25", "prolong"], ...deleted],
    sameUntil: "2027-02-10",
  },
};

function stripe() {
  const disputed: Ledger = [
    ["2027-02-01", "suspend"],
    ["2027-02-05", "resume"],
  ];
  // Until the won dispute.
  return { ledger: [...grown, ...paidLate, ...disputed, ...deleted], sameUntil: "2027-02-06" };
}

const stack = useTestStack();

describe.each(Object.entries(lives))("a customer's life at %s", (name, life) => {
  const { ledger, sameUntil } = expected[name as keyof typeof lives];

  test("makes billmgr order, edit, prolong, suspend, resume, and delete on these days", {
    timeout: 20_000,
  }, async () => {
    await life.play(stack);
    await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
    expect(doneAt(stack)).toEqual(ledger);
  });

  test("results in the same licenses in any order, with repeated webhooks", { timeout: 60_000 }, async () => {
    await life.expectSameInAnyOrder(new Date(`${sameUntil}T00:00:00Z`));
  });
});

test("HostBill's webhooks result in the same calls when it sends them as forms", { timeout: 20_000 }, async () => {
  await lives.HostBill.play(stack, lives.HostBill.events.map(asForm));
  await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
  expect(doneAt(stack)).toEqual(expected.HostBill.ledger);
});
