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
const read = (topic: string, body: unknown, more: Record<string, string> = {}) =>
  shopify.events(body, { ...headersOf(topic), ...more })[0];
const factsOf = (topic: string, body: unknown) => {
  const parsed = read(topic, body);
  return parsed?.kind === "facts" ? parsed : expect.fail(JSON.stringify(parsed));
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
  ])("of %s are accepted as Shopify's own package accepts them", async (_, headers) => {
    const theirs = (secret: string, rawBody: string) =>
      sdk(secret).webhooks.validate({ rawBody, rawRequest: { headers, method: "POST", url: "/" } });
    expect(await theirs(newSecret, body)).toMatchObject({ valid: true });
    expect(verify(headers)).toBeUndefined();
    expect(await theirs(oldSecret, body)).toMatchObject({ valid: false });
    expect(verify(headers, [oldSecret])).toMatch(/matches not/);
    expect(await theirs(newSecret, `${body} `)).toMatchObject({ valid: false });
    expect(verify(headers, [newSecret], `${body} `)).toMatch(/matches not/);
  });

  test("by an old secret are accepted as long as it is listed", () => {
    const headers = shopifyHeaders(body, oldSecret, of("orders/paid"));
    expect(verify(headers, [newSecret, oldSecret])).toBeUndefined();
    expect(verify(headers, [newSecret])).toMatch(/matches not the secret/);
  });

  test("of one kind are not read from the other's header if both are present", () => {
    const both = { ...shopifyHeaders(body, newSecret, of("orders/paid")), "shopify-hmac-sha256": "AAAA" };
    expect(verify(both)).toMatch(/matches not/);
    expect(verify({})).toBe("needs the header X-Shopify-Hmac-Sha256");
  });

  test.each([
    [newSecret, undefined],
    ["shpss_synthetic", undefined],
    ["abc", /too short/],
    ["", /too short/],
  ])("accept %j as a secret, or refuse it with a reason", (secret, flaw) => {
    if (flaw) expect(shopify.secretProblem(secret)).toMatch(flaw);
    else expect(shopify.secretProblem(secret)).toBeUndefined();
  });
});

