import { webhooks } from "@polar-sh/sdk/2026-10";
import { describe, expect, test } from "vitest";
import { polar } from "../../../../shared/storefronts/polar.ts";
import { freshAt } from "../../../../shared/storefronts/signatures.ts";
import {
  polarEvent,
  polarItem,
  polarOrder,
  polarSubscription,
  signPolar,
  signPolarAsOfOld,
} from "../../../support/polar.ts";
import { standardSecretOf } from "../../../support/secrets.ts";

type Fields = Record<string, unknown>;

const tell = (type: string, data: Fields, of: Fields = {}) =>
  polar.events(polarEvent(type, data, of), { "webhook-id": "msg_1" })[0];
const eventsOf = (type: string, data: Fields) => {
  const told = tell(type, data);
  return told?.kind === "facts" ? told.events : expect.fail(JSON.stringify(told));
};
const paid = (of: Fields) => tell("order.paid", polarOrder(of));
const occurred = "2027-01-31T10:00:00.123Z";
const setToEnd = { cancel_at_period_end: true, ends_at: "2027-02-28T09:59:00Z" };

describe("a signature", () => {
  const [oldSecret, newSecret] = [standardSecretOf("old"), standardSecretOf("new")];
  const named = "polar_whs_synthetic_0123456789abcdef";
  const body = '{"type":"order.paid","note":"žluťoučký kůň"}';
  const now = 1_801_389_600;
  const verify = (headers: Record<string, string | undefined>, secrets: string[]) =>
    polar.verify(
      { headers, body: Buffer.from(body) },
      secrets,
      freshAt(() => now * 1000),
    );

  test.each([
    ["of today", signPolar, newSecret],
    ["of before 2026-09-08", signPolarAsOfOld, newSecret],
    ["of before 2026-09-08 with Polar's own prefix", signPolarAsOfOld, named],
  ])("by a secret %s is one to us and to Polar's own SDK", async (_, sign, secret) => {
    expect(verify(sign(body, secret, now), [secret])).toBeUndefined();
    const headers = sign(body, secret, Math.floor(Date.now() / 1000));
    await expect(webhooks.validateEvent(body, headers, secret)).resolves.toMatchObject({ type: "order.paid" });
  });

  const signed = signPolar(body, newSecret, now);
  const both = `${signPolar(body, oldSecret, now)["webhook-signature"]} ${signed["webhook-signature"]}`;
  test.each([
    ["by one of several secrets", signed, [oldSecret, newSecret]],
    ["last of two", { ...signed, "webhook-signature": both }, [newSecret]],
    ["300 s old", signPolar(body, newSecret, now - 300), [newSecret]],
    ["300 s ahead", signPolarAsOfOld(body, newSecret, now + 300), [newSecret]],
  ])("is accepted %s", (_, headers, secrets) => {
    expect(verify(headers, secrets)).toBeUndefined();
  });

  test.each([
    ["by another secret", signPolar(body, oldSecret, now), /matches not the secret/],
    ["by another secret of old", signPolarAsOfOld(body, oldSecret, now), /matches not the secret/],
    ["of another id", { ...signed, "webhook-id": "msg_2" }, /matches not/],
    ["of another time", { ...signed, "webhook-timestamp": `${now + 1}` }, /matches not/],
    ["301 s old", signPolar(body, newSecret, now - 301), /more than 300 s/],
    ["301 s ahead", signPolar(body, newSecret, now + 301), /more than 300 s/],
    ["without an id", { ...signed, "webhook-id": undefined }, /needs the headers/],
  ])("is refused %s", (_, headers, reason) => {
    expect(verify(headers, [newSecret])).toMatch(reason);
  });

  test("is accepted by a key of sixteen bytes", () => {
    const secret = `whsec_${Buffer.from("sixteen bytes ok").toString("base64")}`;
    expect(verify(signPolar(body, secret, now), [secret])).toBeUndefined();
  });

  test("is refused by a key that is next to none, however long the secret", () => {
    const secret = `whsec_${"QUJD".repeat(2)}`;
    expect(polar.secretProblem(secret)).toBeUndefined();
    expect(verify(signPolar(body, secret, now), [secret])).toMatch(/matches not/);
    expect(verify(signPolarAsOfOld(body, secret, now), [secret])).toBeUndefined();
  });

  test.each([
    [newSecret, true],
    [named, true],
    ["my own secret", true],
    ["whsec_QUI", false],
    ["", false],
  ])("needs a secret like %j: %s", (secret, good) => {
    expect(polar.secretProblem(secret) === undefined).toBe(good);
  });
});

