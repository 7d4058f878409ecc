import { describe, expect, test } from "vitest";
import {
  type Change,
  describe as describeChange,
  isOpen,
  isPurchase,
  referenceOf,
} from "../../../../shared/licensing/operation.ts";
import { operation, orderOf } from "../../../support/events.ts";

const license = { slot: 1, elid: "77", family: "platform" };
const order = orderOf({ period: 12 });
const prolong: Change = { ...license, kind: "prolong", plan: "vm-monthly", period: 1, expiry: "2027-03-01" };
const edit: Change = { ...license, kind: "edit", plan: "vm-monthly", addons: { "11": 4, "12": 0 } };
const suspend: Change = { ...license, kind: "suspend" };

describe("the reference", () => {
  const of = (storefront: string, id: string, n = 1, generation = 1) =>
    referenceOf({ storefront, id }, { n, generation });

  test("is the same every time, and what it was when orders were made with it", () => {
    expect(of("stripe", "sub_1")).toBe("bw-94711cc4cd9df913-1-1");
  });

  test("differs by storefront, subscription, slot and generation", () => {
    const all = [
      of("stripe", "a"),
      of("standard", "a"),
      of("stripe", "b"),
      of("stripe", "a", 2),
      of("stripe", "a", 1, 2),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test("holds at most 32 characters of ASCII, in the hundredth slot and generation too", () => {
    expect(of("standard", "ž".repeat(200), 1000, 999)).toMatch(/^[a-z0-9-]{1,32}$/);
  });
});

test.each([
  [order, "order vmmanager6 for 12 months", true],
  [{ ...order, period: 1 }, "order vmmanager6 for a month", true],
  [{ ...order, period: -100, trial: true }, "order vmmanager6 for a trial", true],
  [prolong, "prolong license 77 to 2027-03-01", true],
  [edit, "set addon 11 = 4, addon 12 = 0 of license 77", false],
  [suspend, "suspend license 77", false],
])("%j reads %j", (change, text, purchase) => {
  expect(describeChange(change as Change)).toBe(text);
  expect(isPurchase(change as Change)).toBe(purchase);
});

test("an operation is open until it is finished", () => {
  const open = (["claimed", "unknown", "unconfirmed", "finished"] as const).map((state) =>
    isOpen(operation({ change: suspend, state })),
  );
  expect(open).toEqual([true, true, true, false]);
  expect(isOpen(undefined)).toBe(false);
});
