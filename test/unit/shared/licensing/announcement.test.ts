import { describe, expect, test } from "vitest";
import { announcementOf, attentionOf, unparseableOf } from "../../../../shared/licensing/announcement.ts";
import { announcementSchema } from "../../../../shared/licensing/announcement-schema.ts";
import { awaitsKey } from "../../../../shared/licensing/license-keys.ts";
import type { Change, Operation } from "../../../../shared/licensing/operation.ts";
import { type License, newSubscription, type Subscription } from "../../../../shared/licensing/subscription.ts";

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

describe("what others are told of an operation", () => {
  test("is all that is known of the license, and whose it is", () => {
    const told = (value: string) => ({ value, at, event: "e" });
    const known = subscriptionWith(license, { customerId: told("cus_9"), email: told("ann@example.com") });
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

  test("is the license as the operation left it, whatever became of it since", () => {
    const now = { ...license, suspended: true, expiry: "2027-12-23", key: "made later" };
    const announcement = announcementOf(subscriptionWith(now), operation(other("resume"), { result }));
    expect(announcement).toMatchObject({
      type: "license.resumed",
      customer: {},
      license: { suspended: false, expiry: "2026-12-23", key: "made later" },
    });
  });

  test("the key of another license is not this one's", () => {
    const replaced = subscriptionWith({ ...license, elid: "5", key: "another's" });
    expect(announcementOf(replaced, operation(other("suspend"), { result }))).not.toHaveProperty("license.key");
  });

  test("of one that is deleted is its id alone", () => {
    const told = announcementOf(subscriptionWith(), operation(other("delete"), { result: { plan: "vm6-monthly" } }));
    expect(told).toMatchObject({ type: "license.deleted", plan: "vm6-monthly" });
    expect(told).toHaveProperty("license", { id: "334673", family: "platform" });
  });

  test("its key is looked for in its own slot, wherever that is", () => {
    const first = { n: 2, generation: 1, product: "vm", plan: "p", license: { ...license, elid: "5", key: "of 5" } };
    const both = { ...subscriptionWith({ ...license, key: "of 334673" }) };
    both.slots.unshift(first);
    expect(announcementOf(both, operation(other("suspend"), { result }))).toHaveProperty("license.key", "of 334673");
    const waits = { ...subscriptionWith({ ...license, keyAwaited: at }) };
    waits.slots.unshift(first);
    expect(awaitsKey(waits, operation(order, { result }), at)).toBe(true);
  });

  test("is nothing where no license is known of an order, or nothing is known of what it came to", () => {
    expect(announcementOf(subscriptionWith(), operation(order, { result: { plan: "p" } }))).toBeUndefined();
    expect(announcementOf(subscriptionWith(license), operation(order))).toBeUndefined();
  });

  test("leaves out what the license does not tell", () => {
    const { expiry, ...unread } = license;
    const told = announcementOf(
      subscriptionWith(),
      operation(other("suspend"), { result: { plan: "p", license: unread } }),
    );
    expect(Object.keys(told && "license" in told ? told.license : {})).toEqual([
      "id",
      "family",
      "trial",
      "suspended",
      "addons",
    ]);
    const deleted = announcementOf(subscriptionWith(), operation(other("delete"), { result: { plan: "p" } }));
    expect(Object.keys(deleted && "license" in deleted ? deleted.license : {})).toEqual(["id", "family"]);
  });

  test.each(["refused", "absent", "not_sent", "gave_up"] as const)("is nothing of one that is %s", (outcome) => {
    expect(announcementOf(subscriptionWith(license), operation(order, { outcome, result }))).toBeUndefined();
  });

  test("is nothing of one that is open", () => {
    const { outcome, finishedAt, ...open } = operation(order, { state: "unknown" });
    expect(announcementOf(subscriptionWith(license), open)).toBeUndefined();
  });
});

describe("an order is told once its license has its key", () => {
  const waits = { ...license, keyAwaited: at };
  const seconds = (count: number) => new Date(Date.parse(at) + count * 1000).toISOString();
  const ordered = operation(order, { result: { ...result, license: waits } });

  test("or ten minutes later without", () => {
    expect(awaitsKey(subscriptionWith(waits), ordered, seconds(599))).toBe(true);
    expect(awaitsKey(subscriptionWith(waits), ordered, seconds(600))).toBe(false);
    expect(awaitsKey(subscriptionWith({ ...license, key: "k" }), ordered, seconds(1))).toBe(false);
    expect(awaitsKey(subscriptionWith(), ordered, seconds(1))).toBe(false);
  });

  test("and nothing else waits for that, nor for another license's", () => {
    expect(awaitsKey(subscriptionWith(waits), operation(other("suspend"), { result }), seconds(1))).toBe(false);
    expect(awaitsKey(subscriptionWith({ ...waits, elid: "5" }), ordered, seconds(1))).toBe(false);
  });
});

test("where a person is needed, others are told since when and why", () => {
  expect(attentionOf(subscriptionWith(license), at, "refused")).toEqual({
    id: `stripe/sub_1#attention-${at}`,
    version: 1,
    type: "license.attention",
    at,
    storefront: "stripe",
    subscription: "sub_1",
    customer: {},
    reason: "refused",
  });
  expect(unparseableOf("stripe", "evt_1", at, "no plan")).toEqual({
    id: `stripe/evt_1#attention-${at}`,
    version: 1,
    type: "license.attention",
    at,
    storefront: "stripe",
    customer: {},
    reason: "no plan",
    event: "evt_1",
  });
});
