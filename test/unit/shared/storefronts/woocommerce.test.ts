import { describe, expect, test } from "vitest";
import { woocommerceHeaders } from "../../../../local/simulators/storefronts/signing.ts";
import { woocommerce } from "../../../../shared/storefronts/woocommerce.ts";
import { utc } from "../../../support/events.ts";

type Fields = Record<string, unknown>;

const read = (topic: string, body: unknown) => woocommerce.events(body, { "x-wc-webhook-topic": topic })[0];
const factsOf = (body: unknown, topic = "subscription.updated") => {
  const parsed = read(topic, body);
  return parsed?.kind === "facts" ? parsed : expect.fail(JSON.stringify(parsed));
};
const typesOf = (body: unknown) => factsOf(body).events.map(({ type }) => type);
const paymentOf = (body: unknown) => factsOf(body).events.find(({ type }) => type === "payment.succeeded");

const line = (more: Fields = {}) => ({ id: 41, product_id: 633, variation_id: 636, quantity: 3, sku: "vm6", ...more });
const subscription = (more: Fields = {}) => ({
  id: 1300,
  parent_id: 1299,
  status: "active",
  customer_id: 12,
  billing: { email: "jo@example.com" },
  date_created_gmt: "2027-01-31T10:00:00",
  date_modified: "2027-01-31T20:00:30",
  date_modified_gmt: "2027-01-31T10:00:30",
  line_items: [line()],
  meta_data: [],
  billing_period: "month",
  billing_interval: "1",
  start_date_gmt: "2027-01-31T10:00:05",
  trial_end_date_gmt: "",
  next_payment_date_gmt: "2027-02-28T10:00:05",
  last_payment_date_gmt: "2027-01-31T10:00:00",
  end_date_gmt: "",
  ...more,
});
const order = (more: Fields = {}) => ({
  id: 1350,
  status: "refunded",
  customer_id: 12,
  billing: { email: "jo@example.com" },
  date_created_gmt: "2027-02-28T10:00:21",
  date_modified_gmt: "2027-03-01T09:00:00",
  date_paid_gmt: "2027-02-28T10:00:30",
  meta_data: [{ id: 1, key: "_subscription_renewal", value: "1300" }],
  ...more,
});
const withMeta = (key: string, value: unknown) => ({ meta_data: [{ id: 1, key, value }] });

describe("signatures", () => {
  const body = '{"id":1300,"note":"žluťoučký kůň"}';
  const verify = (signedBy: string, listed: string[], text = body) =>
    woocommerce.verify({ headers: woocommerceHeaders(body, signedBy), body: Buffer.from(text) }, listed, () => false);

  test("computed once by the documented formula are accepted", () => {
    const headers = { "x-wc-webhook-signature": "WWkwi7pDXGV6OUNo7IiZg/MSaCV846jJIBzhDUw6qag=" };
    const request = { headers, body: Buffer.from('{"id":1300,"status":"active"}') };
    expect(woocommerce.verify(request, ["constant of woo & tests"], () => false)).toBeUndefined();
  });

  test.each([
    ["one of several", "a new secret", ["an old secret", "a new secret"]],
    ["one that is listed as the settings show it", `a<b>&"c'`, [`a<b>&"c'`]],
    ["one that is listed as the database holds it", `a<b>&"c'd'e'f`, ["a&lt;b&gt;&amp;&quot;c&#039;d&#39;e&#x27;f"]],
    ["one that looks escaped when shown", "a&lt;b-secret", ["a&lt;b-secret"]],
    ["one that was escaped twice", "a&lt;b-secret", ["a&amp;lt;b-secret"]],
  ])("by %s are accepted", (_, signedBy, listed) => {
    expect(verify(signedBy, listed)).toBeUndefined();
  });

  test.each([
    ["another secret", "another secret", ["a new secret"]],
    ["an entity of another name", "a b secret", ["a&nbsp;b secret"]],
  ])("by %s are refused", (_, signedBy, listed) => {
    expect(verify(signedBy, listed)).toMatch(/matches not the secret/);
  });

  test("of another body, or none, are refused", () => {
    expect(verify("a new secret", ["a new secret"], `${body}\n`)).toMatch(/matches not/);
    expect(woocommerce.verify({ headers: {}, body: Buffer.from(body) }, ["a new secret"], () => true)).toBe(
      "needs the header X-WC-Webhook-Signature",
    );
  });

  test.each([
    ["webhook_id=7", {}, true],
    ["webhook_id=1234", {}, true],
    ["id=1&webhook_id=7", {}, false],
    ["webhook_id=7", { "x-wc-webhook-signature": "" }, false],
    ["webhook_id=7&id=1300", {}, false],
    ["webhook_id=x", {}, false],
    ['{"id":1300}', {}, false],
    ["", {}, false],
  ])("%j with %j is a ping: %s", (text, headers, greets) => {
    expect(woocommerce.isPing?.({ headers, body: Buffer.from(text) })).toBe(greets);
  });

  test.each([
    ["8 chars.", undefined],
    ["abc", /too short/],
  ])("takes %j for a secret or says why not", (secret, flaw) => {
    if (flaw) expect(woocommerce.secretProblem(secret)).toMatch(flaw);
    else expect(woocommerce.secretProblem(secret)).toBeUndefined();
  });
});