describe("an order", () => {
  test.each(["orders/paid", "orders/updated", "orders/create", "orders/cancelled"])("that is paid (%s)", (topic) => {
    const id = expect.stringMatching(/^2027-01-31T10:00:06.000Z 5001 [0-9a-f]{16}$/);
    const customer = { id: "7", email: "jo@example.com" };
    expect(read(topic, order())).toEqual({
      id,
      type: topic,
      occurredAt: utc("2027-01-31T10:00:06"),
      test: false,
      kind: "facts",
      about: { reference: "5001" },
      events: [
        {
          id,
          occurredAt: utc("2027-01-31T10:00:05"),
          customer,
          type: "payment.succeeded",
          payment: "5001",
          covers: { intervals: 1 },
          trial: false,
          items: { asOf: utc("2027-01-31T10:00:05"), list: [{ names: ["448", "sku:VM6", "82"], quantity: 3 }] },
        },
        {
          id,
          occurredAt: utc("2027-01-31T10:00:06"),
          customer,
          type: "payment.refunded",
          payment: "5001",
          reversed: true,
        },
      ],
    });
  });

  test("counts the remaining quantity of a line after edits and refunds, and later states win", () => {
    const line = { product_id: 82, variant_id: 448, sku: null, quantity: 3, current_quantity: 1 };
    const removed = { product_id: 82, variant_id: 449, sku: null, quantity: 3, current_quantity: 0 };
    const edited = factsOf(
      "orders/updated",
      order({
        line_items: [line, removed],
        financial_status: "partially_refunded",
        updated_at: "2027-01-31T12:00:00+01:00",
      }),
    );
    expect(edited.events[0]?.items).toEqual({
      asOf: utc("2027-01-31T10:00:05"),
      list: [
        { names: ["448", "82"], quantity: 1 },
        { names: ["449", "82"], quantity: 0 },
      ],
    });
    expect(factsOf("orders/paid", order()).id < edited.id).toBe(true);
  });

  test("whose every line was removed is a refund", () => {
    const line_items = [{ product_id: 82, variant_id: 448, sku: "VM6", quantity: 3, current_quantity: 0 }];
    expect(factsOf("orders/updated", order({ line_items })).events).toMatchObject([
      { type: "payment.refunded", payment: "5001", reversed: false },
    ]);
  });

  test.each([
    [987, ["448@987", "448", "sku:VM6", "82"]],
    [null, ["448", "sku:VM6", "82"]],
  ])("names a line with the selling plan %j by %j", (selling_plan_id, names) => {
    const line_items = [{ product_id: 82, variant_id: 448, sku: "VM6", quantity: 1, selling_plan_id }];
    expect(factsOf("orders/paid", order({ line_items })).events[0]?.items?.list).toEqual([{ names, quantity: 1 }]);
  });

  test("contains nothing that a customer can write", () => {
    expect(JSON.stringify(read("orders/paid", order()))).not.toMatch(/another's|99/);
  });

  test.each([
    ["refunded in full", { financial_status: "refunded" }, "payment.refunded"],
    ["voided", { financial_status: "voided" }, "payment.voided"],
    ["cancelled, though the money is kept", { cancelled_at: "2027-02-01T10:00:00Z" }, "payment.voided"],
  ])("%s does not count", (_, more, type) => {
    expect(factsOf("orders/updated", order(more))).toMatchObject({
      about: { reference: "5001" },
      events: [{ type, payment: "5001", reversed: false, occurredAt: utc("2027-01-31T10:00:06") }],
    });
  });

  test("refunded in part stays paid", () => {
    expect(factsOf("orders/updated", order({ financial_status: "partially_refunded" })).events).toMatchObject([
      { type: "payment.succeeded" },
      { type: "payment.refunded", reversed: true },
    ]);
  });

  test.each([
    ["pending", "pending"],
    ["authorized", "authorized"],
    ["partially_paid", "partially_paid"],
    [null, "not paid"],
  ])("that is %s pays nothing yet", (financial_status, response) => {
    expect(read("orders/create", order({ financial_status }))).toMatchObject({
      kind: "ignored",
      reason: `an order that is ${response}`,
      about: { reference: "5001" },
    });
  });

  test.each([
    ["its own flag", order({ test: true }), {}],
    ["the header of a test notification", order(), { "x-shopify-test": "true" }],
  ])("is a test by %s", (_, body, headers) => {
    expect(read("orders/paid", body, headers)).toMatchObject({ kind: "facts", test: true });
  });

  test.each([
    ["of a guest", { customer: null, email: "jo@example.com" }, { email: "jo@example.com" }],
    ["without a customer", { customer: undefined, email: "" }, {}],
  ])("%s", (_, more, customer) => {
    expect(factsOf("orders/paid", order(more)).events[0]?.customer).toEqual(customer);
  });

  test("names a line without variant, SKU, and product as such", () => {
    const line_items = [{ product_id: null, variant_id: null, sku: "", quantity: 1 }];
    expect(factsOf("orders/paid", order({ line_items })).events[0]?.items?.list).toEqual([
      { names: ["a line without variant, SKU, and product"], quantity: 1 },
    ]);
  });
});

describe("a contract", () => {
  test("contains its interval, its first order, and its status", () => {
    const id = expect.stringMatching(/^00000000000000472348 2027-01-31T10:00:01.500Z [0-9a-f]{16}$/);
    const fact = { id, occurredAt: utc("2027-01-31T10:00:01.500"), customer: { id: "7" } };
    expect(read("subscription_contracts/create", contract())).toEqual({
      id,
      type: "subscription_contracts/create",
      occurredAt: fact.occurredAt,
      test: false,
      kind: "facts",
      about: { subscription: "77" },
      links: [{ reference: "5001", to: { subscription: "77" }, shared: true, months: 1 }],
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
    ["failed", ["subscription.cancel_withdrawn"]],
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
  ])("billed by %j has an interval of %s months, as does the link to its first order", (billing_policy, interval) => {
    const { events, links } = factsOf("subscription_contracts/update", contract({ billing_policy }));
    expect(events[0]?.interval).toBe(interval);
    expect(links?.[0]?.months).toBe(interval);
  });

  test("is known by GraphQL names as well", () => {
    const named = {
      admin_graphql_api_id: "gid://shopify/SubscriptionContract/77",
      admin_graphql_api_origin_order_id: "gid://shopify/Order/5001",
      admin_graphql_api_customer_id: "gid://shopify/Customer/7",
    };
    expect(read("subscription_contracts/create", named)).toMatchObject({
      occurredAt: utc("2027-01-31T10:00:00.123"),
      about: { subscription: "77" },
      links: [{ reference: "5001" }],
      events: [{ customer: { id: "7" } }, {}],
    });
  });

  test("that is activated again within one revision is a new event, although the body is the same", () => {
    const body = contract({ updated_at: undefined });
    const at = (triggeredAt: string) => ({ "x-shopify-triggered-at": triggeredAt });
    const [first, again] = ["2027-01-31T10:00:00Z", "2027-01-31T10:02:00Z"].map(
      (time) => read("subscription_contracts/activate", body, at(time))?.id,
    );
    expect(first).not.toBe(again);
    expect(read("subscription_contracts/activate", body, at("2027-01-31T10:00:00Z"))?.id).toBe(first);
  });

  test("of a later revision counts when both are of one moment", () => {
    const [earlier, later] = ["99999", "100000"].map(
      (revision_id) => read("x", contract({ revision_id }), headersOf("subscription_contracts/update"))?.id ?? "",
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
  ])("that succeeded links its order to its contract, %s", (_, body) => {
    expect(read("subscription_billing_attempts/success", body)).toMatchObject({
      kind: "facts",
      about: { reference: "5002" },
      events: [],
      links: [{ reference: "5002", to: { subscription: "77" } }],
    });
  });

  test.each([
    ["failure", null, "no error code"],
    ["failure", "insufficient_funds", "insufficient_funds"],
    ["success", "insufficient_funds", "insufficient_funds"],
  ])("that failed (%s, %j) is ignored, and listed with its contract", (event, error_code, shown) => {
    expect(read(`subscription_billing_attempts/${event}`, { ...attempt, error_code })).toMatchObject({
      kind: "ignored",
      reason: `a billing attempt failed (${shown}): nothing more is paid`,
      about: { subscription: "77" },
    });
  });

  test("that has no order yet is ignored, and listed with its contract", () => {
    expect(read("subscription_billing_attempts/success", { ...attempt, order_id: null, ready: false })).toMatchObject({
      kind: "ignored",
      reason: "a billing attempt without an order yet",
      about: { subscription: "77" },
    });
  });

  test.each([
    ["no contract", "success", { order_id: 5002 }, /^subscription_contract_id: missing/],
    ["no contract", "failure", {}, /^subscription_contract_id: missing/],
  ])("with %s is unparseable", (_, event, body, reason) => {
    expect(read(`subscription_billing_attempts/${event}`, body)).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });
});

describe("a dispute", () => {
  const dispute = {
    id: 602,
    order_id: 5001,
    type: "chargeback",
    status: "needs_response",
    initiated_at: "2027-02-01T09:00:00+01:00",
    finalized_on: "2027-03-01T09:00:00+01:00",
  };

  test.each([
    ["needs_response", false],
    ["under_review", false],
    ["charge_refunded", false],
    ["accepted", false],
    ["lost", false],
    ["won", true],
  ])("that is %s", (status, reversed) => {
    for (const topic of ["disputes/create", "disputes/update"]) {
      expect(read(topic, { ...dispute, status })).toMatchObject({
        kind: "facts",
        about: { reference: "5001" },
        events: [
          {
            type: "payment.disputed",
            payment: "5001",
            reversed,
            occurredAt: utc(reversed ? "2027-03-01T08:00" : "2027-02-01T08:00"),
          },
        ],
      });
    }
  });

  test("without times takes the header's, and is unparseable without that", () => {
    const { initiated_at: _, ...undated } = dispute;
    expect(factsOf("disputes/create", undated).events[0]?.occurredAt).toBe(utc("2027-01-31T10:00:00.123"));
    expect(shopify.events(undated, { "x-shopify-topic": "disputes/create" })).toMatchObject([
      { kind: "unparseable", reason: "initiated_at, finalized_on: missing", about: { reference: "5001" } },
    ]);
  });

  test.each([
    ["an inquiry", { type: "inquiry" }, "an inquiry: no money was taken"],
    ["of no order", { order_id: null }, "a dispute of no order"],
  ])("that is %s is ignored", (_, more, reason) => {
    expect(read("disputes/create", { ...dispute, ...more })).toMatchObject({ kind: "ignored", reason });
  });
});

describe("other events", () => {
  test.each(["orders/delete", "refunds/create", "customers/redact", "subscription_billing_attempts/challenged", ""])(
    "%j changes no license",
    (topic) => {
      expect(read(topic, {})).toMatchObject({ kind: "ignored", reason: expect.stringMatching(/changes no license$/) });
    },
  );

  test.each([
    ["orders/paid", {}, /^id: missing/],
    ["orders/paid", order({ created_at: "yesterday" }), /^created_at: .*ISO 8601/],
    ["orders/paid", order({ line_items: [{ quantity: -1 }] }), /^line_items\[0\]\.quantity: /],
    ["subscription_contracts/update", {}, /^id: missing/],
    ["subscription_contracts/update", [], /^\(top\)/],
  ])("%s %j is unparseable, with its path", (topic, body, reason) => {
    expect(read(topic, body)).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });

  test("a contract without any time is unparseable, and an order needs no header", () => {
    const { "x-shopify-triggered-at": _, ...headers } = headersOf("subscription_contracts/update");
    expect(shopify.events(contract({ updated_at: undefined }), headers)).toMatchObject([
      { kind: "unparseable", reason: expect.stringMatching(/X-Shopify-Triggered-At/), about: { subscription: "77" } },
    ]);
    expect(shopify.events(order(), { "x-shopify-topic": "orders/paid" })).toMatchObject([{ kind: "facts" }]);
  });
});

describe("unsigned headers", () => {
  test("do not date an order, nor name its event", () => {
    const relabeled = { ...headersOf("orders/updated"), "x-shopify-triggered-at": "2199-12-31T00:00:00Z" };
    const [again] = shopify.events(order(), { ...relabeled, "x-shopify-webhook-id": "another" });
    const { type: _, ...parsed } = factsOf("orders/paid", order());
    expect(again).toMatchObject(parsed);
  });

  test("do not make one resource of another", () => {
    const named = order({ admin_graphql_api_id: "gid://shopify/Order/5001" });
    expect(read("subscription_contracts/update", named)).toMatchObject({ about: { reference: "5001" } });
    const body = contract({ status: "paused" });
    expect(read("orders/paid", body)).toMatchObject({ about: { subscription: "77" } });
    expect(read("refunds/create", body)).toMatchObject({ kind: "ignored" });
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
