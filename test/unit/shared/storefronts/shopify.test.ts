import "@shopify/shopify-api/adapters/node";
import { ApiVersion, shopifyApi } from "@shopify/shopify-api";
import { describe, expect, test } from "vitest";
import { shopify } from "../../../../shared/storefronts/shopify.ts";
import { utc } from "../../../support/events.ts";
import { plainSecretOf } from "../../../support/secrets.ts";
import { shopifyHeaders } from "../../../support/shopify.ts";

type Fields = Record<string, unknown>;

const at = "2027-01-31T10:00:00.123456789Z";
const of = (topic: string) => ({ topic, webhookId: "b54557e4", triggeredAt: at });
const headersOf = (topic: string) => shopifyHeaders("", "", of(topic));
const tell = (topic: string, body: unknown, more: Record<string, string> = {}) =>
  shopify.events(body, { ...headersOf(topic), ...more })[0];
const factsOf = (topic: string, body: unknown) => {
  const told = tell(topic, body);
  return told?.kind === "facts" ? told : expect.fail(JSON.stringify(told));
};

const order = (more: Fields = {}) => ({
  id: 5001,
  created_at: "2027-01-31T11:00:05+01:00",
  updated_at: "2027-01-31T11:00:06+01:00",
  cancelled_at: null,
  financial_status: "paid",
  test: false,
  email: "",
  customer: { id: 7, email: "jo@example.com" },
  line_items: [
    { product_id: 82, variant_id: 448, sku: "VM6", quantity: 3, properties: [{ name: "months", value: 99 }] },
  ],
  note_attributes: [{ name: "subscription", value: "another's" }],
  ...more,
});
const contract = (more: Fields = {}) => ({
  id: 77,
  admin_graphql_api_id: "gid://shopify/SubscriptionContract/77",
  origin_order_id: 5001,
  customer_id: 7,
  status: "active",
  billing_policy: { interval: "month", interval_count: 1 },
  revision_id: "472348",
  updated_at: "2027-01-31T10:00:01.500Z",
  ...more,
});

describe("signatures", () => {
  const body = '{"id":5001,"note":"žluťoučký kůň"}';
  const [oldSecret, newSecret] = [plainSecretOf("old", "shpss_"), plainSecretOf("new", "shpss_")];
  const sdk = (apiSecretKey: string) =>
    shopifyApi({
      apiKey: "key",
      apiSecretKey,
      apiVersion: ApiVersion.July26,
      hostName: "example.com",
      isEmbeddedApp: false,
      logger: { log: async () => {} },
    });
  const verify = (headers: Record<string, string>, secrets = [newSecret], text = body) =>
    shopify.verify({ headers, body: Buffer.from(text) }, secrets, () => false);
  const events = ({ topic, webhookId, triggeredAt }: ReturnType<typeof of>, secret: string, text = body) => ({
    "shopify-topic": topic,
    "shopify-webhook-id": webhookId,
    "shopify-triggered-at": triggeredAt,
    "shopify-shop-domain": "example.myshopify.com",
    "shopify-api-version": "unstable",
    "shopify-hmac-sha256": shopifyHeaders(text, secret, of(topic))["x-shopify-hmac-sha256"],
  });

  test.each([
    ["webhooks", shopifyHeaders(body, newSecret, of("orders/paid"))],
    ["events, its newer kind", events(of("orders/paid"), newSecret)],
  ])("of %s are believed as Shopify's own package believes them", async (_, headers) => {
    const theirs = (secret: string, rawBody: string) =>
      sdk(secret).webhooks.validate({ rawBody, rawRequest: { headers, method: "POST", url: "/" } });
    expect(await theirs(newSecret, body)).toMatchObject({ valid: true });
    expect(verify(headers)).toBeUndefined();
    expect(await theirs(oldSecret, body)).toMatchObject({ valid: false });
    expect(verify(headers, [oldSecret])).toMatch(/matches not/);
    expect(await theirs(newSecret, `${body} `)).toMatchObject({ valid: false });
    expect(verify(headers, [newSecret], `${body} `)).toMatch(/matches not/);
  });

  test("by an old secret are believed for as long as it is listed", () => {
    const headers = shopifyHeaders(body, oldSecret, of("orders/paid"));
    expect(verify(headers, [newSecret, oldSecret])).toBeUndefined();
    expect(verify(headers, [newSecret])).toMatch(/matches not the secret/);
  });

  test("of the one kind are not taken from the other's header when both are there", () => {
    const both = { ...shopifyHeaders(body, newSecret, of("orders/paid")), "shopify-hmac-sha256": "AAAA" };
    expect(verify(both)).toMatch(/matches not/);
    expect(verify({})).toBe("needs the header X-Shopify-Hmac-Sha256");
  });

  test.each([
    [newSecret, undefined],
    ["shpss_synthetic", undefined],
    ["abc", /too short/],
    ["", /too short/],
  ])("takes %j for a secret or says why not", (secret, flaw) => {
    if (flaw) expect(shopify.secretProblem(secret)).toMatch(flaw);
    else expect(shopify.secretProblem(secret)).toBeUndefined();
  });
});