describe("a subscription", () => {
  test("is read as its full state", () => {
    const parsed = factsOf(subscription());
    const fact = {
      id: parsed.id,
      occurredAt: utc("2027-01-31T10:00:30"),
      customer: { id: "12", email: "jo@example.com" },
    };
    expect(parsed.id).toMatch(/^1300 active 2027-01-31T10:00:30.000Z 2027-02-28T10:00:05.000Z [0-9a-f]{16}$/);
    expect(parsed).toEqual({
      id: parsed.id,
      type: "subscription.updated",
      occurredAt: fact.occurredAt,
      kind: "facts",
      about: { subscription: "1300" },
      links: [{ reference: "1299", to: { subscription: "1300" }, shared: true }],
      events: [
        {
          ...fact,
          type: "subscription.changed",
          interval: 1,
          items: { asOf: fact.occurredAt, list: [{ names: ["636", "sku:vm6", "633"], quantity: 3 }] },
        },
        { ...fact, type: "subscription.resumed" },
        { ...fact, type: "subscription.cancel_withdrawn" },
        {
          ...fact,
          type: "payment.succeeded",
          payment: "1299",
          covers: { from: utc("2027-01-31T10:00:05"), through: utc("2027-02-28T10:00:05") },
          trial: false,
        },
      ],
    });
  });

  test.each(["subscription.created", "subscription.switched"])("has the same meaning by %s", (topic) => {
    expect(factsOf(subscription(), topic).events).toEqual(factsOf(subscription()).events);
  });

  test.each([
    ["pending", {}, ["cancel_withdrawn"]],
    ["active", {}, ["resumed", "cancel_withdrawn", "succeeded"]],
    ["on-hold", { next_payment_date_gmt: "2027-01-31T10:00:30" }, ["cancel_withdrawn"]],
    ["on-hold", { next_payment_date_gmt: "2027-01-31T10:00:31" }, ["paused", "cancel_withdrawn"]],
    ["on-hold", { next_payment_date_gmt: "" }, ["paused", "cancel_withdrawn"]],
    [
      "pending-cancel",
      { next_payment_date_gmt: "", end_date_gmt: "2027-02-28T10:00:05" },
      ["resumed", "cancel_scheduled", "succeeded"],
    ],
    ["cancelled", { next_payment_date_gmt: "", end_date_gmt: "2027-01-31T10:00:30" }, ["cancelled"]],
    ["expired", { next_payment_date_gmt: "", end_date_gmt: "2027-01-31T10:00:30" }, ["cancelled"]],
    ["switched", {}, ["cancelled"]],
    ["trash", {}, ["cancelled"]],
    ["of-a-plugin", {}, ["cancel_withdrawn"]],
  ])("that is %s, %j", (status, dates, types) => {
    const parsed = typesOf(subscription({ status, ...dates })).map((type) => type.replace(/^.*\./, ""));
    expect(parsed).toEqual(["changed", ...types]);
  });

  test("that is to be cancelled is paid to its end, and ends then", () => {
    const { events } = factsOf(
      subscription({ status: "pending-cancel", next_payment_date_gmt: "", end_date_gmt: "2027-02-28T10:00:05" }),
    );
    expect(events).toMatchObject([
      {},
      {},
      { type: "subscription.cancel_scheduled", endsAt: utc("2027-02-28T10:00:05") },
      { payment: "1299", covers: { through: utc("2027-02-28T10:00:05") } },
    ]);
  });

  test("of limited length is paid to its end by its last payment", () => {
    const last = paymentOf(subscription({ next_payment_date_gmt: "", end_date_gmt: "2027-02-28T10:00:05" }));
    expect(last).toMatchObject({ covers: { through: utc("2027-02-28T10:00:05") } });
  });

  test("that is active without a date is unparseable", () => {
    expect(read("subscription.updated", subscription({ next_payment_date_gmt: "" }))).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(/must state how long/),
      about: { subscription: "1300" },
    });
  });

  test.each([
    ["active, its latest order unpaid", { needs_payment: true }, ["changed", "resumed", "cancel_withdrawn"]],
    [
      "active without a date, its latest order unpaid",
      { needs_payment: true, next_payment_date_gmt: "" },
      ["changed", "resumed", "cancel_withdrawn"],
    ],
    ["active and paid", { needs_payment: false }, ["changed", "resumed", "cancel_withdrawn", "succeeded"]],
    [
      "active and of an older version",
      { needs_payment: null },
      ["changed", "resumed", "cancel_withdrawn", "succeeded"],
    ],
  ])("that is %s is paid only if it needs no payment", (_, more, types) => {
    expect(typesOf(subscription(more)).map((type) => type.replace(/^.*\./, ""))).toEqual(types);
  });

  test.each([
    ["month", "3", 3],
    ["year", 1, 12],
    ["week", "1", undefined],
    ["day", "30", undefined],
  ])("billed each %s, %j, is charged for %s months", (billing_period, billing_interval, months) => {
    const [changed] = factsOf(subscription({ billing_period, billing_interval })).events;
    expect(changed?.interval).toBe(months);
  });

  test("with null for what is not set is read as without it", () => {
    const nothing = { parent_id: null, meta_data: null, line_items: [line({ variation_id: null, sku: null })] };
    expect(factsOf(subscription(nothing))).toMatchObject({
      links: [],
      events: [{ items: { list: [{ names: ["633"] }] } }, {}, {}, {}],
    });
  });

  test("with meta data of any shape and depth is read", () => {
    const deep = JSON.parse(`${"[".repeat(6000)}${"]".repeat(6000)}`);
    const meta_data = [{ key: "_plugin", value: deep }, { key: "_subscription_switch", value: null }, null, { key: 7 }];
    expect(typesOf(subscription({ meta_data }))).toContain("payment.succeeded");
  });

  test("without a parent order has no link", () => {
    const parsed = factsOf(subscription({ parent_id: 0, last_payment_date_gmt: "" }));
    expect(parsed.links).toEqual([]);
    expect(parsed.events.at(-1)).toMatchObject({ payment: "0" });
  });

  test.each([
    ["a product without variations and SKU", line({ variation_id: 0, sku: "" }), ["633"]],
    ["a product with a SKU", line({ variation_id: 0 }), ["sku:vm6", "633"]],
  ])("names %s", (_, sold, names) => {
    expect(factsOf(subscription({ line_items: [sold] })).events[0]?.items?.list).toEqual([{ names, quantity: 3 }]);
  });

  test("without lines has no items", () => {
    expect(factsOf(subscription({ line_items: [] })).events[0]).not.toHaveProperty("items");
  });

  test("of a guest has no customer's id", () => {
    expect(factsOf(subscription({ customer_id: 0, billing: null })).events[0]?.customer).toEqual({});
  });
});

