import { describe, expect, test } from "vitest";
import { polar } from "../../../../shared/storefronts/polar.ts";
import { polarEvent, polarItem, polarOrder, polarSubscription } from "../../../support/polar.ts";

type Fields = Record<string, unknown>;

const parse = (type: string, data: Fields, of: Fields = {}) =>
  polar.events(polarEvent(type, data, of), { "webhook-id": "msg_1" })[0];
const eventsOf = (type: string, data: Fields) => {
  const parsed = parse(type, data);
  return parsed?.kind === "facts" ? parsed.events : expect.fail(JSON.stringify(parsed));
};
const paid = (of: Fields) => parse("order.paid", polarOrder(of));
const occurred = "2027-01-31T10:00:00.123Z";
const setToEnd = { cancel_at_period_end: true, ends_at: "2027-02-28T09:59:00Z" };

describe("a subscription", () => {
  const fact = { id: "msg_1", occurredAt: occurred, customer: { id: "cus_1", email: "jo@example.com" } };

  test("states its items, its status, and its end", () => {
    expect(parse("subscription.updated", polarSubscription())).toEqual({
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
    ["subscription.migrated", {}, ["changed", "resumed", "cancel_withdrawn"]],
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
    ["at its period's end, where it has no time of its own", { ...setToEnd, ends_at: null }],
  ])("is set to end %s", (_, of) => {
    expect(eventsOf("subscription.canceled", polarSubscription(of)).at(-1)).toMatchObject({
      endsAt: "2027-02-28T09:59:00.000Z",
    });
  });

  test("is set to end only if the field is true, not absent or null", () => {
    for (const cancel_at_period_end of [undefined, null]) {
      const events = eventsOf("subscription.updated", polarSubscription({ cancel_at_period_end }));
      expect(events.at(-1)?.type).toBe("subscription.cancel_withdrawn");
    }
  });

  test("without a customer is read, too", () => {
    const nobody = polarSubscription({ customer_id: null, customer: null });
    expect(eventsOf("subscription.updated", nobody)[0]?.customer).toStrictEqual({});
  });

  test.each([
    ["seats", {}, 3],
    ["units", { seats: null, units: 8 }, 8],
    ["neither", { seats: null }, 1],
  ])("has the quantity of its %s", (_, of, quantity) => {
    expect(eventsOf("subscription.updated", polarSubscription(of))[0]?.items?.list[0]?.quantity).toBe(quantity);
  });

  test("on trial is a payment of zero until the trial's end", () => {
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

  test("lists the items of the subscription, if the order contains it", () => {
    expect(paid({})).toMatchObject({
      events: [{ items: { asOf: occurred, list: [{ names: ["prod_vm"], quantity: 3 }] } }],
    });
  });

  test("prefers the period of its items to the current one of the subscription", () => {
    const later = { current_period_start: "2027-02-28T09:59:00Z", current_period_end: "2027-03-31T09:59:00Z" };
    expect(paid({ subscription: later })).toMatchObject({ events: [{ covers: period }] });
  });

  const metered = polarItem({ start_timestamp: "2026-12-31T09:59:00Z", end_timestamp: "2027-01-31T09:59:00Z" });
  const until = (end_timestamp: string, of: Fields = {}) => polarItem({ end_timestamp, ...of });
  const yearly = until("2028-01-31T09:59:00Z", { proration: true });
  const credit = polarItem({ amount: -1200, proration: true });

  test("ignores credits and metered usage of the period that is over", () => {
    const credited = until("2029-01-31T09:59:00Z", { amount: -1200 });
    expect(paid({ items: [metered, credited, polarItem()] })).toMatchObject({ events: [{ covers: period }] });
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

  test("of only prorations to a new interval pays that interval", () => {
    expect(paid({ billing_reason: "subscription_update", items: [credit, yearly] })).toMatchObject({
      events: [{ covers: { through: "2028-01-31T09:59:00.000Z" }, trial: false }],
    });
  });

  test.each([
    ["only credits", { billing_reason: "subscription_update", items: [credit] }],
    ["metered usage", { billing_reason: "subscription_meter_cycle", items: [metered] }],
    ["metered usage of a change", { billing_reason: "subscription_update", items: [metered] }],
  ])("of %s is ignored", (_, of) => {
    expect(paid(of)).toMatchObject({ kind: "ignored", about: { subscription: "sub_1" } });
  });

  test("of no subscription is ignored", () => {
    const purchase = { billing_reason: "purchase", subscription_id: null, subscription: null };
    expect(paid(purchase)).toMatchObject({ kind: "ignored" });
  });

  describe("whose items have no period, as before API version 2026-10,", () => {
    const items = [{ label: "VMmanager", amount: 6000, proration: false }];

    test.each(["subscription_create", "subscription_cycle"])("pays the subscription's (%s)", (billing_reason) => {
      for (const some of [items, [], undefined, null]) {
        expect(paid({ billing_reason, items: some })).toMatchObject({ events: [{ covers: period }] });
      }
      expect(paid({ billing_reason, items, subscription: null })).toMatchObject({ kind: "unparseable" });
      expect(paid({ billing_reason, items, subscription: {} })).toMatchObject({
        kind: "unparseable",
        about: { subscription: "sub_1" },
      });
    });

    test("pays the subscription's, also of a change that charges", () => {
      const prorations = (...amounts: number[]) => amounts.map((amount) => ({ amount, proration: true }));
      const change = { billing_reason: "subscription_update" };
      expect(paid({ ...change, items: prorations(-1200, 19000) })).toMatchObject({ events: [{ covers: period }] });
      expect(paid({ ...change, items: prorations(-1200) })).toMatchObject({ kind: "ignored" });
      expect(paid({ ...change, items: prorations(0) })).toMatchObject({ kind: "ignored" });
    });

    // Polar's issue 6134.
    test.each([
      ["month", 1, "2027-02-28T09:59:00.000Z"],
      ["month", 3, "2027-04-30T09:59:00.000Z"],
      ["year", null, "2028-01-31T09:59:00.000Z"],
      ["week", 1, "2027-02-07T09:59:00.000Z"],
      ["day", 2, "2027-02-02T09:59:00.000Z"],
    ])("pays the next period if the order contains an outdated one (%s, %s)", (interval, count, through) => {
      const outdated = {
        current_period_start: "2026-12-31T09:59:00Z",
        current_period_end: "2027-01-31T09:59:00Z",
        recurring_interval: interval,
        recurring_interval_count: count,
      };
      expect(paid({ items, subscription: outdated })).toMatchObject({
        events: [{ covers: { from: "2027-01-31T09:59:00.000Z", through } }],
      });
    });

    test("pays the next period also if the order is made some minutes before it", () => {
      const outdated = { current_period_end: "2027-01-31T10:29:00Z", recurring_interval: "month" };
      expect(paid({ items, subscription: outdated })).toMatchObject({
        events: [{ covers: { through: "2027-02-28T10:29:00.000Z" } }],
      });
    });

    test("needs attention if the next period is unknown", () => {
      const outdated = { current_period_end: "2027-01-31T09:59:00Z", recurring_interval: "decade" };
      expect(paid({ items, subscription: outdated })).toMatchObject({ kind: "unparseable" });
      const older = { current_period_end: "2026-11-30T09:59:00Z", recurring_interval: "month" };
      expect(paid({ items, subscription: older })).toMatchObject({ kind: "unparseable" });
    });
  });
});

describe("an order of zero", () => {
  const free = { amount: 0, start_timestamp: null, end_timestamp: null };
  const trial = { status: "trialing", trial_start: "2027-01-31T09:59:00Z", trial_end: "2027-02-14T09:59:00Z" };
  const ofTrial = { type: "payment.succeeded", payment: "trial of sub_1", trial: true };

  test.each(["subscription_create", "subscription_update"])(
    "for a trial is the payment of that trial, and no other (%s)",
    (billing_reason) => {
      const subscription = { ...polarSubscription(trial), current_period_end: trial.trial_end };
      const order = paid({ billing_reason, items: [polarItem(free)], subscription });
      expect(order).toMatchObject({
        kind: "facts",
        about: { subscription: "sub_1" },
        events: [
          {
            ...ofTrial,
            covers: { from: "2027-01-31T09:59:00.000Z", through: "2027-02-14T09:59:00.000Z" },
            items: { list: [{ names: ["prod_vm"] }] },
          },
        ],
      });
    },
  );

  test("is known for a trial by its end, also after the status has changed", () => {
    const subscription = polarSubscription({ ...trial, status: "canceled" });
    expect(paid({ items: [polarItem(free)], subscription })).toMatchObject({ events: [ofTrial] });
  });

  test("for a trial without an end is ignored", () => {
    const subscription = polarSubscription({ status: "trialing" });
    expect(paid({ items: [polarItem(free)], subscription })).toMatchObject({ kind: "ignored" });
  });

  test.each([
    ["a full discount", { items: [polarItem()], discount_amount: 6000, total_amount: 0 }, false],
    ["a full discount of prorations", { items: [polarItem({ amount: 0 })], discount_id: "disc_1" }, false],
    ["a free product", { items: [polarItem({ amount: 0 })] }, true],
    ["a free product without periods", { items: [polarItem(free)] }, true],
    [
      "a free product with metered usage",
      { items: [polarItem({ amount: 0 }), polarItem({ amount: 50, end_timestamp: "2027-01-31T09:59:00Z" })] },
      true,
    ],
    ["a paid product with a free one", { items: [polarItem(), polarItem({ amount: 0 })] }, false],
  ])("by %s: trial %s", (_, of, isTrial) => {
    expect(paid(of)).toMatchObject({
      events: [{ payment: "ord_1", trial: isTrial, covers: { through: "2027-02-28T09:59:00.000Z" } }],
    });
  });
});

describe("money that was returned", () => {
  test("takes its order back if all of it is returned", () => {
    expect(parse("order.refunded", polarOrder({ status: "refunded" }))).toMatchObject({
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [{ type: "payment.refunded", payment: "ord_1", reversed: false }],
    });
  });

  test.each([
    ["a part", "order.refunded", polarOrder({ status: "partially_refunded" }), { subscription: "sub_1" }],
    ["an order that is still paid", "order.refunded", polarOrder({ status: null }), { subscription: "sub_1" }],
    ["a refund, which its order states", "refund.created", { order_id: "ord_1" }, { reference: "ord_1" }],
    ["a refund that changed", "refund.updated", { subscription_id: "sub_1" }, { subscription: "sub_1" }],
    ["a refund of nothing known", "refund.updated", {}, undefined],
    [
      "an order of no subscription",
      "order.refunded",
      polarOrder({ status: "refunded", subscription_id: null }),
      undefined,
    ],
  ])("as %s takes nothing back", (_, type, data, about) => {
    const parsed = parse(type, data);
    expect(parsed).toMatchObject({ kind: "ignored", ...(about && { about }) });
    if (!about) expect(parsed).not.toHaveProperty("about");
  });
});

describe("the envelope", () => {
  test.each(["order.created", "order.updated", "customer.state_changed", "made.up"])("of %s is ignored", (type) => {
    expect(parse(type, {})).toMatchObject({ id: "msg_1", kind: "ignored", reason: `"${type}" changes no license` });
  });

  test.each([
    ["no body", null, /^\(top\): /],
    ["no time", { type: "order.paid", data: {} }, /^timestamp: missing/],
    ["no subscription's id", polarEvent("subscription.active", { status: "active" }), /^data\.id: missing/],
    ["a refund's order without an id", polarEvent("order.refunded", { status: "refunded" }), /^data\.id: missing/],
    ["a malformed time of an order", polarEvent("order.paid", polarOrder({ created_at: 7 })), /^data\.created_at: /],
  ])("with %s is unparseable", (_, body, reason) => {
    expect(polar.events(body, {})[0]).toMatchObject({
      id: "",
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });

  test("of a malformed event still names the subscription", () => {
    const about = { subscription: "sub_1" };
    expect(paid({ created_at: 7 })).toMatchObject({ kind: "unparseable", about });
    expect(parse("subscription.updated", polarSubscription({ status: 7 }))).toMatchObject({
      kind: "unparseable",
      about,
    });
  });

  test("reads any customer", () => {
    expect(eventsOf("subscription.updated", polarSubscription({ customer: "cus_1" }))[0]?.customer).toEqual({
      id: "cus_1",
    });
  });
});
