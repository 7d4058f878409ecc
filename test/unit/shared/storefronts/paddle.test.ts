import { LogLevel, Paddle } from "@paddle/paddle-node-sdk";
import { describe, expect, test } from "vitest";
import { paddle } from "../../../../shared/storefronts/paddle.ts";
import { freshAt } from "../../../../shared/storefronts/signatures.ts";
import { utc } from "../../../support/events.ts";
import {
  paddleAdjustment,
  paddleEvent,
  paddleHeader,
  paddleItem,
  paddleLine,
  paddleSubscription,
  paddleTransaction,
} from "../../../support/paddle.ts";
import { plainSecretOf } from "../../../support/secrets.ts";

type Fields = Record<string, unknown>;

const tell = (type: string, data: Fields, of: Fields = {}) => paddle.events(paddleEvent(type, data, of), {})[0];
const eventsOf = (type: string, data: Fields) => {
  const told = tell(type, data);
  return told?.kind === "facts" ? told.events : expect.fail(JSON.stringify(told));
};
const completed = (of: Fields) => tell("transaction.completed", paddleTransaction(of));
const first = { origin: "web" };
const detailed = (...line_items: Fields[]) => ({ details: { line_items } });
const cancel = (action: string) => ({ scheduled_change: { action, effective_at: "2027-02-28T09:59:58.7Z" } });
const occurred = "2027-01-31T10:00:00.123Z";

describe("a signature", () => {
  const [oldSecret, newSecret] = [plainSecretOf("old", "pdl_ntfset_"), plainSecretOf("new", "pdl_ntfset_")];
  const body = '{"event_id":"evt_7","note":"žluťoučký kůň"}';
  const now = 1_801_389_600;
  const verify = (header: string | undefined, secrets = [newSecret]) =>
    paddle.verify(
      { headers: { "paddle-signature": header }, body: Buffer.from(body) },
      secrets,
      freshAt(() => now * 1000),
    );

  test("made by our formula is one to Paddle's own SDK", async () => {
    const { webhooks } = new Paddle("synthetic", { logLevel: LogLevel.none });
    const header = paddleHeader(body, newSecret, Math.floor(Date.now() / 1000));
    expect(await webhooks.isSignatureValid(body, newSecret, header)).toBe(true);
    expect(await webhooks.isSignatureValid(body, oldSecret, header)).toBe(false);
  });

  test.each([
    ["by one of several secrets", paddleHeader(body, newSecret, now), [oldSecret, newSecret]],
    ["first of two, which Paddle's SDK refuses", paddleHeader(body, [newSecret, oldSecret], now), [newSecret]],
    ["last of two", paddleHeader(body, [oldSecret, newSecret], now), [newSecret]],
    ["beside one of another version", `${paddleHeader(body, newSecret, now)};h2=00`, [newSecret]],
    ["300 s old, though Paddle's SDK takes 5", paddleHeader(body, newSecret, now - 300), [newSecret]],
    ["300 s ahead", paddleHeader(body, newSecret, now + 300), [newSecret]],
  ])("is accepted %s", (_, header, secrets) => {
    expect(verify(header, secrets)).toBeUndefined();
  });

  test.each([
    ["by another secret", paddleHeader(body, oldSecret, now), /matches not the secret/],
    ["301 s old", paddleHeader(body, newSecret, now - 301), /more than 300 s/],
    ["301 s ahead", paddleHeader(body, newSecret, now + 301), /more than 300 s/],
    ["of another time", paddleHeader(body, newSecret, now).replace(`${now}`, `${now + 1}`), /matches not/],
    ["joined as Stripe does", paddleHeader(`.${body}`, newSecret, now).replace(":", ""), /matches not/],
    ["of no time", paddleHeader(body, newSecret, now).replace(/^ts=\d+;/, ""), /Paddle-Signature holds no time/],
    ["of no version", `ts=${now}`, /holds no h1 signature/],
    ["that is missing", undefined, /needs the header Paddle-Signature/],
  ])("is refused %s", (_, header, reason) => {
    expect(verify(header)).toMatch(reason);
  });

  test.each([
    ["pdl_ntfset_01abcdefgh", true],
    ["abc", false],
    ["pdl_live_apikey_01abcdefgh", false],
  ])("needs a secret like %j: %s", (secret, good) => {
    expect(paddle.secretProblem(secret) === undefined).toBe(good);
  });
});

