import { describe, expect, test } from "vitest";
import { paddle } from "../../../../shared/storefronts/paddle.ts";
import { utc } from "../../../support/events.ts";
import {
  paddleAdjustment,
  paddleEvent,
  paddleItem,
  paddleLine,
  paddleSubscription,
  paddleTransaction,
} from "../../../support/paddle.ts";

type Fields = Record<string, unknown>;

const parse = (type: string, data: Fields, of: Fields = {}) => paddle.events(paddleEvent(type, data, of), {})[0];
const eventsOf = (type: string, data: Fields) => {
  const parsed = parse(type, data);
  return parsed?.kind === "facts" ? parsed.events : expect.fail(JSON.stringify(parsed));
};
const completed = (of: Fields) => parse("transaction.completed", paddleTransaction(of));
const first = { origin: "web" };
const detailed = (...line_items: Fields[]) => ({ details: { line_items } });
const cancel = (action: string) => ({ scheduled_change: { action, effective_at: "2027-02-28T09:59:58.7Z" } });
const occurred = "2027-01-31T10:00:00.123Z";

describe("a subscription", () => {
  test("states its items, its status, and its end", () => {
    expect(parse("subscription.updated", paddleSubscription())).toEqual({
      id: "evt_1",
      type: "subscription.updated",
      occurredAt: occurred,
      test: false,
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [
        {
          id: "evt_1",
          occurredAt: occurred,
          customer: { id: "ctm_1" },
          type: "subscription.changed",
          items: { asOf: occurred, list: [{ names: ["pri_vm", "pro_vm"], quantity: 3 }] },
        },
        { id: "evt_1", occurredAt: occurred, customer: { id: "ctm_1" }, type: "subscription.resumed" },
        { id: "evt_1", occurredAt: occurred, customer: { id: "ctm_1" }, type: "subscription.cancel_withdrawn" },
      ],
    });
  });

  test("that was just made also states its transaction and the end of its period", () => {
    expect(parse("subscription.created", paddleSubscription({ transaction_id: "txn_1" }))).toMatchObject({
      links: [{ reference: "txn_1", to: { subscription: "sub_1" } }],
      events: [{ renewsAt: "2027-02-28T09:59:58.700Z" }, {}, {}],
    });
  });

  test.each([
    ["subscription.activated", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.imported", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.trialing", { status: "trialing" }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.past_due", { status: "past_due" }, ["changed", "failed", "cancel_withdrawn"]],
    [
      "subscription.paused",
      { status: "paused", current_billing_period: null },
      ["changed", "paused", "cancel_withdrawn"],
    ],
    ["subscription.resumed", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.updated", cancel("cancel"), ["changed", "resumed", "cancel_scheduled"]],
    ["subscription.updated", cancel("pause"), ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.updated", { status: "canceled", current_billing_period: null }, ["changed", "cancelled"]],
    ["subscription.canceled", { status: "canceled", current_billing_period: null }, ["changed", "cancelled"]],
    ["subscription.canceled", cancel("cancel"), ["changed", "cancelled"]],
    ["subscription.updated", { status: "constructor" }, ["changed", "cancel_withdrawn"]],
  ])("of %s %j", (type, of, types) => {
    expect(eventsOf(type, paddleSubscription(of)).map((event) => event.type.replace(/^.*\./, ""))).toEqual(types);
  });

  test("states when it is set to end", () => {
    expect(eventsOf("subscription.updated", paddleSubscription(cancel("cancel"))).at(-1)).toMatchObject({
      endsAt: "2027-02-28T09:59:58.700Z",
    });
  });

  test.each([[[]], [undefined], [null]])("with the items %j states none", (items) => {
    expect(eventsOf("subscription.canceled", paddleSubscription({ items }))[0]).not.toHaveProperty("items");
  });

  test("contains recurring items, and no one-off charges", () => {
    const items = [
      paddleItem(),
      paddleItem({ quantity: 1 }, { id: "pri_extra", product_id: null }),
      paddleItem({}, { id: "pri_setup", billing_cycle: null }),
    ];
    expect(eventsOf("subscription.updated", paddleSubscription({ items }))[0]?.items?.list).toEqual([
      { names: ["pri_vm", "pro_vm"], quantity: 3 },
      { names: ["pri_extra"], quantity: 1 },
    ]);
  });
});

describe("transaction.completed", () => {
  test("is a payment of its billing period", () => {
    expect(completed({})).toEqual({
      id: "evt_1",
      type: "transaction.completed",
      occurredAt: occurred,
      test: false,
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [
        {
          id: "evt_1",
          occurredAt: occurred,
          customer: { id: "ctm_1" },
          type: "payment.succeeded",
          payment: "txn_1",
          covers: { from: "2027-01-31T09:59:58.700Z", through: "2027-02-28T09:59:58.700Z" },
          trial: false,
          items: { asOf: "1970-01-01T00:00:00.000Z", list: [{ names: ["pri_vm", "pro_vm"], quantity: 3 }] },
        },
      ],
    });
  });

  test("of a first purchase lists the bought items, as of its billing", () => {
    expect(completed(first)).toMatchObject({ events: [{ items: { asOf: "2027-01-31T09:59:59.500Z" } }] });
  });

  test("of a first purchase without subscription and period leaves both to the subscription", () => {
    expect(completed({ ...first, subscription_id: null, billing_period: null })).toMatchObject({
      about: { reference: "txn_1" },
      events: [{ payment: "txn_1", covers: { periodFrom: "2027-01-31T09:59:59.500Z" } }],
    });
  });

  test.each([
    ["a trial", { ...first, ...detailed(paddleLine({ totals: { subtotal: "0" } })) }, true],
    [
      "a trial next to a setup fee",
      { ...first, ...detailed(paddleLine({ totals: { subtotal: "0" } }), paddleLine({ price_id: "pri_setup" })) },
      true,
    ],
    ["a full discount", { ...first, ...detailed(paddleLine({ totals: { subtotal: "6000", total: "0" } })) }, false],
    [
      "a trial of one thing of two",
      {
        ...first,
        items: [paddleItem(), paddleItem({}, { id: "pri_extra" })],
        ...detailed(paddleLine({ totals: { subtotal: "0" } }), paddleLine({ price_id: "pri_extra" })),
      },
      false,
    ],
    [
      "a purchase by the API of a trial",
      { origin: "api", ...detailed(paddleLine({ totals: { subtotal: "0" } })) },
      true,
    ],
    ["lines without totals", { ...first, ...detailed(paddleLine({ totals: null })) }, false],
    ["details without lines", { ...first, details: { line_items: null } }, false],
    ["a line without a subtotal", { ...first, ...detailed(paddleLine({ totals: {} })) }, false],
    ["a renewal of something free", detailed(paddleLine({ totals: { subtotal: "0" } })), true],
    ["no details", { ...first, details: null }, false],
  ])("of %s", (_, of, trial) => {
    expect(completed(of)).toMatchObject({ events: [{ type: "payment.succeeded", trial }] });
  });

  const ends = (ends_at: string, starts_at = "2027-02-10T00:00:00Z") => ({ billing_period: { starts_at, ends_at } });
  const prorated = (of: Fields, period?: Fields) => paddleLine({ proration: { rate: "0.5", ...period }, ...of });
  const update = { origin: "subscription_update" };

  test("of a change pays the period of its prorations", () => {
    // The date of the next bill was moved, and the customer paid the days in between.
    const moved = prorated({}, ends("2027-03-14T00:00:00Z", "2027-02-28T00:00:00Z"));
    expect(completed({ ...update, ...detailed(moved) })).toMatchObject({
      events: [{ covers: { from: "2027-02-28T00:00:00.000Z", through: "2027-03-14T00:00:00.000Z" }, trial: false }],
    });
    expect(completed({ ...update, billing_period: null, ...detailed(moved) })).toMatchObject({ kind: "facts" });
  });

  test("of prorations without a period of their own pays the billing period", () => {
    expect(completed({ ...update, ...detailed(prorated({})) })).toMatchObject({
      events: [{ covers: { through: "2027-02-28T09:59:58.700Z" } }],
    });
  });

  test("of prorations and the next period joins them, and lists the current items", () => {
    const items = [paddleItem(), paddleItem({ quantity: 1, proration: { rate: "0.5" } })];
    const lines = detailed(prorated({}, ends("2027-01-31T09:59:58.7Z", "2027-01-20T00:00:00Z")), paddleLine());
    expect(completed({ items, ...lines })).toMatchObject({
      events: [
        {
          covers: { from: "2027-01-20T00:00:00.000Z", through: "2027-02-28T09:59:58.700Z" },
          items: { list: [{ quantity: 3 }] },
        },
      ],
    });
    const prorations = [paddleItem({ proration: { rate: "0.5" } })];
    const [payment] = eventsOf("transaction.completed", paddleTransaction({ ...update, items: prorations }));
    expect(payment).not.toHaveProperty("items");
  });

  test("ignores the period of a credit", () => {
    const credit = prorated({ totals: { subtotal: "-900" } }, ends("2029-01-31T00:00:00Z"));
    expect(completed({ ...update, ...detailed(credit, paddleLine()) })).toMatchObject({
      events: [{ covers: { through: "2027-02-28T09:59:58.700Z" } }],
    });
    expect(completed({ ...update, ...detailed(credit) })).toMatchObject({
      kind: "ignored",
      about: { subscription: "sub_1" },
    });
  });

  test.each([
    ["a change of nothing", { ...update, ...detailed(prorated({ totals: { subtotal: "0" } })) }],
    ["a one-off charge", { origin: "subscription_charge" }],
    ["a change of card", { origin: "subscription_payment_method_change" }],
    ["nothing that recurs", { ...first, items: [paddleItem({}, { billing_cycle: null })] }],
    ["no items", { ...first, items: null }],
  ])("of %s pays no period", (_, of) => {
    expect(completed(of)).toMatchObject({ kind: "ignored", about: { subscription: "sub_1" } });
  });

  test.each([
    ["without a period", { billing_period: null }, "data.billing_period: missing"],
    ["without a subscription", { subscription_id: null }, "data.subscription_id: missing"],
    ["with a malformed period", { billing_period: { ends_at: "soon" } }, /^data\.billing_period\.ends_at: /],
    ["with a malformed quantity", { items: [paddleItem({ quantity: -1 })] }, /^data\.items\[0\]\.quantity: /],
  ])("of a renewal %s is unparseable", (_, of, reason) => {
    expect(completed(of)).toMatchObject({ kind: "unparseable", reason: expect.stringMatching(reason) });
  });
});

describe("a payment that failed", () => {
  test.each(["transaction.payment_failed", "transaction.past_due"])("by %s", (type) => {
    expect(parse(type, paddleTransaction({ status: "past_due" }))).toMatchObject({
      about: { subscription: "sub_1" },
      events: [{ type: "payment.failed", payment: "txn_1", customer: { id: "ctm_1" } }],
    });
  });

  test.each([
    ["a first purchase", { origin: "web", subscription_id: null }, { reference: "txn_1" }],
    ["a change, which Paddle then does not make", { origin: "subscription_update" }, { subscription: "sub_1" }],
  ])("of %s leaves the paid period paid", (_, of, about) => {
    expect(parse("transaction.payment_failed", paddleTransaction(of))).toMatchObject({ kind: "ignored", about });
  });
});

describe("money that was returned", () => {
  test.each([
    ["an approved refund", {}, "payment.refunded", false],
    ["a reversed refund", { status: "reversed" }, "payment.refunded", true],
    ["an older refund, full by its items", { type: undefined }, "payment.refunded", false],
    ["a chargeback", { action: "chargeback", type: "partial" }, "payment.disputed", false],
    ["a reversed chargeback", { action: "chargeback", status: "reversed" }, "payment.disputed", true],
    ["the reversal of a chargeback", { action: "chargeback_reverse" }, "payment.disputed", true],
  ])("by %s", (_, of, type, reversed) => {
    expect(parse("adjustment.updated", paddleAdjustment(of))).toMatchObject({
      about: { subscription: "sub_1" },
      events: [{ type, payment: "txn_1", reversed }],
    });
  });

  test("by a new adjustment", () => {
    expect(parse("adjustment.created", paddleAdjustment({ action: "chargeback" }))).toMatchObject({ kind: "facts" });
  });

  test("of a transaction without a subscription is about the transaction", () => {
    expect(parse("adjustment.updated", paddleAdjustment({ subscription_id: null }))).toMatchObject({
      about: { reference: "txn_1" },
    });
  });

  test.each([
    ["a refund that is scheduled for approval", { status: "pending_approval" }],
    ["a rejected refund", { status: "rejected" }],
    ["a partial refund", { type: "partial" }],
    ["an older partial refund", { type: undefined, items: [{ type: "full" }, { type: "partial" }] }],
    ["a refund of no items", { type: undefined, items: [] }],
    ["a refund without items", { type: null, items: null }],
    ["a credit", { action: "credit" }],
    ["a warning of a chargeback", { action: "chargeback_warning" }],
  ])("%s takes nothing back", (_, of) => {
    expect(parse("adjustment.created", paddleAdjustment(of))).toMatchObject({
      kind: "ignored",
      about: { subscription: "sub_1" },
    });
  });
});

describe("the envelope", () => {
  test("of another type is ignored", () => {
    expect(parse("customer.updated", { email: "jo@example.com" })).toMatchObject({
      id: "evt_1",
      kind: "ignored",
      reason: '"customer.updated" changes no license',
    });
  });

  test("marks a simulation", () => {
    const simulated = { event_id: "ntfsimevt_01kb2w3x4y5z6a7b8c9d0e1f2g" };
    expect(parse("transaction.completed", paddleTransaction(), simulated)).toMatchObject({ kind: "facts", test: true });
  });

  test("ignores transaction.paid, which comes before the transaction is complete", () => {
    expect(parse("transaction.paid", paddleTransaction())).toMatchObject({ kind: "ignored" });
  });

  test.each([null, [], "text", {}, { alert_name: "subscription_payment_succeeded" }])(
    "of %j is unparseable",
    (body) => {
      expect(paddle.events(body, {})[0]).toMatchObject({ id: "", kind: "unparseable", type: "no type" });
    },
  );

  test("quotes no value of the body in its reason", () => {
    const parsed = parse("subscription.updated", paddleSubscription({ customer_id: { secret: "jo@example.com" } }));
    expect(parsed).toMatchObject({ kind: "unparseable", about: { subscription: "sub_1" } });
    expect(JSON.stringify(parsed)).not.toMatch(/jo@example/);
  });

  test("accepts times in nanoseconds", () => {
    expect(
      parse("customer.updated", {}, { occurred_at: utc("2027-01-31").replace("000Z", "787929969Z") }),
    ).toMatchObject({ occurredAt: "2027-01-31T00:00:00.787Z" });
  });
});
