import { describe, expect, test } from "vitest";
import { parseCatalog } from "../../../../shared/licensing/catalog.ts";
import { customersOf, newOwners, type Sharer, unclaimedLines } from "../../../../shared/licensing/line-owners.ts";

const sold = (...names: string[]) => ({ soldAs: { shopify: names } });
const catalog = parseCatalog({
  billmgr: { url: "https://billmgr.example/manager/billmgr" },
  products: { vm: { pricelist: 1, addons: { nodes: 9 } }, dci: { pricelist: 2 } },
  plans: {
    "vm-monthly": { product: "vm", period: 1, ...sold("vm-month") },
    "vm-yearly": { product: "vm", period: 12, ...sold("vm-year") },
    "dci-monthly": { product: "dci", period: 1, ...sold("dci-month") },
    "dci-yearly": { product: "dci", period: 12, ...sold("dci-year") },
  },
  extras: { node: { product: "vm", addons: { nodes: { perUnit: 1 } }, ...sold("node") } },
  ignored: { shopify: ["support"] },
});

const items = (...names: string[]) => names.map((name) => ({ names: [name, "any product"], quantity: 1 }));
const monthly = { to: "monthly", months: 1 };
const yearly = { to: "yearly", months: 12 };
const weekly = { to: "weekly" };

const owned = (names: string[], sharers: Sharer[], { isSettled = false, owners = {} } = {}) =>
  newOwners({ storefront: "shopify", items: items(...names), sharers, owners }, catalog, isSettled);

describe("the lines of an order", () => {
  test.each<[string, string[], Sharer[], Record<string, string>]>([
    [
      "each by its period",
      ["vm-month", "dci-year"],
      [monthly, yearly],
      { "vm-month": "monthly", "dci-year": "yearly" },
    ],
    [
      "the same, linked the other way round",
      ["vm-month", "dci-year"],
      [yearly, monthly],
      { "vm-month": "monthly", "dci-year": "yearly" },
    ],
    [
      "only what fits, while another subscription may follow",
      ["vm-month", "dci-year"],
      [monthly],
      { "vm-month": "monthly" },
    ],
    ["a single line, whatever its period", ["vm-month"], [yearly], { "vm-month": "yearly" }],
    ["a single line, also of a subscription without months", ["vm-month"], [weekly], { "vm-month": "weekly" }],
    ["nothing yet of several lines that fit none", ["vm-month", "dci-month"], [yearly], {}],
    [
      "an extra with a plan of its product",
      ["dci-month", "node", "vm-year"],
      [monthly, yearly],
      { "dci-month": "monthly", "vm-year": "yearly", node: "yearly" },
    ],
    ["no extra before its plan", ["vm-year", "dci-month", "node"], [monthly], { "dci-month": "monthly" }],
    [
      "other goods with the first",
      ["support", "shirt", "vm-month"],
      [yearly, monthly],
      { support: "yearly", shirt: "yearly", "vm-month": "monthly" },
    ],
    ["other goods alone", ["shirt"], [monthly], { shirt: "monthly" }],
    ["the first of two that fit", ["vm-month"], [monthly, { to: "other", months: 1 }], { "vm-month": "monthly" }],
  ])("belong, %s", (_, names, sharers, expected) => {
    expect(owned(names, sharers)).toEqual(expected);
  });

  test("belong to the only subscription that owns nothing, once no other can follow", () => {
    expect(owned(["vm-month", "dci-month"], [yearly], { isSettled: true })).toEqual({
      "vm-month": "yearly",
      "dci-month": "yearly",
    });
    expect(owned(["dci-month", "vm-month"], [yearly, weekly], { isSettled: true })).toEqual({});
    expect(owned(["dci-month", "vm-month", "vm-year"], [yearly, weekly], { isSettled: true })).toEqual({
      "vm-year": "yearly",
      "dci-month": "weekly",
      "vm-month": "weekly",
    });
  });

  test("keep the owner that they have", () => {
    const owners = { "vm-month": "yearly" };
    expect(owned(["vm-month", "dci-month"], [yearly, monthly], { owners })).toEqual({ "dci-month": "monthly" });
  });

  test("belong to nobody without a subscription", () => {
    expect(owned(["vm-month"], [])).toEqual({});
  });
});

test("lines are unclaimed that the catalog sells and nobody owns", () => {
  const order = { storefront: "shopify", items: items("vm-month", "node", "support", "shirt"), owners: {} };
  expect(unclaimedLines(order, catalog).map(({ names }) => names[0])).toEqual(["vm-month", "node"]);
  expect(unclaimedLines({ ...order, owners: { "vm-month": "a", node: "a" } }, catalog)).toEqual([]);
});

test("a plan belongs to its customer and variant, with and without the selling plan", () => {
  const order = (names: string[], owners = {}) => ({ storefront: "shopify", items: [{ names, quantity: 1 }], owners });
  expect([...customersOf(order(["vm-year"]), "77", catalog)]).toEqual([["vm-year", { to: "77-vm-year", months: 12 }]]);
  expect([...customersOf(order(["vm-year@689", "vm-year"]), "77", catalog)]).toEqual([
    ["vm-year@689", { to: "77-vm-year", months: 12 }],
  ]);
  for (const other of ["node", "support", "shirt"]) expect(customersOf(order([other]), "77", catalog).size).toBe(0);
  expect(customersOf(order(["vm-year"], { "vm-year": "77-vm-year" }), "77", catalog).size).toBe(0);
});
