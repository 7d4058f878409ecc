import { describe, expect, test } from "vitest";
import { lemonsqueezy } from "../../../../shared/storefronts/lemonsqueezy.ts";
import { ofInvoice, ofOrder, ofSubscription, signLemonSqueezy } from "../../../support/lemonsqueezy.ts";
import { plainSecretOf } from "../../../support/secrets.ts";

type Fields = Record<string, unknown>;

const read = (body: unknown) => lemonsqueezy.events(body, {})[0];
const eventsOf = (body: unknown) => {
  const parsed = read(body);
  return parsed?.kind === "facts" ? parsed.events : expect.fail(JSON.stringify(parsed));
};
const paid = (of: Fields = {}) => read(ofInvoice("subscription_payment_success", of));
const customer = { id: "5", email: "jo@example.com" };

describe("a signature", () => {
  const [oldSecret, newSecret] = [plainSecretOf("old"), plainSecretOf("new")];
  const body = Buffer.from('{"meta":{"note":"žluťoučký kůň"}}');
  const verify = (signature: string | undefined, secrets = [newSecret]) =>
    lemonsqueezy.verify({ headers: { "x-signature": signature }, body }, secrets, () => false);
  const by = (secret: string) => signLemonSqueezy(String(body), secret)["x-signature"];

  test("known from the documented formula is accepted at any time", () => {
    const constant = "dade1205ba701701faf2abf9f70ca457b24493ea6a4f17fd525b22611e62fd0a";
    const request = { headers: { "x-signature": constant }, body: Buffer.from("{}") };
    expect(lemonsqueezy.verify(request, ["constant"], () => false)).toBeUndefined();
  });

  test("is accepted if any secret matches, and refused otherwise", () => {
    expect(verify(by(newSecret), [oldSecret, newSecret])).toBeUndefined();
    expect(verify(by(oldSecret))).toMatch(/matches not the secret/);
    expect(verify(undefined)).toBe("needs the header X-Signature");
  });

  test("needs a secret of six characters", () => {
    expect(lemonsqueezy.secretProblem("12345")).toMatch(/too short/);
    expect(lemonsqueezy.secretProblem("123456")).toBeUndefined();
  });
});

