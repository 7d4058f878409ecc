import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { signRecharge } from "../../../../local/simulators/storefronts/signing.ts";
import { recharge } from "../../../../shared/storefronts/recharge.ts";
import { freshAt } from "../../../../shared/storefronts/signatures.ts";
import { utc } from "../../../support/events.ts";
import { plainSecretOf } from "../../../support/secrets.ts";
import { signers } from "../../../support/signers.ts";

type Fields = Record<string, unknown>;

const read = (body: unknown) => recharge.events(body, {});
const factsOf = (body: unknown) => {
  const [parsed] = read(body);
  return parsed?.kind === "facts" ? parsed : expect.fail(JSON.stringify(parsed));
};

const subscription = (more: Fields = {}) => ({
  subscription: {
    id: 77,
    customer_id: 7,
    status: "active",
    external_product_id: { ecommerce: "82" },
    external_variant_id: { ecommerce: "448" },
    sku: "VM6",
    quantity: 3,
    order_interval_unit: "month",
    order_interval_frequency: 1,
    charge_interval_frequency: 1,
    next_charge_scheduled_at: "2027-02-28",
    created_at: "2027-01-31T10:00:00+00:00",
    updated_at: "2027-01-31T10:00:02+00:00",
    ...more,
  },
});
const line = (more: Fields = {}) => ({
  purchase_item_type: "subscription",
  purchase_item_id: 77,
  quantity: 3,
  ...more,
});
const charge = (more: Fields = {}) => ({
  charge: {
    id: 501,
    status: "success",
    type: "recurring",
    customer: { id: 7, email: "jo@example.com" },
    line_items: [line()],
    processed_at: "2027-01-31T10:00:00+00:00",
    updated_at: "2027-01-31T10:00:03+00:00",
    ...more,
  },
});

describe("the signature", () => {
  const body = '{"charge":{"id":1}}';
  const now = 1_801_389_600;
  const secret = signers.recharge.secret;
  const verify = (headers: Record<string, string>, text = body) =>
    recharge.verify(
      { headers, body: Buffer.from(text) },
      [plainSecretOf("older"), secret],
      freshAt(() => now * 1000),
    );
  const hash = (key: string) => createHash("sha256").update(`${key}${body}`).digest("hex");

  test("covers the time and the body", () => {
    expect(verify(signRecharge(body, secret, now))).toBeUndefined();
    expect(verify(signRecharge(body, plainSecretOf("another"), now))).toMatch(/none of the 2 secrets/);
    expect(verify(signRecharge(body, secret, now), `${body} `)).toMatch(/none of the 2 secrets/);
  });

  test("may be 48 hours old, because a repeated delivery has its first signature", () => {
    expect(verify(signRecharge(body, secret, now - 48 * 3600))).toBeUndefined();
    expect(verify(signRecharge(body, secret, now - 48 * 3600 - 1))).toMatch(/more than 172800 s/);
  });

  test("of the older kind is the hash of secret and body", () => {
    expect(verify({ "x-recharge-hmac-sha256": hash(secret) })).toBeUndefined();
    expect(verify({ "x-recharge-hmac-sha256": hash("another") })).toMatch(/none of the 2 secrets/);
    expect(verify({ "x-recharge-hmac-sha256": hash(secret) }, `${body} `)).toMatch(/none of the 2 secrets/);
    expect(verify({ "x-recharge-hmac-sha256": hash(secret).slice(0, 40) })).toMatch(/none of the 2 secrets/);
  });

  test("of the newer kind counts if both are sent", () => {
    const both = { ...signRecharge(body, "another", now), "x-recharge-hmac-sha256": hash(secret) };
    expect(verify(both)).toMatch(/none of the 2 secrets/);
    expect(verify({})).toMatch(/^needs the header X-Recharge-Webhook-Signature or/);
  });

  test("needs a secret of four characters", () => {
    expect(recharge.secretProblem("abc")).toMatch(/too short/);
    expect(recharge.secretProblem(secret)).toBeUndefined();
  });
});

