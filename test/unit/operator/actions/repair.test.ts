import { describe, expect, test } from "vitest";
import { type Resolution, resolve } from "../../../../operator/actions/repair.ts";
import type { SeenLicense } from "../../../../shared/billmgr/license.ts";
import { PreconditionFailed } from "../../../../shared/errors.ts";
import { type Operation, referenceOf } from "../../../../shared/licensing/operation.ts";
import type { Subscription } from "../../../../shared/licensing/subscription.ts";
import { dependenciesOf } from "../../../support/dependencies.ts";
import { catalogWith, licensed, operation, orderOf, paid, slot, utc } from "../../../support/events.ts";

const now = utc("2027-01-05T10:00");
const january = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"] });
const emptySlot = { n: 1, generation: 1, product: "vmmanager6", plan: "vm-monthly" };
/** A lost order, for which billmgr named that license. */
const orderWith = (of: Partial<Operation> = {}): Subscription => ({
  ...licensed([emptySlot], january),
  operation: operation({ change: orderOf({ addons: { "55165": 1 } }), state: "unknown", due: now, ...of }),
  operationCount: 1,
});
const lost = orderWith();
const named = orderWith({ elid: "77" });
const reference = referenceOf(lost, { n: 1, generation: 1 });
const seen = (of: Partial<SeenLicense> = {}): SeenLicense => ({
  elid: "77",
  status: "active",
  autosuspended: false,
  expiry: "2027-02-01",
  addons: { "55165": 1 },
  comment: reference,
  ...of,
});

const { status: _, ...withoutStatus } = seen({ unreadableStatus: "Aktiv" });

/** Resolves where billmgr shows that license, and another subscription has those. Returns what was stored. */
async function resolved(subscription: Subscription, resolution: Resolution, form?: SeenLicense, held: string[] = []) {
  let stored: Subscription | undefined;
  const other = { ...licensed(held.map((elid) => slot({ elid }))), id: "shop-2" };
  const deps = dependenciesOf({
    now: () => new Date(now),
    catalog: catalogWith(),
    billmgr: { license: async () => form },
    table: {
      load: async () => ({ subscription, version: 1 }),
      subscriptions: async () => ({ found: [{ key: "subscription#standard/shop-2", subscription: other }] }),
      putOperation: async () => {},
      save: async (_, state) => {
        stored = state.subscription;
        return { ...state, version: 2 };
      },
    },
  });
  await resolve("standard/shop-1", resolution, deps).catch((error: unknown) => {
    expect(stored).toBeUndefined();
    throw error;
  });
  return stored;
}

const failure = async (result: Promise<unknown>): Promise<string> => {
  const error = await result.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PreconditionFailed);
  return error instanceof Error ? error.message : "";
};

describe("an order is resolved as done", () => {
  test("where billmgr shows its license as active", async () => {
    const after = await resolved(named, { as: "done" }, seen());
    expect(after?.slots).toMatchObject([{ license: { elid: "77", expiry: "2027-02-01" } }]);
  });

  test.each<[string, SeenLicense | undefined, RegExp]>([
    ["F10: unpaid", seen({ status: "ordered" }), /is ordered until 2027-02-01, not paid, so it is not done/],
    ["F10: processing", seen({ status: "processing" }), /is processing .* so it is not done/],
    ["deleted", seen({ status: "deleted" }), /is deleted .* so it is not done/],
    ["F12: of an unknown status", withoutStatus, /not understood/],
    ["missing", undefined, /has no license 77/],
    ["of another product", seen({ pricelist: "55161" }), /is of the pricelist 55161/],
    ["with another comment", seen({ comment: "somebody else's" }), /instead of bw-/],
  ])("not where billmgr shows it as %s", async (_, form, why) => {
    expect(await failure(resolved(named, { as: "done" }, form))).toMatch(why);
  });
});

describe("a license is adopted", () => {
  test.each([
    ["with the reference", seen()],
    ["without any comment", { ...seen(), comment: "" }],
    ["of the product by its name", seen({ pricelist: "VMmanager 6" })],
    ["that is unpaid: it is observed until it is paid", seen({ status: "ordered" })],
  ])("%s", async (_, form) => {
    const after = await resolved(lost, { as: "adopt", elid: "77" }, form);
    expect(after?.operation).toMatchObject({ elid: "77", state: "unconfirmed" });
  });

  test.each<[string, SeenLicense | undefined, string[], RegExp]>([
    ["F11: of another product", seen({ pricelist: "55161" }), [], /of the pricelist 55161, and vmmanager6 has 55163/],
    ["with another reference", seen({ comment: "bw-1111111111111111-1-1" }), [], /instead of bw-/],
    ["that is deleted", seen({ status: "deleted" }), [], /is deleted/],
    ["that billmgr does not have", undefined, [], /has no license 77 of platform/],
    ["of another subscription", seen(), ["77"], /is already assigned to standard\/shop-2/],
  ])("not %s", async (_, form, held, why) => {
    expect(await failure(resolved(lost, { as: "adopt", elid: "77" }, form, held))).toMatch(why);
  });
});

describe("a license is resolved as gone", () => {
  const having = licensed([slot({ elid: "77" })], january);

  test.each([
    ["not known", undefined],
    ["deleted", seen({ status: "deleted" })],
  ])("where billmgr shows it as %s", async (_, form) => {
    const after = await resolved(having, { as: "gone", elid: "77" }, form);
    expect(after?.slots).toEqual([{ ...emptySlot, generation: 2 }]);
  });

  test("not where billmgr still shows it", async () => {
    expect(await failure(resolved(having, { as: "gone", elid: "77" }, seen()))).toMatch(/as active, so it is not gone/);
  });
});

test("a resolution for another operation than the latest is refused", async () => {
  expect(await failure(resolved(lost, { as: "never-bought", operation: 2 }))).toMatch(/is at operation 1 now/);
  expect(await resolved(lost, { as: "never-bought", operation: 1 })).toMatchObject({
    operation: { outcome: "gave_up" },
  });
});

test("a license number is a number", async () => {
  expect(await failure(resolved(lost, { as: "adopt", elid: "l77" }))).toMatch(/expected a license number/);
});
