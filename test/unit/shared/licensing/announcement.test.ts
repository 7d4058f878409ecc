import { describe, expect, test } from "vitest";
import { announcementOf, attentionOf, unparseableOf } from "../../../../shared/licensing/announcement.ts";
import { announcementSchema } from "../../../../shared/licensing/announcement-schema.ts";
import { awaitsKey } from "../../../../shared/licensing/license-keys.ts";
import type { Change, Operation } from "../../../../shared/licensing/operation.ts";
import {
  type Attention,
  type License,
  newSubscription,
  type Subscription,
} from "../../../../shared/licensing/subscription.ts";

const at = "2026-11-23T08:00:00.000Z";
const license: License = {
  elid: "334673",
  family: "platform",
  trial: false,
  suspended: false,
  addons: { 55165: 2 },
  expiry: "2026-12-23",
};
const subscriptionWith = (held?: License, more: Partial<Subscription> = {}): Subscription => ({
  ...newSubscription("stripe", "sub_1"),
  slots: [{ n: 1, generation: 1, product: "vm", plan: "vm6-monthly", ...(held && { license: held }) }],
  ...more,
});
const order: Change = {
  kind: "order",
  slot: 1,
  generation: 1,
  plan: "vm6-monthly",
  product: "vm",
  family: "platform",
  pricelist: 55163,
  period: 1,
  addons: {},
  autoprolong: null,
  trial: false,
};
const other = (kind: "suspend" | "resume" | "delete"): Change => ({
  kind,
  slot: 1,
  elid: "334673",
  family: "platform",
});
const operation = (change: Change, more: Partial<Operation> = {}): Operation => ({
  n: 3,
  change,
  why: "paid",
  before: {},
  state: "finished",
  outcome: "done",
  claimedAt: at,
  finishedAt: at,
  observations: [],
  ...more,
});
const result = { plan: "vm6-monthly", license };

describe("the announcement of an operation", () => {
  test("contains all that is known of the license and the customer", () => {
    const stated = (value: string) => ({ value, at, event: "e" });
    const known = subscriptionWith(license, { customerId: stated("cus_9"), email: stated("ann@example.com") });
    const announcement = announcementOf(
      known,
      operation(order, { result: { ...result, license: { ...license, key: "k" } } }),
    );
    expect(announcement).toEqual({
      id: "stripe/sub_1#operation-3",
      version: 1,
      type: "license.ordered",
      at,
      storefront: "stripe",
      subscription: "sub_1",
      customer: { id: "cus_9", email: "ann@example.com" },
      plan: "vm6-monthly",
      license: {
        id: "334673",
        family: "platform",
        trial: false,
        suspended: false,
        addons: { 55165: 2 },
        expiry: "2026-12-23",
        key: "k",
      },
    });
    expect(announcementSchema.parse(announcement)).toEqual(announcement);
  });

  test("contains the license as the operation left it", () => {
    const now = { ...license, suspended: true, expiry: "2027-12-23", key: "made later" };
    const announcement = announcementOf(subscriptionWith(now), operation(other("resume"), { result }));
    expect(announcement).toMatchObject({
      type: "license.resumed",
      customer: {},
      license: { suspended: false, expiry: "2026-12-23", key: "made later" },
    });
  });

  test("omits the key of another license", () => {
    const replaced = subscriptionWith({ ...license, elid: "5", key: "another's" });
    expect(announcementOf(replaced, operation(other("suspend"), { result }))).not.toHaveProperty("license.key");
  });

  test("of a deletion contains the id of the license alone", () => {
    const deleted = announcementOf(subscriptionWith(), operation(other("delete"), { result: { plan: "vm6-monthly" } }));
    expect(deleted).toMatchObject({ type: "license.deleted", plan: "vm6-monthly" });
    expect(deleted).toHaveProperty("license", { id: "334673", family: "platform" });
  });

  test("takes the key from the slot that has the license", () => {
    const first = { n: 2, generation: 1, product: "vm", plan: "p", license: { ...license, elid: "5", key: "of 5" } };
    const both = { ...subscriptionWith({ ...license, key: "of 334673" }) };
    both.slots.unshift(first);
    expect(announcementOf(both, operation(other("suspend"), { result }))).toHaveProperty("license.key", "of 334673");
    const waits = { ...subscriptionWith({ ...license, keyAwaited: at }) };
    waits.slots.unshift(first);
    expect(awaitsKey(waits, operation(order, { result }), at)).toBe(true);
  });

  test("is none where the license of an order or the result is not known", () => {
    expect(announcementOf(subscriptionWith(), operation(order, { result: { plan: "p" } }))).toBeUndefined();
    expect(announcementOf(subscriptionWith(license), operation(order))).toBeUndefined();
  });

  test("omits what the license does not show", () => {
    const { expiry, ...unread } = license;
    const suspended = announcementOf(
      subscriptionWith(),
      operation(other("suspend"), { result: { plan: "p", license: unread } }),
    );
    expect(Object.keys(suspended && "license" in suspended ? suspended.license : {})).toEqual([
      "id",
      "family",
      "trial",
      "suspended",
      "addons",
    ]);
    const deleted = announcementOf(subscriptionWith(), operation(other("delete"), { result: { plan: "p" } }));
    expect(Object.keys(deleted && "license" in deleted ? deleted.license : {})).toEqual(["id", "family"]);
  });

  test.each(["refused", "absent", "not_sent", "gave_up"] as const)(
    "is none of an operation with the outcome %s",
    (outcome) => {
      expect(announcementOf(subscriptionWith(license), operation(order, { outcome, result }))).toBeUndefined();
    },
  );

  test("is none of an open operation", () => {
    const { outcome, finishedAt, ...open } = operation(order, { state: "unknown" });
    expect(announcementOf(subscriptionWith(license), open)).toBeUndefined();
  });
});