describe("a subscription", () => {
  const occurredAt = "2027-01-31T10:00:02.000Z";

  test("is read as its full state", () => {
    const items = { asOf: occurredAt, list: [{ names: ["variant:41", "product:40"], quantity: 3 }] };
    expect(read(ofSubscription("subscription_updated"))).toEqual({
      id: "",
      type: "subscription_updated",
      test: false,
      occurredAt,
      kind: "facts",
      about: { subscription: "77" },
      events: [
        {
          id: "",
          occurredAt,
          customer,
          type: "subscription.changed",
          items,
          renewsAt: "2027-02-28T10:00:00.000Z",
        },
        { id: "", occurredAt, customer, type: "subscription.resumed" },
        { id: "", occurredAt, customer, type: "subscription.cancel_withdrawn" },
      ],
    });
  });

  test.each([
    ["subscription_updated", { status: "past_due" }, ["changed", "failed", "cancel_withdrawn"]],
    ["subscription_updated", { status: "unpaid" }, ["changed", "failed", "cancel_withdrawn"]],
    ["subscription_paused", { status: "paused", pause: { mode: "void" } }, ["changed", "paused", "cancel_withdrawn"]],
    ["subscription_unpaused", {}, ["changed", "resumed", "cancel_withdrawn"]],
    [
      "subscription_cancelled",
      { status: "cancelled", cancelled: true, ends_at: "2027-02-28T10:00:00.000000Z" },
      ["changed", "cancel_scheduled"],
    ],
    ["subscription_resumed", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription_expired", { status: "expired" }, ["changed", "cancelled"]],
    ["subscription_plan_changed", { variant_id: 42 }, ["changed", "resumed", "cancel_withdrawn"]],
  ])("of %s %j", (name, of, types) => {
    expect(eventsOf(ofSubscription(name, of)).map((event) => event.type.replace(/^.*\./, ""))).toEqual(types);
  });

  test("contains its scheduled end", () => {
    const cancelled = { status: "cancelled", ends_at: "2027-02-28T10:00:00.000000Z" };
    const events = eventsOf(ofSubscription("subscription_cancelled", cancelled));
    expect(events.at(-1)).toMatchObject({ endsAt: "2027-02-28T10:00:00.000Z" });
  });

  test.each(["past_due", "unpaid", "paused", "cancelled", "expired"])("that is %s has no renewal", (status) => {
    expect(eventsOf(ofSubscription("subscription_updated", { status }))[0]).not.toHaveProperty("renewsAt");
  });

  test("without an item leaves the quantity unchanged", () => {
    const [changed] = eventsOf(ofSubscription("subscription_updated", { first_subscription_item: null }));
    expect(changed?.items?.list).toStrictEqual([{ names: ["variant:41", "product:40"] }]);
  });

  test("on trial is a payment of nothing to the trial's end, when it renews", () => {
    const of = { status: "on_trial", trial_ends_at: "2027-02-14T10:00:00.000000Z", renews_at: null };
    const events = eventsOf(ofSubscription("subscription_created", of));
    expect(events[0]).toMatchObject({ renewsAt: "2027-02-14T10:00:00.000Z" });
    expect(events[3]).toMatchObject({
      type: "payment.succeeded",
      payment: "trial of 77",
      covers: { through: "2027-02-14T10:00:00.000Z" },
      trial: true,
    });
  });

  test.each(["active", "past_due"])("whose trial is over and that is %s is no trial", (status) => {
    const trialed = { status, trial_ends_at: "2027-01-31T10:00:00.000000Z" };
    const events = eventsOf(ofSubscription("subscription_updated", trialed));
    expect(events).toHaveLength(3);
    expect(events[0]?.renewsAt).toBe(status === "active" ? "2027-02-28T10:00:00.000Z" : undefined);
  });

  test("on trial without an end entitles to nothing", () => {
    expect(eventsOf(ofSubscription("subscription_created", { status: "on_trial" }))).toHaveLength(3);
  });

  test("without a customer is read as well", () => {
    const [changed] = eventsOf(ofSubscription("subscription_updated", { customer_id: null, user_email: null }));
    expect(changed?.customer).toStrictEqual({});
  });

  test("that was just created links its order to its first invoice, and the invoice to the subscription", () => {
    expect(read(ofSubscription("subscription_created"))).toMatchObject({
      links: [
        { reference: "order 9", to: { reference: "first invoice of 77" } },
        { reference: "first invoice of 77", to: { subscription: "77" } },
      ],
    });
    expect(read(ofSubscription("subscription_created", { order_id: null }))).not.toHaveProperty("links");
    expect(read(ofSubscription("subscription_updated"))).not.toHaveProperty("links");
  });
});

describe("an invoice", () => {
  const occurredAt = "2027-01-31T10:00:03.000Z";

  test.each(["subscription_payment_success", "subscription_payment_recovered"])(
    "by %s pays the period that begins with it",
    (name) => {
      expect(read(ofInvoice(name))).toEqual({
        id: "",
        type: name,
        test: false,
        occurredAt,
        kind: "facts",
        about: { subscription: "77" },
        events: [
          {
            id: "",
            occurredAt,
            customer,
            type: "payment.succeeded",
            payment: "1001",
            covers: { periodFrom: "2027-01-31T10:00:00.000Z" },
            trial: false,
          },
        ],
      });
    },
  );

  test("that is the first has a payment id that its order also knows", () => {
    expect(paid({ billing_reason: "initial" })).toMatchObject({ events: [{ payment: "first invoice of 77" }] });
  });

  test.each([
    ["a trial", { billing_reason: "initial", subtotal: 0, total: 0 }, true],
    ["a full discount", { subtotal: 6000, discount_total: 6000, total: 0 }, false],
    ["no subtotal", { subtotal: null }, false],
  ])("of %s", (_, of, trial) => {
    expect(paid(of)).toMatchObject({ events: [{ trial }] });
  });

  test("of a change is ignored, and listed with its subscription", () => {
    expect(paid({ billing_reason: "updated" })).toMatchObject({
      kind: "ignored",
      occurredAt,
      about: { subscription: "77" },
    });
  });

  test("of a renewal that failed is a failed payment", () => {
    expect(read(ofInvoice("subscription_payment_failed", { status: "pending" }))).toMatchObject({
      about: { subscription: "77" },
      events: [{ type: "payment.failed", payment: "1001", occurredAt }],
    });
  });

  test.each(["updated", "initial", "something new"])("for %j that failed leaves the paid period alone", (reason) => {
    const of = { billing_reason: reason, status: "pending" };
    expect(read(ofInvoice("subscription_payment_failed", of))).toMatchObject({
      kind: "ignored",
      reason: `a failed invoice for "${reason}": only a failed renewal ends paid time`,
      about: { subscription: "77" },
    });
  });
});

describe("money that was returned", () => {
  const name = "subscription_payment_refunded";
  test.each([
    ["of a renewal", ofInvoice(name, { refunded: true }), { subscription: "77" }, "1001"],
    [
      "of the first invoice",
      ofInvoice(name, { refunded: true, billing_reason: "initial" }),
      { subscription: "77" },
      "first invoice of 77",
    ],
    ["of an order", ofOrder("order_refunded", { refunded: true }), { reference: "order 9" }, "order 9"],
  ])("%s", (_, body, about, payment) => {
    expect(read(body)).toMatchObject({ about, events: [{ type: "payment.refunded", payment, reversed: false }] });
  });

  test.each([
    ["an invoice", ofInvoice(name, { status: "partial_refund" })],
    ["an order", ofOrder("order_refunded", { status: "partial_refund" })],
    ["an invoice without the amount", ofInvoice(name, { refunded: undefined })],
    ["an order without the amount", ofOrder("order_refunded", { refunded: undefined })],
    ["an invoice with null", ofInvoice(name, { refunded: null })],
  ])("of a part of %s takes nothing back", (_, body) => {
    expect(read(body)).toMatchObject({
      kind: "ignored",
      reason: "refunded in part: the payment stands",
      about: expect.anything(),
    });
  });
});

describe("the envelope", () => {
  test("marks the test mode", () => {
    expect(read(ofSubscription("subscription_updated", {}, { test_mode: true }))).toMatchObject({ test: true });
  });

  test.each([undefined, null])("with the test mode %j is live", (test_mode) => {
    expect(read(ofSubscription("subscription_updated", {}, { test_mode }))).toMatchObject({ test: false });
  });

  test.each([
    ofOrder("order_created"),
    { ...ofOrder("license_key_created"), data: { type: "license-keys", id: "3", attributes: {} } },
  ])("of another event is ignored", (body) => {
    expect(read(body)).toMatchObject({ kind: "ignored", reason: expect.stringMatching(/changes no license/) });
  });

  test.each([
    ["no body", null, /^\(top\): /],
    ["no variant", ofSubscription("subscription_updated", { variant_id: null }), /^data\.attributes\.variant_id: /],
    ["no subscription", ofInvoice("subscription_payment_success", { subscription_id: undefined }), /subscription_id: /],
    ["a time that is none", ofInvoice("subscription_payment_success", { created_at: "soon" }), /created_at: /],
  ])("with %s is unparseable", (_, body, reason) => {
    expect(read(body)).toMatchObject({ kind: "unparseable", reason: expect.stringMatching(reason) });
  });

  test.each([null, [], "text", { meta: {} }])("%j has neither id nor type", (body) => {
    expect(read(body)).toMatchObject({ id: "", type: "no type", kind: "unparseable" });
  });

  test("quotes no value of the body in its reason", () => {
    const parsed = read(ofSubscription("subscription_updated", { variant_id: { secret: "jo@example.com" } }));
    expect(parsed).toMatchObject({ kind: "unparseable" });
    expect(JSON.stringify(parsed)).not.toMatch(/jo@example/);
  });
});
