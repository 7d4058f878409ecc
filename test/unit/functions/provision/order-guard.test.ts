import { describe, expect, test } from "vitest";
import { guardOrder } from "../../../../functions/provision/order-guard.ts";
import type { Listing } from "../../../../shared/billmgr/billmgr.ts";
import type { SeenLicense } from "../../../../shared/billmgr/license.ts";
import { referenceOf } from "../../../../shared/licensing/operation.ts";
import type { Subscription } from "../../../../shared/licensing/subscription.ts";
import { catalogWith, licensed, type Order, operation, orderOf, slot, utc } from "../../../support/events.ts";

const order = orderOf({ spends: { from: utc("2027-01-01"), to: utc("2027-02-01") } });
const { spends: _, ...unpaid } = order;
const fresh = licensed([]);
const referenceAt = (n: number, generation: number) => referenceOf(fresh, { n, generation });
const seen = (of: Partial<SeenLicense> = {}): SeenLicense => ({
  elid: "77",
  status: "active",
  autosuspended: false,
  expiry: "2027-02-01",
  addons: { "55165": 3 },
  ...of,
});
/** A license of another customer, in a list that shows comments. */
const other = seen({ elid: "80", comment: "somebody else's" });
const bare = (elid: string): SeenLicense => seen({ elid });

type Account = {
  subscription?: Subscription;
  change?: Order;
  forms?: SeenLicense[];
  orderGuard?: "strict" | "lenient";
};

/** @returns the guard's decision, and the forms that it opened. Unless given, a form shows the same as its row. */
async function guard(listing: Listing, of: Account = {}) {
  const { subscription = fresh, change = order, forms = listing.rows, orderGuard = "strict" } = of;
  const opened: string[] = [];
  const billmgr = {
    license: async (_family: string, elid: string) => {
      opened.push(elid);
      return forms.find((form) => form.elid === elid);
    },
  };
  const catalog = catalogWith({ orderGuard });
  return { ...(await guardOrder(change, subscription, listing, { billmgr, catalog })), opened };
}
const guardRows = (rows: SeenLicense[], of?: Account) => guard({ rows }, of);
const absent = (lastElid: string) => ({ kind: "absent", lastElid, opened: [] });

describe("a license that was ordered before is adopted", () => {
  test.each([["comment"], ["remoteid"]])("by its reference in the %s, as it is", async (column) => {
    const ours = seen({ status: "stopped", [column]: referenceAt(1, 1) });
    expect(await guardRows([other, ours])).toEqual({
      kind: "match",
      match: { change: unpaid, elid: "77", adopted: { suspended: true, addons: { "55165": 3 } } },
      opened: ["77"],
    });
  });

  test.each([
    ["another generation", { slot: 1, generation: 4 }],
    ["another slot", { slot: 3, generation: 1 }],
  ])("into %s, which its reference names", async (_, place) => {
    const ours = seen({ comment: referenceAt(place.slot, place.generation) });
    expect(await guardRows([other, ours])).toMatchObject({ kind: "match", match: { elid: "77", change: place } });
  });

  test("with its own place first", async () => {
    const rows = [seen({ elid: "78", comment: referenceAt(2, 1) }), seen({ comment: referenceAt(1, 1) })];
    expect(await guardRows(rows)).toMatchObject({ match: { elid: "77", change: { slot: 1 } } });
  });

  test("from an incomplete list as well", async () => {
    const listing = { rows: [seen({ comment: referenceAt(1, 1) })], incomplete: "cut" };
    expect(await guard(listing)).toMatchObject({ kind: "match" });
  });

  test("with the policy lenient as well", async () => {
    expect(await guardRows([seen({ comment: referenceAt(1, 1) })], { orderGuard: "lenient" })).toMatchObject({
      kind: "match",
    });
  });

  test("by its form, if the list shows no references", async () => {
    const forms = [bare("5"), seen({ comment: referenceAt(1, 1) })];
    expect(await guardRows([bare("5"), bare("77")], { forms })).toMatchObject({
      kind: "match",
      match: { elid: "77", change: unpaid },
      opened: ["5", "77"],
    });
  });

  test("though it was stopped by billmgr at its expiry, and not by a request", async () => {
    const ours = seen({ status: "stopped", autosuspended: true, comment: referenceAt(1, 1) });
    expect(await guardRows([ours])).toMatchObject({ match: { adopted: { suspended: false } } });
  });
});

