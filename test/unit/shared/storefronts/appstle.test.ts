import { Webhook } from "svix";
import { describe, expect, test } from "vitest";
import { appstle } from "../../../../shared/storefronts/appstle.ts";
import { freshAt } from "../../../../shared/storefronts/signatures.ts";
import { utc } from "../../../support/events.ts";
import { signers } from "../../../support/signers.ts";

type Fields = Record<string, unknown>;

const sentAt = new Date(utc("2027-01-31T10:00:05"));
const headers = { "svix-id": "msg_1", "svix-timestamp": String(sentAt.getTime() / 1000) };
const read = (type: string, data: unknown) => appstle.events({ type, data }, headers)[0];
const factsOf = (type: string, data: unknown) => {
  const parsed = read(type, data);
  return parsed?.kind === "facts" ? parsed : expect.fail(JSON.stringify(parsed));
};

const contract = (more: Fields = {}) => ({
  id: "gid://shopify/SubscriptionContract/77",
  status: "ACTIVE",
  createdAt: "2027-01-31T10:00:00Z",
  updatedAt: "2027-01-31T10:00:02Z",
  nextBillingDate: "2027-02-28T10:00:00Z",
  billingPolicy: { interval: "MONTH", intervalCount: 1, anchors: [] },
  customer: { id: "gid://shopify/Customer/7", email: "jo@example.com" },
  lines: {
    nodes: [
      {
        sku: "VM6",
        productId: "gid://shopify/Product/82",
        variantId: "gid://shopify/ProductVariant/448",
        quantity: 3,
        sellingPlanName: "Monthly",
      },
    ],
  },
  originOrder: { id: "gid://shopify/Order/5001", name: "#1001" },
  ...more,
});
const attempt = (more: Fields = {}) => ({
  id: 201,
  contractId: 77,
  orderId: 5002,
  graphOrderId: "gid://shopify/Order/5002",
  status: "SUCCESS",
  billingDate: "2027-02-28T10:00:00Z",
  attemptTime: "2027-02-28T10:00:06Z",
  ...more,
});

describe("the signature", () => {
  const body = '{"type":"subscription.created","data":{}}';
  const verify = (signed: Record<string, string>, text = body) =>
    appstle.verify(
      { headers: signed, body: Buffer.from(text) },
      [signers.appstle.secret],
      freshAt(() => sentAt.getTime()),
    );

  test("is the one that Svix's own package makes", () => {
    const signature = new Webhook(signers.appstle.secret).sign("msg_1", sentAt, body);
    expect(verify({ ...headers, "svix-signature": signature })).toBeUndefined();
    expect(verify({ ...headers, "svix-signature": signature }, `${body} `)).toMatch(/matches not/);
    expect(verify({ ...headers, "svix-id": "msg_2", "svix-signature": signature })).toMatch(/matches not/);
    expect(verify(headers)).toBe("needs the headers svix-id, svix-timestamp, svix-signature");
  });

  test("needs a secret in base64", () => {
    expect(appstle.secretProblem("not base64!")).toMatch(/base64/);
    expect(appstle.secretProblem(signers.appstle.secret)).toBeUndefined();
  });
});