describe("a subscription", () => {
  test("is read as its full state", () => {
    const fact = { id: "", occurredAt: utc("2027-01-31T10:00:02"), customer: { id: "7" } };
    expect(read(subscription())).toEqual([
      {
        id: "",
        type: "subscription active",
        occurredAt: fact.occurredAt,
        kind: "facts",
        about: { subscription: "77" },
        events: [
          {
            ...fact,
            type: "subscription.changed",
            interval: 1,
            items: { asOf: fact.occurredAt, list: [{ names: ["448", "sku:VM6", "82"], quantity: 3 }] },
          },
          { ...fact, type: "subscription.resumed" },
          { ...fact, type: "subscription.cancel_withdrawn" },
        ],
      },
    ]);
  });

  test("of API version 2021-01 has the same meaning", () => {
    const older = {
      external_product_id: undefined,
      external_variant_id: undefined,
      shopify_product_id: 82,
      shopify_variant_id: 448,
      status: "ACTIVE",
      charge_interval_frequency: "1",
      order_interval_frequency: "1",
      updated_at: "2027-01-31T10:00:02",
    };
    expect(factsOf(subscription(older)).events).toEqual(factsOf(subscription()).events);
  });

  test.each([
    ["active", ["resumed", "cancel_withdrawn"]],
    ["cancelled", ["cancel_scheduled"]],
    ["EXPIRED", ["cancel_scheduled"]],
  ])("that is %s", (status, types) => {
    const { events } = factsOf(subscription({ status }));
    expect(events.map(({ type }) => type.replace(/^.*\./, ""))).toEqual(["changed", ...types]);
  });

  test.each([
    ["month", 1, 1],
    ["month", "12", 12],
    ["day", 30, undefined],
    ["week", 4, undefined],
    [null, null, undefined],
  ])("charged each %s, %j, has an interval of %s months", (order_interval_unit, charge_interval_frequency, months) => {
    const { events } = factsOf(subscription({ order_interval_unit, charge_interval_frequency }));
    expect(events[0]?.interval).toBe(months);
  });

  test("whose next charge moves is paid no further", () => {
    expect(factsOf(subscription({ next_charge_scheduled_at: "2027-12-31" }))).toEqual(factsOf(subscription()));
  });

  test("with null in missing fields is read", () => {
    const bare = {
      customer_id: null,
      external_product_id: null,
      external_variant_id: { ecommerce: null },
      quantity: null,
    };
    expect(factsOf(subscription(bare)).events[0]).toMatchObject({
      customer: {},
      items: { list: [{ names: ["sku:VM6"], quantity: 1 }] },
    });
  });
});

describe("a charge", () => {
  test("that succeeded pays one interval of its subscription", () => {
    const fact = { id: "", occurredAt: utc("2027-01-31T10:00:03"), customer: { id: "7", email: "jo@example.com" } };
    expect(read(charge())).toEqual([
      {
        id: "",
        type: "charge success",
        occurredAt: fact.occurredAt,
        kind: "facts",
        about: { subscription: "77" },
        events: [
          {
            ...fact,
            occurredAt: utc("2027-01-31T10:00:00"),
            type: "payment.succeeded",
            payment: "501",
            covers: { intervals: 1 },
            trial: false,
          },
          { ...fact, type: "payment.refunded", payment: "501", reversed: true },
        ],
      },
    ]);
  });

  test("of several subscriptions pays each once, and nothing for goods that are bought once", () => {
    const line_items = [
      line(),
      line({ purchase_item_id: 78 }),
      line(),
      line({ purchase_item_id: 900, purchase_item_type: "onetime" }),
      // API version 2021-01
      { subscription_id: 79, quantity: 1 },
    ];
    expect(read(charge({ line_items })).map((parsed) => parsed.kind === "facts" && parsed.about)).toEqual([
      { subscription: "77" },
      { subscription: "78" },
      { subscription: "79" },
    ]);
  });

  test("that was refunded in full does not count, for any of its subscriptions", () => {
    const line_items = [line(), line({ purchase_item_id: 78 })];
    expect(read(charge({ status: "refunded", line_items }))).toMatchObject(
      ["77", "78"].map((one) => ({
        about: { subscription: one },
        events: [{ type: "payment.refunded", payment: "501", reversed: false }],
      })),
    );
  });

  test("that was refunded in part stands", () => {
    expect(factsOf(charge({ status: "partially_refunded" })).events).toEqual(factsOf(charge()).events);
  });

  test.each(["error", "queued", "skipped", "pending", "pending_manual_payment"])(
    "that is %s is ignored, and listed with its subscription",
    (status) => {
      expect(read(charge({ status, processed_at: null }))).toMatchObject([
        {
          kind: "ignored",
          reason: `a charge that is "${status}": nothing more is paid`,
          about: { subscription: "77" },
        },
      ]);
    },
  );

  test("of no subscription is ignored", () => {
    const onetime = line({ purchase_item_type: "onetime" });
    for (const line_items of [[], null, [onetime]]) {
      expect(read(charge({ line_items }))).toMatchObject([{ kind: "ignored", reason: "a charge of no subscription" }]);
    }
  });

  test("without a processing time is dated by its last change", () => {
    const { events } = factsOf(charge({ processed_at: null, customer: null, customer_id: 7, email: "jo@example.com" }));
    expect(events[0]).toMatchObject({
      occurredAt: utc("2027-01-31T10:00:03"),
      customer: { id: "7", email: "jo@example.com" },
    });
  });
});

describe("other events", () => {
  test.each([
    [{ order: { id: 1 } }, '"order" changes no license'],
    [{ onetime: { id: 1 } }, '"onetime" changes no license'],
    [{}, '"no type" changes no license'],
  ])("%j is ignored", (body, reason) => {
    expect(read(body)).toMatchObject([{ kind: "ignored", reason }]);
  });

  test.each([
    [subscription({ status: undefined }), /^subscription\.status: missing/],
    [subscription({ updated_at: "soon" }), /^subscription\.updated_at: /],
    [{ subscription: null }, /^subscription/],
    [charge({ id: null }), /^charge\.id: /],
    [{ charge: [] }, /^charge/],
    [[], /./],
    [null, /./],
    ["text", /./],
  ])("%j is unparseable, with its path", (body, reason) => {
    expect(read(body)).toMatchObject([{ kind: "unparseable", reason: expect.stringMatching(reason) }]);
  });
});
