import { describe, expect, test } from "vitest";
import { licensesAwaitingKey, nextKeyPoll, recordKey } from "../../../../shared/licensing/license-keys.ts";
import type { Change } from "../../../../shared/licensing/operation.ts";
import * as lifecycle from "../../../../shared/licensing/operation-lifecycle.ts";
import { type License, newSubscription, type Subscription } from "../../../../shared/licensing/subscription.ts";

const start = Date.parse("2026-11-23T08:00:00Z");
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString();

const license: License = { elid: "5", family: "platform", trial: false, suspended: false, addons: {} };
const order: Change = {
  kind: "order",
  slot: 1,
  generation: 1,
  plan: "p",
  product: "vm",
  family: "platform",
  pricelist: 1,
  period: 1,
  addons: {},
  autoprolong: null,
  trial: false,
};
const prolong: Change = {
  kind: "prolong",
  slot: 1,
  elid: "5",
  family: "platform",
  plan: "p",
  period: 1,
  expiry: "2027-01-23",
};
const held = (more: Partial<License> = {}): Subscription => ({
  ...newSubscription("standard", "1"),
  slots: [{ n: 1, generation: 1, product: "vm", plan: "p", license: { ...license, ...more } }],
});
const licenseOf = ({ slots }: Subscription) => slots.find(({ n }) => n === 1)?.license;

/** The change, confirmed by a read that shows that key. */
const done = (before: Subscription, change: Change, key: string | undefined) => {
  const claimed = lifecycle.claim(
    before,
    { change, why: "paid", before: {} },
    { params: {}, now: at(0), deadline: at(70) },
  );
  const recorded = lifecycle.record(claimed, { outcome: "done", response: "ok", elid: "5" }, at(0));
  return lifecycle.recordObservation(recorded, {
    at: at(0),
    verdict: "achieved",
    evidence: "license 5 is active",
    expiry: "2026-12-23",
    key,
  });
};

describe("a license's key", () => {
  test("is kept as it is shown", () => {
    expect(licenseOf(done(newSubscription("standard", "1"), order, "5-abc"))).toMatchObject({ key: "5-abc" });
    expect(licenseOf(done(held({ key: "5-abc" }), prolong, undefined))).toMatchObject({ key: "5-abc" });
    expect(licenseOf(done(held({ key: "5-abc" }), prolong, "5-new"))).toMatchObject({ key: "5-new" });
  });

  test("that is shown empty is awaited from the order on, and from no other change", () => {
    expect(licenseOf(done(newSubscription("standard", "1"), order, ""))).toMatchObject({ keyAwaited: at(0) });
    expect(licenseOf(done(newSubscription("standard", "1"), order, undefined))).not.toHaveProperty("keyAwaited");
    expect(licenseOf(done(held(), prolong, ""))).not.toHaveProperty("keyAwaited");
    expect(licenseOf(done(held({ keyAwaited: at(-90) }), prolong, ""))).toMatchObject({ keyAwaited: at(-90) });
    expect(licenseOf(done(held({ keyAwaited: at(-90) }), prolong, "5-abc"))).not.toHaveProperty("keyAwaited");
  });

  test("does not hold up the order, and is not in the observations", () => {
    const { operation } = done(newSubscription("standard", "1"), order, "");
    expect(operation).toMatchObject({ state: "finished", outcome: "done" });
    expect(operation?.observations[0]).toEqual({ at: at(0), verdict: "achieved", evidence: "license 5 is active" });
  });

  test("is read a minute later, and again each minute", () => {
    expect(nextKeyPoll(held(), at(0))).toBeUndefined();
    expect(nextKeyPoll(newSubscription("standard", "1"), at(0))).toBeUndefined();
    expect(nextKeyPoll(held({ keyAwaited: at(0) }), at(30))).toBe(at(90));
    expect(licensesAwaitingKey(held({ keyAwaited: at(0) }), at(59))).toEqual([]);
    expect(licensesAwaitingKey(held({ keyAwaited: at(0) }), at(60))).toMatchObject([{ elid: "5" }]);
    expect(licensesAwaitingKey(held(), at(60))).toEqual([]);
  });

  test("is recorded when it appears; after ten minutes, or where it is not shown any more, there is none", () => {
    const awaiting = held({ keyAwaited: at(0) });
    expect(licenseOf(recordKey(awaiting, "5", "5-abc", at(60)))).toEqual({ ...license, key: "5-abc" });
    expect(recordKey(awaiting, "5", "", at(599))).toEqual(awaiting);
    expect(licenseOf(recordKey(awaiting, "5", "", at(600)))).toEqual(license);
    expect(licenseOf(recordKey(awaiting, "5", undefined, at(60)))).toEqual(license);
    expect(recordKey(awaiting, "6", "6-abc", at(60))).toEqual(awaiting);
  });
});

describe("the time from payment to license", () => {
  const paidAt = (...seconds: number[]): Subscription["payments"] =>
    seconds.map((second) => ({
      id: `p${second}`,
      paid: { value: { covers: { months: 1 }, trial: false }, at: at(second), event: "e" },
    }));
  const ordered = (payments: Subscription["payments"], change = order) =>
    done({ ...newSubscription("standard", "1"), payments }, change, undefined).operation;

  test("counts from the last payment before the license", () => {
    expect(ordered(paidAt(-500, -20))).toMatchObject({ secondsFromPayment: 20 });
    expect(ordered(paidAt(-20, -500))).toMatchObject({ secondsFromPayment: 20 });
    expect(ordered(paidAt(-20, 30))).toMatchObject({ secondsFromPayment: 20 });
  });

  test("is not counted for a replacement, for a renewal, or without a payment", () => {
    expect(ordered(paidAt(-20), { ...order, replaces: { n: 2, generation: 1 } })).not.toHaveProperty(
      "secondsFromPayment",
    );
    expect(ordered([{ id: "p" }])).not.toHaveProperty("secondsFromPayment");
    const renewed = done({ ...held(), payments: paidAt(-20) }, prolong, undefined).operation;
    expect(renewed).not.toHaveProperty("secondsFromPayment");
    expect(renewed?.result).toEqual({ plan: "p", license: { ...license, expiry: "2026-12-23" } });
  });
});