describe("a contract", () => {
  test("is read as its full state, with the payment of its first order", () => {
    const fact = {
      id: "msg_1",
      occurredAt: utc("2027-01-31T10:00:02"),
      customer: { id: "7", email: "jo@example.com" },
    };
    expect(read("subscription.created", contract())).toEqual({
      id: "msg_1",
      type: "subscription.created",
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
        {
          ...fact,
          occurredAt: utc("2027-01-31T10:00:00"),
          type: "payment.succeeded",
          payment: "5001",
          covers: { intervals: 1 },
          trial: false,
        },
      ],
    });
  });

  test.each([
    "subscription.updated",
    "subscription.activated",
    "subscription.next-order-date-changed",
    "subscription.billing-interval-changed",
  ])("has the same meaning by %s", (type) => {
    expect(factsOf(type, contract()).events).toEqual(factsOf("subscription.created", contract()).events);
  });

  test.each([
    ["ACTIVE", ["resumed", "cancel_withdrawn"]],
    ["PAUSED", ["paused", "cancel_withdrawn"]],
    ["FAILED", ["cancel_withdrawn"]],
    ["CANCELLED", ["cancel_scheduled"]],
    ["EXPIRED", ["cancel_scheduled"]],
  ])("that is %s", (status, types) => {
    const { events } = factsOf("subscription.updated", contract({ status, originOrder: null }));
    expect(events.map(({ type }) => type.replace(/^.*\./, ""))).toEqual(["changed", ...types]);
    expect(events.at(-1)).not.toHaveProperty("endsAt");
  });

  test("whose next billing date moves is paid no further", () => {
    const skipped = contract({ nextBillingDate: "2027-03-31T10:00:00Z" });
    expect(factsOf("subscription.next-order-date-changed", skipped).events).toEqual(
      factsOf("subscription.updated", contract()).events,
    );
  });

  test.each([
    [{ interval: "MONTH", intervalCount: 3 }, 3],
    [{ interval: "YEAR", intervalCount: 1 }, 12],
    [{ interval: "WEEK", intervalCount: 4 }, undefined],
    [null, undefined],
  ])("billed by %j has an interval of %s months", (billingPolicy, months) => {
    expect(factsOf("subscription.updated", contract({ billingPolicy })).events[0]?.interval).toBe(months);
  });

  test("with null in missing fields is read, and dated by the signature", () => {
    const bare = { id: 77, status: null, createdAt: null, updatedAt: null, customer: null, lines: { nodes: null } };
    expect(read("subscription.updated", contract({ ...bare, originOrder: null, billingPolicy: null }))).toMatchObject({
      about: { subscription: "77" },
      occurredAt: utc("2027-01-31T10:00:05"),
      events: [{ type: "subscription.changed" }, { type: "subscription.cancel_withdrawn" }],
    });
    const line = { variantId: null, productId: null, sku: "VM6", quantity: null };
    expect(factsOf("subscription.updated", contract({ lines: { nodes: [line] } })).events[0]?.items?.list).toEqual([
      { names: ["sku:VM6"], quantity: 1 },
    ]);
  });
});

describe("a billing attempt", () => {
  test.each([
    ["by numbers", attempt()],
    ["by GraphQL names", attempt({ contractId: "gid://shopify/SubscriptionContract/77", orderId: null })],
    ["without a status", attempt({ status: null })],
  ])("that succeeded pays one interval, by its order, %s", (_, data) => {
    expect(read("subscription.billing-success", data)).toMatchObject({
      kind: "facts",
      about: { subscription: "77" },
      events: [
        {
          type: "payment.succeeded",
          payment: "5002",
          covers: { intervals: 1 },
          trial: false,
          occurredAt: utc("2027-02-28T10:00:06"),
        },
      ],
    });
  });

  test.each(["subscription.billing-failure", "subscription.billing-skipped"])(
    "by %s is ignored, and listed with its contract",
    (type) => {
      expect(read(type, attempt({ orderId: null, status: "FAILURE" }))).toMatchObject({
        kind: "ignored",
        reason: "a billing attempt failed or was skipped: nothing more is paid",
        about: { subscription: "77" },
      });
    },
  );

  test("whose status contradicts its type of success is ignored", () => {
    expect(read("subscription.billing-success", attempt({ status: "QUEUED" }))).toMatchObject({
      kind: "ignored",
      about: { subscription: "77" },
    });
  });

  test("without an order is unparseable", () => {
    expect(read("subscription.billing-success", attempt({ orderId: null, graphOrderId: null }))).toMatchObject({
      kind: "unparseable",
      reason: "data.orderId: missing",
      about: { subscription: "77" },
    });
  });
});

describe("other events", () => {
  test.each(["subscription.upcoming-order-notification", "subscription.invented"])("%s changes no license", (type) => {
    expect(read(type, {})).toMatchObject({ kind: "ignored", reason: expect.stringMatching(/changes no license$/) });
  });

  test.each([
    ["subscription.created", {}, /^data\.id: missing/],
    ["subscription.created", contract({ updatedAt: "soon" }), /^data\.updatedAt: /],
    ["subscription.billing-success", {}, /^data\.contractId: missing/],
    ["subscription.created", null, /^data: /],
  ])("%s %j is unparseable, with its path", (type, data, reason) => {
    expect(read(type, data)).toMatchObject({ kind: "unparseable", reason: expect.stringMatching(reason) });
  });

  test("without the signature's time is unparseable", () => {
    expect(appstle.events({ type: "subscription.created", data: contract() }, {})).toMatchObject([
      { kind: "unparseable", reason: "the header svix-timestamp is missing" },
    ]);
  });

  test.each([null, [], "text", {}])("a body that is %j has no type", (body) => {
    expect(appstle.events(body, headers)).toMatchObject([{ id: "msg_1", type: "no type", kind: "unparseable" }]);
  });
});