describe("a subscription", () => {
  const fact = { id: "msg_1", occurredAt: occurred, customer: { id: "cus_1", email: "jo@example.com" } };

  test("is read as all that it says", () => {
    expect(tell("subscription.updated", polarSubscription())).toEqual({
      id: "msg_1",
      type: "subscription.updated",
      occurredAt: occurred,
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [
        {
          ...fact,
          type: "subscription.changed",
          items: { asOf: occurred, list: [{ names: ["prod_vm"], quantity: 3 }] },
        },
        { ...fact, type: "subscription.resumed" },
        { ...fact, type: "subscription.cancel_withdrawn" },
      ],
    });
  });

  test.each([
    ["subscription.created", { status: "incomplete" }, ["changed", "cancel_withdrawn"]],
    ["subscription.active", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.cycled", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.past_due", { status: "past_due" }, ["changed", "failed", "cancel_withdrawn"]],
    ["subscription.updated", { pause_at_period_end: true }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.paused", { status: "paused" }, ["changed", "paused", "cancel_withdrawn"]],
    ["subscription.resumed", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.canceled", setToEnd, ["changed", "resumed", "cancel_scheduled"]],
    ["subscription.uncanceled", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.canceled", { status: "canceled" }, ["changed", "cancelled"]],
    ["subscription.revoked", { status: "canceled" }, ["changed", "cancelled"]],
    ["subscription.revoked", { status: "unpaid" }, ["changed", "cancelled"]],
    ["subscription.updated", { status: "unpaid" }, ["changed", "failed"]],
    ["subscription.updated", { status: "incomplete_expired" }, ["changed", "cancelled"]],
  ])("of %s %j", (type, of, types) => {
    expect(eventsOf(type, polarSubscription(of)).map((event) => event.type.replace(/^.*\./, ""))).toEqual(types);
  });

  test.each([
    ["at its time", setToEnd],
    ["at its period's end, where its own is not told", { ...setToEnd, ends_at: null }],
  ])("is set to end %s", (_, of) => {
    expect(eventsOf("subscription.canceled", polarSubscription(of)).at(-1)).toMatchObject({
      endsAt: "2027-02-28T09:59:00.000Z",
    });
  });

  test("is set to end by what it says of that, and not by silence", () => {
    const events = eventsOf("subscription.updated", polarSubscription({ cancel_at_period_end: undefined }));
    expect(events.at(-1)?.type).toBe("subscription.cancel_withdrawn");
  });

  test("of nobody is read all the same", () => {
    const nobody = polarSubscription({ customer_id: null, customer: null });
    expect(eventsOf("subscription.updated", nobody)[0]?.customer).toStrictEqual({});
  });

  test.each([
    ["seats", {}, 3],
    ["units", { seats: null, units: 8 }, 8],
    ["neither", { seats: null }, 1],
  ])("holds as many as its %s", (_, of, quantity) => {
    expect(eventsOf("subscription.updated", polarSubscription(of))[0]?.items?.list[0]?.quantity).toBe(quantity);
  });

  test("on trial is a payment of nothing to the trial's end", () => {
    const trial = { status: "trialing", trial_start: "2027-01-31T09:59:00Z", trial_end: "2027-02-14T09:59:00Z" };
    expect(eventsOf("subscription.created", polarSubscription(trial))[3]).toEqual({
      ...fact,
      type: "payment.succeeded",
      payment: "trial of sub_1",
      covers: { from: "2027-01-31T09:59:00.000Z", through: "2027-02-14T09:59:00.000Z" },
      trial: true,
    });
    expect(eventsOf("subscription.updated", polarSubscription({ ...trial, status: "active" }))).toHaveLength(3);
  });
});

describe("order.paid", () => {
  const period = { from: "2027-01-31T09:59:00.000Z", through: "2027-02-28T09:59:00.000Z" };

  test("is a payment of the period of its items", () => {
    expect(paid({ subscription: null })).toEqual({
      id: "msg_1",
      type: "order.paid",
      occurredAt: occurred,
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [
        {
          id: "msg_1",
          occurredAt: occurred,
          customer: { id: "cus_1", email: "jo@example.com" },
          type: "payment.succeeded",
          payment: "ord_1",
          covers: period,
          trial: false,
        },
      ],
    });
  });

  test("tells what the subscription holds, where the order has it", () => {
    expect(paid({})).toMatchObject({
      events: [{ items: { asOf: occurred, list: [{ names: ["prod_vm"], quantity: 3 }] } }],
    });
  });

  test("counts the period of its own items before the one that the subscription has come to", () => {
    const later = { current_period_start: "2027-02-28T09:59:00Z", current_period_end: "2027-03-31T09:59:00Z" };
    expect(paid({ subscription: later })).toMatchObject({ events: [{ covers: period }] });
  });

  test.each(["subscription_create", "subscription_cycle"])(
    "of %s without periods pays the subscription's",
    (reason) => {
      const items = [{ label: "VMmanager", proration: false }];
      expect(paid({ billing_reason: reason, items })).toMatchObject({ events: [{ covers: period }] });
      expect(paid({ billing_reason: reason, items: [] })).toMatchObject({ events: [{ covers: period }] });
      expect(paid({ billing_reason: reason, items: undefined })).toMatchObject({ events: [{ covers: period }] });
      expect(paid({ billing_reason: reason, items, subscription: null })).toMatchObject({ kind: "unparseable" });
    },
  );

  const metered = polarItem({ start_timestamp: "2026-12-31T09:59:00Z", end_timestamp: "2027-01-31T09:59:00Z" });
  const prorated = polarItem({ proration: true, end_timestamp: "2028-01-31T09:59:00Z" });
  test("leaves prorations and what was metered out of the period", () => {
    expect(paid({ items: [metered, prorated, polarItem()] })).toMatchObject({ events: [{ covers: period }] });
  });

  test("of several items reaches from the first beginning to the last end", () => {
    const short = polarItem({ start_timestamp: "2027-02-07T09:59:00Z", end_timestamp: "2027-02-14T09:59:00Z" });
    const bare = { label: "VMmanager", end_timestamp: "2027-02-10T09:59:00Z" };
    for (const items of [
      [short, bare, polarItem()],
      [polarItem(), bare, short],
    ]) {
      expect(paid({ items })).toMatchObject({ events: [{ covers: period }] });
    }
  });

  test("of a change that begins a period anew pays that", () => {
    expect(paid({ billing_reason: "subscription_update", items: [prorated, polarItem()] })).toMatchObject({
      events: [{ covers: period }],
    });
  });

  test.each([
    ["prorations alone", { billing_reason: "subscription_update", items: [prorated] }],
    ["metered use", { billing_reason: "subscription_meter_cycle", items: [metered] }],
    ["a change that tells no period", { billing_reason: "subscription_update", items: [{ proration: false }] }],
    ["no subscription", { billing_reason: "purchase", subscription_id: null, subscription: null }],
  ])("of %s is nothing", (_, of) => {
    expect(paid(of)).toMatchObject({ kind: "ignored" });
  });
});

describe("money that went back", () => {
  test("takes its order back when it is all of it", () => {
    expect(tell("order.refunded", polarOrder({ status: "refunded" }))).toMatchObject({
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [{ type: "payment.refunded", payment: "ord_1", reversed: false }],
    });
  });

  test.each([
    ["a part", "order.refunded", polarOrder({ status: "partially_refunded" })],
    ["an order of no subscription", "order.refunded", polarOrder({ status: "refunded", subscription_id: null })],
    ["an order that is still paid", "order.refunded", polarOrder()],
    ["a refund, which its order tells", "refund.created", { id: "ref_1", status: "succeeded", order_id: "ord_1" }],
    ["a refund that changed", "refund.updated", { id: "ref_1", status: "failed", order_id: "ord_1" }],
  ])("as %s takes nothing back", (_, type, data) => {
    expect(tell(type, data)).toMatchObject({ kind: "ignored", reason: expect.stringMatching(/\w{4}/) });
  });
});

describe("the envelope", () => {
  test.each(["order.created", "order.updated", "subscription.migrated", "customer.state_changed", "made.up"])(
    "of %s is left alone",
    (type) => {
      expect(tell(type, {})).toMatchObject({ id: "msg_1", kind: "ignored", reason: `"${type}" changes no license` });
    },
  );

  test.each([
    ["no body", null, /^\(top\): /],
    ["no time", { type: "order.paid", data: {} }, /^timestamp: missing/],
    ["no subscription's id", polarEvent("subscription.active", { status: "active" }), /^data\.id: missing/],
    ["a refund's order without an id", polarEvent("order.refunded", { status: "refunded" }), /^data\.id: missing/],
    ["an order's time that is none", polarEvent("order.paid", polarOrder({ created_at: 7 })), /^data\.created_at: /],
  ])("with %s is unclear", (_, body, reason) => {
    expect(polar.events(body, {})[0]).toMatchObject({
      id: "",
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });

  test("does not mind who the customer is", () => {
    expect(eventsOf("subscription.updated", polarSubscription({ customer: "cus_1" }))[0]?.customer).toEqual({
      id: "cus_1",
    });
  });
});