describe("the payment of an active subscription", () => {
  const renewed = (more: Fields = {}) =>
    subscription({
      date_modified_gmt: "2027-02-28T10:00:31",
      last_payment_date_gmt: "2027-02-28T10:00:21",
      next_payment_date_gmt: "2027-03-31T10:00:05",
      ...more,
    });

  test("is one, in every state of its period", () => {
    const later = renewed({ date_modified_gmt: "2027-03-15T10:00:00", line_items: [line({ quantity: 5 })] });
    expect(paymentOf(later)).toMatchObject({ payment: "renewal of 2027-02-28T10:00:21.000Z" });
    expect(paymentOf(renewed())).toMatchObject({ payment: "renewal of 2027-02-28T10:00:21.000Z" });
  });

  test.each([
    ["day", "10", "2027-03-21T10:00:05"],
    ["week", 2, "2027-03-17T10:00:05"],
    ["month", 1, "2027-02-28T10:00:05"],
    ["month", "2", "2027-01-31T10:00:05"],
    ["year", "1", "2026-03-31T10:00:05", { start_date_gmt: "2024-01-31T10:00:05" }],
    ["year", "2", "2025-03-31T10:00:05", { start_date_gmt: "2024-01-31T10:00:05" }],
    ["month", "1", "2027-02-28T10:00:05", { start_date_gmt: "" }],
    // Not before the subscription began.
    ["year", "1", "2027-01-31T10:00:05"],
  ])("begins a period (%s, %s) before the next one", (billing_period, billing_interval, from, more?: Fields) => {
    const parsed = renewed({ billing_period, billing_interval, ...more });
    expect(paymentOf(parsed)).toMatchObject({ covers: { from: utc(from) } });
  });

  test.each([
    ["runs", { trial_end_date_gmt: "2027-02-28T10:00:05" }, true],
    ["is over", { trial_end_date_gmt: "2027-02-27T10:00:05" }, false],
    [
      "runs, and it is set to be cancelled, which hides the trial's end",
      {
        status: "pending-cancel",
        next_payment_date_gmt: "",
        end_date_gmt: "2027-02-28T10:00:05",
        ...withMeta("trial_end_pre_cancellation", "2027-02-28 10:00:05"),
      },
      true,
    ],
    ...[0, "0", ""].map((never): [string, Fields, boolean] => [
      `never was (${JSON.stringify(never)}), and it is set to be cancelled`,
      {
        status: "pending-cancel",
        next_payment_date_gmt: "",
        end_date_gmt: "2027-02-28T10:00:05",
        ...withMeta("trial_end_pre_cancellation", never),
      },
      false,
    ]),
    [
      "is stored under another name, and it is set to be cancelled",
      {
        status: "pending-cancel",
        next_payment_date_gmt: "",
        end_date_gmt: "2027-02-28T10:00:05",
        ...withMeta("trial_end_of_a_plugin", "2027-02-28 10:00:05"),
      },
      false,
    ],
  ])("is of a trial while that %s", (_, more, trial) => {
    expect(paymentOf(subscription(more))).toMatchObject({ payment: "1299", trial });
  });

  test("that reaches further counts when two states are of one second", () => {
    const id = (more: Fields) => factsOf(renewed(more)).id;
    expect(id({ next_payment_date_gmt: "2027-02-28T10:00:05" }) < id({})).toBe(true);
  });
});