describe("a license is not adopted", () => {
  const ours = seen({ comment: referenceAt(1, 1) });

  test.each<[string, SeenLicense[], SeenLicense[]]>([
    ["that is deleted", [other, { ...ours, status: "deleted" }], []],
    ["whose form shows it as deleted", [other, ours], [{ ...ours, status: "deleted" }]],
    ["that is to be closed", [other, ours], [{ ...ours, closes: true }]],
    ["of another product", [other, ours], [{ ...ours, pricelist: "55161" }]],
    ["of another subscription", [other, seen({ comment: "bw-1111111111111111-1-1" })], []],
    ["without a reference of ours", [other, bare("77")], []],
  ])("%s", async (_, rows, forms) => {
    expect(await guardRows(rows, { forms })).toMatchObject({ kind: "absent", lastElid: "80" });
  });

  test("that a slot has", async () => {
    const subscription = licensed([slot({ n: 1, elid: "77" })]);
    const change = orderOf({ slot: 2 });
    expect(await guardRows([other, ours], { subscription, change })).toEqual(absent("80"));
  });

  test.each([
    ["has", { elid: "77", state: "unconfirmed" }],
    ["is about to find", { state: "unknown" }],
  ] as const)("that an open order of another slot %s", async (_, of) => {
    const subscription = { ...fresh, parked: [operation({ change: orderOf(), ...of })] };
    expect(await guardRows([other, ours], { subscription, change: orderOf({ slot: 2 }) })).toEqual(absent("80"));
  });

  test("that has no form: the order waits", async () => {
    expect(await guardRows([ours], { forms: [] })).toMatchObject({
      kind: "wait",
      why: "license 77 is in the list, and has no form",
    });
  });

  test("whose place another license has: that needs attention", async () => {
    const subscription = licensed([slot({ n: 1, elid: "90" })]);
    const change = orderOf({ slot: 2 });
    expect(
      await guardRows([other, ours, seen({ elid: "90", comment: referenceAt(1, 2) })], { subscription, change }),
    ).toMatchObject({
      kind: "attention",
      reason: {
        code: "conflicting",
        change,
        evidence: `license 77 carries ${referenceAt(1, 1)}, and license 90 has its place`,
      },
    });
  });

  test("of another product, while one of the product is", async () => {
    const forms = [
      seen({ comment: referenceAt(1, 1), pricelist: "55161" }),
      seen({ elid: "78", comment: referenceAt(2, 1) }),
    ];
    expect(await guardRows(forms)).toMatchObject({ match: { elid: "78", change: { slot: 2 } } });
  });
});

describe("an order is made", () => {
  test("for an empty account, before any license", async () => {
    expect(await guardRows([])).toEqual(absent("0"));
  });

  test("with the highest license number before it, deleted licenses included", async () => {
    const rows = [bare("99999999999999998"), seen({ elid: "100000000000000000", status: "deleted" }), other];
    expect(await guardRows(rows)).toEqual(absent("100000000000000000"));
  });

  test.each([["comment"], ["remoteid"]])("where the list shows any %s", async (column) => {
    const rows = [...Array.from({ length: 60 }, (_, n) => bare(String(n))), seen({ elid: "61", [column]: "x" })];
    expect(await guardRows(rows)).toEqual(absent("61"));
  });

  test("if only forms show references, and none is ours", async () => {
    const forms = [bare("5"), seen({ elid: "6", comment: "" })];
    expect(await guardRows([bare("5"), bare("6")], { forms })).toEqual({
      kind: "absent",
      lastElid: "6",
      opened: ["5", "6"],
    });
  });

  test("if every license of the account is deleted", async () => {
    expect(await guardRows([seen({ elid: "6", status: "deleted" })])).toEqual(absent("6"));
  });

  test("with the policy lenient, in spite of an incomplete list, which proves no highest number", async () => {
    const listing = { rows: [other], incomplete: "the list could not be read whole (1 rows)" };
    expect(await guard(listing, { orderGuard: "lenient" })).toEqual({ kind: "absent", opened: [] });
  });

  test("with the policy lenient, without opening forms", async () => {
    expect(await guardRows([bare("5")], { orderGuard: "lenient" })).toEqual(absent("5"));
  });
});

describe("an order is not made", () => {
  test("with the policy strict, while the list is incomplete", async () => {
    expect(await guard({ rows: [other], incomplete: "the filter of the list could not be emptied" })).toMatchObject({
      kind: "wait",
      why: "the filter of the list could not be emptied, so it is not known whether the order was made before",
    });
  });

  test("if neither the list nor any form shows references", async () => {
    expect(await guardRows([bare("5"), bare("6")], { forms: [bare("5")] })).toEqual({
      kind: "attention",
      reason: {
        code: "order_not_guarded",
        why: "neither the list nor the forms of the licenses show references",
        change: order,
      },
      opened: ["5", "6"],
    });
  });

  test("if the list shows no references, and has more than fifty licenses", async () => {
    const rows = Array.from({ length: 51 }, (_, n) => bare(String(n)));
    expect(await guardRows(rows)).toEqual({
      kind: "attention",
      reason: { code: "order_not_guarded", why: "the list of 51 licenses shows no references", change: order },
      opened: [],
    });
    const forms = [seen({ elid: "0", comment: "" })];
    const { kind, opened } = await guardRows([...rows.slice(1), seen({ elid: "99", status: "deleted" })], { forms });
    expect([kind, opened.length]).toEqual(["attention", 50]);
  });
});