describe("an order", () => {
  test.each(["orders/paid", "orders/updated", "orders/create", "orders/cancelled"])("that is paid (%s)", (topic) => {
    expect(tell(topic, order())).toEqual({
      id: "b54557e4",
      type: topic,
      occurredAt: utc("2027-01-31T10:00:06"),
      test: false,
      kind: "facts",
      about: { reference: "5001" },
      events: [
        {
          id: "b54557e4",
          occurredAt: utc("2027-01-31T10:00:05"),
          customer: { id: "7", email: "jo@example.com" },
          type: "payment.succeeded",
          payment: "5001",
          covers: { intervals: 1 },
          trial: false,
          items: { asOf: utc("2027-01-31T10:00:05"), list: [{ names: ["448", "sku:VM6", "82"], quantity: 3 }] },
        },
      ],
    });
  });

  test("tells nothing that a customer can write", () => {
    expect(JSON.stringify(tell("orders/paid", order()))).not.toMatch(/another's|99/);
  });

  test.each([
    ["refunded whole", { financial_status: "refunded" }],
    ["voided", { financial_status: "voided" }],
    ["cancelled, though the money is kept", { cancelled_at: "2027-02-01T10:00:00Z" }],
  ])("%s is a payment taken back", (_, more) => {
    expect(factsOf("orders/updated", order(more))).toMatchObject({
      about: { reference: "5001" },
      events: [{ type: "payment.refunded", payment: "5001", reversed: false, occurredAt: utc("2027-01-31T10:00:06") }],
    });
  });

  test("refunded in part stays paid", () => {
    expect(factsOf("orders/updated", order({ financial_status: "partially_refunded" })).events).toMatchObject([
      { type: "payment.succeeded" },
    ]);
  });

  test.each([
    ["pending", "pending"],
    ["authorized", "authorized"],
    ["partially_paid", "partially_paid"],
    [null, "not paid"],
  ])("that is %s pays nothing yet", (financial_status, response) => {
    expect(tell("orders/create", order({ financial_status }))).toMatchObject({
      kind: "ignored",
      reason: `an order that is ${response}`,
    });
  });

  test.each([
    ["its own flag", order({ test: true }), {}],
    ["the header of a test notification", order(), { "x-shopify-test": "true" }],
  ])("is known for a test by %s", (_, body, headers) => {
    expect(tell("orders/paid", body, headers)).toMatchObject({ kind: "facts", test: true });
  });

  test.each([
    ["of a guest", { customer: null, email: "jo@example.com" }, { email: "jo@example.com" }],
    ["of nobody known", { customer: undefined, email: "" }, {}],
  ])("%s", (_, more, customer) => {
    expect(factsOf("orders/paid", order(more)).events[0]?.customer).toEqual(customer);
  });

  test("of a product that is gone, without variant and SKU", () => {
    const line_items = [{ product_id: null, variant_id: null, sku: "", quantity: 1 }];
    expect(factsOf("orders/paid", order({ line_items })).events[0]?.items?.list).toEqual([{ names: [], quantity: 1 }]);
  });
});

describe("a contract", () => {
  test("tells its interval, its first order and its standing", () => {
    const id = "00000000000000472348 b54557e4";
    const fact = { id, occurredAt: utc("2027-01-31T10:00:01.500"), customer: { id: "7" } };
    expect(tell("subscription_contracts/create", contract())).toEqual({
      id,
      type: "subscription_contracts/create",
      occurredAt: fact.occurredAt,
      test: false,
      kind: "facts",
      about: { subscription: "77" },
      links: [{ reference: "5001", to: { subscription: "77" } }],
      events: [
        { ...fact, type: "subscription.changed", interval: 1 },
        { ...fact, type: "subscription.resumed" },
        { ...fact, type: "subscription.cancel_withdrawn" },
      ],
    });
  });

  test.each([
    ["active", ["subscription.resumed", "subscription.cancel_withdrawn"]],
    ["ACTIVE", ["subscription.resumed", "subscription.cancel_withdrawn"]],
    ["paused", ["subscription.paused", "subscription.cancel_withdrawn"]],
    ["failed", ["payment.failed", "subscription.cancel_withdrawn"]],
    ["cancelled", ["subscription.cancel_scheduled"]],
    ["expired", ["subscription.cancel_scheduled"]],
  ])("that is %s", (status, types) => {
    const { events } = factsOf("subscription_contracts/update", contract({ status }));
    expect(events.map(({ type }) => type)).toEqual(["subscription.changed", ...types]);
    expect(events.at(-1)).not.toHaveProperty("endsAt");
  });

  test.each([
    [{ interval: "month", interval_count: 3 }, 3],
    [{ interval: "YEAR", interval_count: 1 }, 12],
    [{ interval: "week", interval_count: 4 }, undefined],
    [{ interval: "constructor", interval_count: 1 }, undefined],
    [undefined, undefined],
  ])("billed by %j has an interval of %s months", (billing_policy, interval) => {
    const [changed] = factsOf("subscription_contracts/update", contract({ billing_policy })).events;
    expect(changed?.interval).toBe(interval);
  });

  test("is known by the names that GraphQL gives, too", () => {
    const named = {
      admin_graphql_api_id: "gid://shopify/SubscriptionContract/77",
      admin_graphql_api_origin_order_id: "gid://shopify/Order/5001",
      admin_graphql_api_customer_id: "gid://shopify/Customer/7",
    };
    expect(tell("subscription_contracts/create", named)).toMatchObject({
      occurredAt: utc("2027-01-31T10:00:00.123"),
      about: { subscription: "77" },
      links: [{ reference: "5001" }],
      events: [{ customer: { id: "7" } }, {}],
    });
  });

  test("of a later revision counts when both are of one moment", () => {
    const [earlier, later] = ["99999", "100000"].map(
      (revision_id) => tell("x", contract({ revision_id }), headersOf("subscription_contracts/update"))?.id ?? "",
    );
    expect((earlier ?? "") < (later ?? "")).toBe(true);
  });
});

describe("a billing attempt", () => {
  const attempt = { id: 8, subscription_contract_id: 77, order_id: 5002, ready: true, idempotency_key: "k" };
  const named = {
    admin_graphql_api_subscription_contract_id: "gid://shopify/SubscriptionContract/77",
    admin_graphql_api_order_id: "gid://shopify/Order/5002",
  };

  test.each([
    ["by numbers", attempt],
    ["by names", named],
  ])("that succeeded links its order to its contract, told %s", (_, body) => {
    expect(tell("subscription_billing_attempts/success", body)).toMatchObject({
      kind: "facts",
      about: { reference: "5002" },
      events: [],
      links: [{ reference: "5002", to: { subscription: "77" } }],
    });
  });

  test("that failed is a failed payment", () => {
    expect(tell("subscription_billing_attempts/failure", { ...attempt, order_id: null })).toMatchObject({
      kind: "facts",
      about: { subscription: "77" },
      events: [{ type: "payment.failed", occurredAt: utc("2027-01-31T10:00:00.123") }],
    });
  });

  test.each([
    ["no contract", "success", { order_id: 5002 }, /^subscription_contract_id: missing/],
    ["no order", "success", { ...attempt, order_id: null }, /^order_id: missing/],
    ["no contract", "failure", {}, /^subscription_contract_id: missing/],
  ])("without %s is unclear", (_, event, body, reason) => {
    expect(tell(`subscription_billing_attempts/${event}`, body)).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });
});

describe("a dispute", () => {
  const dispute = { id: 602, order_id: 5001, type: "chargeback", status: "needs_response" };

  test.each([
    ["needs_response", false],
    ["under_review", false],
    ["charge_refunded", false],
    ["accepted", false],
    ["lost", false],
    ["won", true],
  ])("that is %s", (status, reversed) => {
    for (const topic of ["disputes/create", "disputes/update"]) {
      expect(tell(topic, { ...dispute, status })).toMatchObject({
        kind: "facts",
        about: { reference: "5001" },
        events: [{ type: "payment.refunded", payment: "5001", reversed }],
      });
    }
  });

  test.each([
    ["an inquiry", { type: "inquiry" }, "an inquiry: no money has been taken back"],
    ["of no order", { order_id: null }, "a dispute of no order"],
  ])("that is %s says nothing", (_, more, reason) => {
    expect(tell("disputes/create", { ...dispute, ...more })).toMatchObject({ kind: "ignored", reason });
  });
});

describe("what tells nothing or cannot be read", () => {
  test.each(["orders/delete", "refunds/create", "customers/redact", "subscription_billing_attempts/challenged", ""])(
    "%j changes no license",
    (topic) => {
      expect(tell(topic, {})).toMatchObject({ kind: "ignored", reason: expect.stringMatching(/changes no license$/) });
    },
  );

  test.each([
    ["orders/paid", {}, /^id: missing/],
    ["orders/paid", order({ created_at: "yesterday" }), /^created_at: .*ISO 8601/],
    ["orders/paid", order({ line_items: [{ quantity: -1 }] }), /^line_items\[0\]\.quantity: /],
    ["subscription_contracts/update", {}, /^id: missing/],
    ["subscription_contracts/update", [], /^\(top\)/],
  ])("%s %j is unclear, and says where", (topic, body, reason) => {
    expect(tell(topic, body)).toMatchObject({
      id: "b54557e4",
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });

  test("a webhook without a time is unclear", () => {
    const { "x-shopify-triggered-at": _, ...headers } = headersOf("orders/paid");
    expect(shopify.events(order(), headers)).toMatchObject([
      { kind: "unparseable", reason: expect.stringMatching(/X-Shopify-Triggered-At/) },
    ]);
  });
});

test("keeps the headers that it reads, so that a replay reads the same", () => {
  const headers = { ...headersOf("subscription_contracts/create"), "x-shopify-test": "true" };
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => shopify.headers?.includes(name)));
  expect(shopify.events(contract(), kept)).toEqual(shopify.events(contract(), headers));
  const newer = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace(/^x-/, ""), value]));
  const keptNewer = Object.fromEntries(Object.entries(newer).filter(([name]) => shopify.headers?.includes(name)));
  expect(shopify.events(contract(), keptNewer)).toMatchObject([{ kind: "facts", about: { subscription: "77" } }]);
});