describe("an order", () => {
  const renewal = "renewal of 2027-02-28T10:00:21.000Z";

  test("of a renewal that is refunded in full takes that payment back", () => {
    expect(factsOf(order(), "order.updated")).toMatchObject({
      id: expect.stringMatching(/^0 order 1350 refunded 2027-03-01T09:00:00.000Z [0-9a-f]{16}$/),
      type: "order.updated",
      occurredAt: utc("2027-03-01T09:00:00"),
      about: { subscription: "1300" },
      events: [
        {
          type: "payment.refunded",
          payment: "renewal of 2027-02-28T10:00:21.000Z",
          reversed: false,
          occurredAt: utc("2027-03-01T09:00:00"),
          customer: { id: "12" },
        },
      ],
    });
  });

  test.each(["processing", "completed"])("of a renewal that is %s is a payment of one interval", (status) => {
    expect(factsOf(order({ status }), "order.updated")).toMatchObject({
      about: { subscription: "1300" },
      events: [
        {
          type: "payment.succeeded",
          payment: renewal,
          covers: { intervals: 1 },
          trial: false,
          occurredAt: utc("2027-02-28T10:00:21"),
        },
        { type: "payment.refunded", payment: renewal, reversed: true, occurredAt: utc("2027-03-01T09:00:00") },
      ],
    });
  });

  test("counts less than the subscription's own statement of the same second", () => {
    const at = "2027-02-28T10:00:30";
    const own = factsOf(subscription({ date_modified_gmt: at, last_payment_date_gmt: "2027-02-28T10:00:21" }));
    const ofOrder = factsOf(order({ status: "processing", date_modified_gmt: at }), "order.updated");
    expect(ofOrder.events[0]).toMatchObject({ payment: renewal, occurredAt: utc("2027-02-28T10:00:21") });
    expect(own.events.at(-1)).toMatchObject({ payment: renewal, occurredAt: utc(at) });
    expect(ofOrder.id < own.id).toBe(true);
  });

  test("that is not a renewal and is paid is no payment: its subscription says for how long", () => {
    expect(factsOf(order({ id: 1299, status: "completed", meta_data: [] }), "order.updated").events).toMatchObject([
      { type: "payment.refunded", payment: "1299", reversed: true },
    ]);
  });

  test("of a renewal that failed is a failed payment", () => {
    expect(factsOf(order({ status: "failed", date_paid_gmt: null }), "order.updated")).toMatchObject({
      about: { subscription: "1300" },
      events: [{ type: "payment.failed", payment: renewal, occurredAt: utc("2027-03-01T09:00:00") }],
    });
  });

  test("of several subscriptions is a fact about each", () => {
    const meta_data = ["1300", 1301].map((value) => ({ key: "_subscription_renewal", value }));
    expect(woocommerce.events(order({ meta_data }), { "x-wc-webhook-topic": "order.updated" })).toMatchObject([
      { about: { subscription: "1300" } },
      { about: { subscription: "1301" } },
    ]);
  });

  test("without a renewal is about its own reference, which a subscription links", () => {
    expect(factsOf(order({ id: 1299, meta_data: [] }), "order.updated")).toMatchObject({
      about: { reference: "1299" },
      events: [{ type: "payment.refunded", payment: "1299" }],
    });
  });

  test.each([
    ["pending", { status: "pending" }, "an order that is pending"],
    ["failed after it was paid, as after a dispute", { status: "failed" }, "an order that is failed"],
    [
      "failed and was made early by the customer",
      {
        status: "failed",
        date_paid_gmt: null,
        meta_data: [
          { key: "_subscription_renewal", value: "1300" },
          { key: "_subscription_renewal_early", value: "1300" },
        ],
      },
      "an order that is failed",
    ],
    ["on hold, as while SEPA takes its days", { status: "on-hold", date_paid_gmt: null }, "an order that is on-hold"],
    ["not paid yet", { status: "processing", date_paid_gmt: null }, "an order that is processing"],
    ["of a switch", withMeta("_subscription_switch", "1300"), "pays for a change, not for a period"],
  ])("that is %s is ignored, and listed with its subject", (_, more, reason) => {
    expect(read("order.updated", order(more))).toMatchObject({ kind: "ignored", reason, about: expect.anything() });
  });
});