describe("an order is announced once its license has its key", () => {
  const waits = { ...license, keyAwaited: at };
  const seconds = (count: number) => new Date(Date.parse(at) + count * 1000).toISOString();
  const ordered = operation(order, { result: { ...result, license: waits } });

  test("or ten minutes later without it", () => {
    expect(awaitsKey(subscriptionWith(waits), ordered, seconds(599))).toBe(true);
    expect(awaitsKey(subscriptionWith(waits), ordered, seconds(600))).toBe(false);
    expect(awaitsKey(subscriptionWith({ ...license, key: "k" }), ordered, seconds(1))).toBe(false);
    expect(awaitsKey(subscriptionWith(), ordered, seconds(1))).toBe(false);
  });

  test("and no other change waits for that, nor for the key of another license", () => {
    expect(awaitsKey(subscriptionWith(waits), operation(other("suspend"), { result }), seconds(1))).toBe(false);
    expect(awaitsKey(subscriptionWith({ ...waits, elid: "5" }), ordered, seconds(1))).toBe(false);
  });
});

describe("an attention item is announced", () => {
  const refusedAt = (slot: number, since = at): Attention => ({
    reason: {
      code: "refused",
      change: { kind: "suspend", slot, elid: `${slot}`, family: "platform" },
      response: "error value: No",
    },
    since,
  });
  const idOf = (item: Attention) => attentionOf(subscriptionWith(license), item).id;

  test("with its code and its reason", () => {
    const announcement = attentionOf(subscriptionWith(license), refusedAt(1));
    expect(announcement).toEqual({
      id: expect.stringMatching(new RegExp(`^stripe/sub_1#attention-${at}-refused-[0-9a-f]{8}$`)),
      version: 1,
      type: "license.attention",
      at,
      storefront: "stripe",
      subscription: "sub_1",
      customer: {},
      code: "refused",
      reason: "billmgr refused to suspend license 1: error value: No.",
    });
    expect(announcementSchema.parse(announcement)).toEqual(announcement);
  });

  test("under an id that lasts as long as the item, and that no other item has", () => {
    const itemWith = (evidence: string): Attention => ({
      reason: { code: "not_confirmed", operation: 3, change: order, evidence },
      since: at,
    });
    const item = itemWith("license 334673 is ordered");
    expect(idOf(itemWith("license 334673 is processing"))).toBe(idOf(item));
    const ids = [refusedAt(1), refusedAt(2), refusedAt(1, "2026-11-24T08:00:00.000Z"), item].map(idOf);
    expect(new Set(ids).size).toBe(4);
  });

  test("for an event that was not understood", () => {
    const announcement = unparseableOf("stripe", "evt_1", at, "no plan");
    expect(announcement).toEqual({
      id: `stripe/evt_1#attention-${at}`,
      version: 1,
      type: "license.attention",
      at,
      storefront: "stripe",
      customer: {},
      code: "not_understood",
      reason: "no plan",
      event: "evt_1",
    });
    expect(announcementSchema.parse(announcement)).toEqual(announcement);
  });
});