describe("a subscription", () => {
  test("is read as all that it says", () => {
    expect(tell("subscription.updated", paddleSubscription())).toEqual({
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

  test("that was just made tells its transaction and the end of its period besides", () => {
    expect(tell("subscription.created", paddleSubscription({ transaction_id: "txn_1" }))).toMatchObject({
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

  test("tells when it is set to end", () => {
    expect(eventsOf("subscription.updated", paddleSubscription(cancel("cancel"))).at(-1)).toMatchObject({
      endsAt: "2027-02-28T09:59:58.700Z",
    });
  });

  test.each([[[]], [undefined]])("with the items %j tells none", (items) => {
    expect(eventsOf("subscription.canceled", paddleSubscription({ items }))[0]).not.toHaveProperty("items");
  });

  test("holds what recurs, and no one-off charges", () => {
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

  test("of a first purchase tells what was bought, as of its billing", () => {
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
      "a trial beside a setup fee",
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
    ["details without lines", { ...first, details: {} }, false],
    ["a renewal of something free", detailed(paddleLine({ totals: { subtotal: "0" } })), false],
    ["lines that are not told", { ...first, details: null }, false],
  ])("of %s", (_, of, trial) => {
    expect(completed(of)).toMatchObject({ events: [{ type: "payment.succeeded", trial }] });
  });

  test("of a change that bills a period anew pays that", () => {
    const mixed = detailed(paddleLine({ proration: { rate: "0.5" } }), paddleLine());
    expect(completed({ origin: "subscription_update", ...mixed })).toMatchObject({
      events: [{ type: "payment.succeeded" }],
    });
  });

  test.each([
    ["prorations alone", { origin: "subscription_update", ...detailed(paddleLine({ proration: { rate: "0.5" } })) }],
    ["a one-off charge", { origin: "subscription_charge" }],
    ["a change of card", { origin: "subscription_payment_method_change" }],
    ["nothing that recurs", { ...first, items: [paddleItem({}, { billing_cycle: null })] }],
    ["nothing at all", { ...first, items: undefined }],
  ])("of %s pays no period", (_, of) => {
    expect(completed(of)).toMatchObject({ kind: "ignored" });
  });

  test.each([
    ["without a period", { billing_period: null }, "data.billing_period: missing"],
    ["without a subscription", { subscription_id: null }, "data.subscription_id: missing"],
    ["with a period that is none", { billing_period: { ends_at: "soon" } }, /^data\.billing_period\.ends_at: /],
    ["with a quantity that is none", { items: [paddleItem({ quantity: -1 })] }, /^data\.items\[0\]\.quantity: /],
  ])("of a renewal %s is unclear", (_, of, reason) => {
    expect(completed(of)).toMatchObject({ kind: "unparseable", reason: expect.stringMatching(reason) });
  });
});

describe("a payment that failed", () => {
  test.each(["transaction.payment_failed", "transaction.past_due"])("by %s", (type) => {
    expect(tell(type, paddleTransaction({ status: "past_due" }))).toMatchObject({
      about: { subscription: "sub_1" },
      events: [{ type: "payment.failed", payment: "txn_1", customer: { id: "ctm_1" } }],
    });
  });

  test.each([
    ["a first purchase", { origin: "web", subscription_id: null }],
    ["a change, which is then not made", { origin: "subscription_update" }],
  ])("of %s is nothing", (_, of) => {
    expect(tell("transaction.payment_failed", paddleTransaction(of))).toMatchObject({ kind: "ignored" });
  });
});

describe("money that went back", () => {
  test.each([
    ["a refund that is approved", {}, false],
    ["a refund that was reversed", { status: "reversed" }, true],
    ["a refund of old, full by its items", { type: undefined }, false],
    ["a chargeback", { action: "chargeback", type: "partial" }, false],
    ["a chargeback that was reversed", { action: "chargeback", status: "reversed" }, true],
    ["the reversal of a chargeback", { action: "chargeback_reverse" }, true],
  ])("%s", (_, of, reversed) => {
    expect(tell("adjustment.updated", paddleAdjustment(of))).toMatchObject({
      about: { subscription: "sub_1" },
      events: [{ type: "payment.refunded", payment: "txn_1", reversed }],
    });
  });

  test("is told by a new adjustment, too", () => {
    expect(tell("adjustment.created", paddleAdjustment({ action: "chargeback" }))).toMatchObject({ kind: "facts" });
  });

  test("of a transaction without a subscription is about the transaction", () => {
    expect(tell("adjustment.updated", paddleAdjustment({ subscription_id: null }))).toMatchObject({
      about: { reference: "txn_1" },
    });
  });

  test.each([
    ["a refund that waits for approval", { status: "pending_approval" }],
    ["a refund that is rejected", { status: "rejected" }],
    ["a refund in part", { type: "partial" }],
    ["a refund of old, in part by its items", { type: undefined, items: [{ type: "full" }, { type: "partial" }] }],
    ["a refund that does not tell how much", { type: undefined, items: [] }],
    ["a refund without items", { type: undefined, items: undefined }],
    ["a credit", { action: "credit" }],
    ["a warning of a chargeback", { action: "chargeback_warning" }],
  ])("%s takes nothing back", (_, of) => {
    expect(tell("adjustment.created", paddleAdjustment(of))).toMatchObject({ kind: "ignored" });
  });
});

describe("the envelope", () => {
  test("of another type is left alone", () => {
    expect(tell("customer.updated", { email: "jo@example.com" })).toMatchObject({
      id: "evt_1",
      kind: "ignored",
      reason: '"customer.updated" changes no license',
    });
  });

  test("tells a simulation apart", () => {
    const simulated = { event_id: "ntfsimevt_01kb2w3x4y5z6a7b8c9d0e1f2g" };
    expect(tell("transaction.completed", paddleTransaction(), simulated)).toMatchObject({ kind: "facts", test: true });
  });

  test("leaves transaction.paid alone, which comes before the transaction is complete", () => {
    expect(tell("transaction.paid", paddleTransaction())).toMatchObject({ kind: "ignored" });
  });

  test.each([null, [], "text", {}, { alert_name: "subscription_payment_succeeded" }])("of %j is unclear", (body) => {
    expect(paddle.events(body, {})[0]).toMatchObject({ id: "", kind: "unparseable", type: "no type" });
  });

  test("quotes no value of the body in its reason", () => {
    const told = tell("subscription.updated", paddleSubscription({ customer_id: { secret: "jo@example.com" } }));
    expect(told).toMatchObject({ kind: "unparseable" });
    expect(JSON.stringify(told)).not.toMatch(/jo@example/);
  });

  test("takes times to the nanosecond", () => {
    expect(
      tell("customer.updated", {}, { occurred_at: utc("2027-01-31").replace("000Z", "787929969Z") }),
    ).toMatchObject({ occurredAt: "2027-01-31T00:00:00.787Z" });
  });
});