describe("other events", () => {
  test.each(["order.deleted", "product.updated", "action.woocommerce_add_to_cart", "customer.created", ""])(
    "%j changes no license",
    (topic) => {
      expect(read(topic, { id: 1 })).toMatchObject({
        kind: "ignored",
        reason: expect.stringMatching(/changes no license$/),
      });
    },
  );

  test("a deleted subscription is unparseable: the event has no time", () => {
    expect(read("subscription.deleted", { id: 1300 })).toMatchObject({
      kind: "unparseable",
      reason: "subscription 1300 was deleted, and the event has no time: cancel it first",
      about: { subscription: "1300" },
    });
  });

  test.each([
    [
      "what WordPress refuses",
      { code: "woocommerce_rest_cannot_view", message: "Sorry", data: { status: 401 } },
      /WordPress refused the object: woocommerce_rest_cannot_view/,
    ],
    ["an older shape", { subscription: { id: 1300 } }, /^id: missing/],
    ["a time in the shop's zone alone", subscription({ date_modified_gmt: undefined }), /^date_modified_gmt: missing/],
    ["a date that is none", subscription({ next_payment_date_gmt: "soon" }), /^next_payment_date_gmt: /],
    ["an interval that is none", subscription({ billing_interval: "0" }), /^billing_interval: /],
    ["a list", [], /^\(top\)/],
  ])("%s is unparseable, with its path", (_, body, reason) => {
    expect(read("subscription.updated", body)).toMatchObject({
      id: "",
      type: "subscription.updated",
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });

  test("keeps the header that it reads, so that a replay reads the same", () => {
    expect(woocommerce.headers).toEqual(["x-wc-webhook-topic"]);
  });

  test("quotes no value of the body", () => {
    const parsed = read("subscription.updated", subscription({ next_payment_date_gmt: "jo@example.com" }));
    expect(JSON.stringify(parsed)).not.toContain("jo@example");
  });
});
