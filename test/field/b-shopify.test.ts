import { expect, test } from "vitest";
import { post, startTestStack } from "../support/local.ts";
import { headersOf } from "../support/signers.ts";
import { catalogOf, checkReports, dateOn, type Sent, start, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const sends = (day: number, topic: string, body: Fields): Sent => ({
  day,
  headers: { "x-shopify-topic": topic, "x-shopify-triggered-at": timeOn(day) },
  body,
});

const line = (variant_id: string, quantity = 1, of: Fields = {}) => ({
  id: 73,
  variant_id,
  product_id: 4000,
  sku: "",
  quantity,
  current_quantity: quantity,
  properties: [],
  ...of,
});
const order = (day: number, id: number, line_items: Fields[], of: Fields = {}): Sent =>
  sends(day, "orders/paid", {
    id,
    admin_graphql_api_id: `gid://shopify/Order/${id}`,
    source_name: "web",
    created_at: timeOn(day),
    updated_at: timeOn(day),
    cancelled_at: null,
    financial_status: "paid",
    test: false,
    email: "jo@shop.example",
    customer: { id: 77, email: "jo@shop.example" },
    note_attributes: [],
    line_items,
    refunds: [],
    ...of,
  });
const contract = (day: number, id: number, interval: string, of: Fields = {}): Sent =>
  sends(day, "subscription_contracts/update", {
    id,
    admin_graphql_api_id: `gid://shopify/SubscriptionContract/${id}`,
    billing_policy: { interval, interval_count: 1, min_cycles: null, max_cycles: null },
    customer_id: 77,
    status: "active",
    origin_order_id: 5001,
    revision_id: "9551359",
    ...of,
  });
const attempt = (day: number, contractId: number, order_id: number | null, error_code: string | null = null): Sent =>
  sends(day, `subscription_billing_attempts/${error_code ? "failure" : "success"}`, {
    id: 801,
    admin_graphql_api_id: "gid://shopify/SubscriptionBillingAttempt/801",
    order_id,
    subscription_contract_id: contractId,
    ready: true,
    error_code,
  });

const bought = [order(0, 5001, [line("vm-month")]), contract(0, 1, "month")];

checkReports("shopify", [
  {
    happens: "a contract is created, billed, and its next attempt fails",
    source: "Shopify/subscriptions-reference-app, app/types/webhooks.ts",
    sends: [
      ...bought,
      attempt(31, 1, 5002),
      order(31, 5002, [line("vm-month")]),
      attempt(62, 1, null, "insufficient_funds"),
    ],
    licenses: [
      [60, "active"],
      [66, "suspended"],
    ],
    buys: ["order 1", "prolong 1"],
  },
  {
    happens: "an attempt fails within a paid month, as for an upgrade",
    source: "shopify.dev: an app creates billing attempts whenever it wants; that an upgrade does so is assumed",
    sends: [...bought, attempt(5, 1, null, "insufficient_funds")],
    licenses: [[12, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "a recorded webhook is sent again with a later time, before the contract is paused",
    source: "shopify.dev: the signature covers the body alone",
    sends: [
      ...bought,
      {
        ...contract(1, 1, "month"),
        headers: {
          "x-shopify-topic": "subscription_contracts/update",
          "x-shopify-triggered-at": "2199-12-31T00:00:00Z",
        },
      },
      contract(2, 1, "month", { status: "paused", revision_id: "9551360" }),
    ],
    licenses: [
      [1.5, "active"],
      [3, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "a contract is paused and activated again, with one revision",
    source: "that a change of status makes no revision is assumed",
    sends: [...bought, contract(2, 1, "month", { status: "paused" }), contract(4, 1, "month", { status: "active" })],
    licenses: [
      [3, "suspended"],
      [5, "active"],
    ],
    buys: ["order 1"],
  },
]);

const twoPlans = [line("vm-month"), line("vm-year", 1, { id: 74 })];

checkReports("shopify", [
  {
    happens: "one paid order makes a monthly and a yearly contract",
    source: "shopify.dev: contracts of one checkout have one origin order",
    sends: [order(0, 5001, twoPlans), contract(0, 1, "month"), contract(0, 2, "year")],
    licenses: [
      [30, "active", "active"],
      [36, "suspended", "active"],
    ],
    buys: ["order 1", "order 12"],
  },
  {
    happens: "the contracts of one order come before it, the yearly one first",
    source: "shopify.dev: webhooks come in any order",
    sends: [contract(0, 2, "year"), contract(0, 1, "month"), order(0, 5001, twoPlans)],
    licenses: [[30, "active", "active"]],
    buys: ["order 12", "order 1"],
  },
  {
    happens: "one order of two contracts is refunded",
    source: "shopify.dev: contracts of one checkout have one origin order",
    sends: [
      order(0, 5001, twoPlans),
      contract(0, 1, "month"),
      contract(0, 2, "year"),
      order(1, 5001, twoPlans, { created_at: timeOn(0), financial_status: "refunded" }),
    ],
    licenses: [
      [0.5, "active", "active"],
      [2, "suspended", "suspended"],
    ],
    buys: ["order 1", "order 12"],
  },
  {
    happens: "no contract ever claims a paid order of a variant in the catalog",
    source: "github.com/Shopify/shopify-api-js, issue 156: another app owns the contract",
    sends: [order(0, 5001, [line("vm-month")])],
    licenses: [[2]],
    buys: [],
    attention: 1,
  },
  {
    happens: "a contract claims a paid order two hours late, when the order needs attention already",
    source: "shopify.dev: a failed delivery is repeated for four hours",
    sends: [order(0, 5001, [line("vm-month")]), contract(0.1, 1, "month")],
    licenses: [[0.08], [2, "active"]],
    buys: ["order 1"],
    attention: 1,
  },
  {
    happens: "an order of other goods is paid",
    source: "shopify.dev: orders/paid comes for every order of the shop",
    sends: [order(0, 5001, [line("shirt")])],
    licenses: [[2]],
    buys: [],
  },
]);

/** Orders are all that a shop receives whose contracts belong to another app. */
const byCustomer = catalogOf({ "vm-monthly": ["vm-month"], "vm-yearly": ["vm-year"] });
const ordersOnly = { ...byCustomer, policy: { ...byCustomer.policy, shopifyOrders: "customer" as const } };

checkReports(
  "shopify",
  [
    {
      happens: "another app owns the contract, and only its orders come: two months, and no third",
      source:
        "shopify.dev: contracts come only to the app that owns them; orders/paid is sent to every app with read_orders",
      sends: [order(0, 5001, [line("vm-month")]), order(31, 5002, [line("vm-month", 1, { selling_plan_id: 689 })])],
      licenses: [
        [60, "active"],
        [66, "suspended"],
      ],
      buys: ["order 1", "prolong 1"],
    },
    {
      happens: "another app's order contains a monthly and a yearly plan and a shirt, and is refunded",
      source: "shopify.dev: contracts of one checkout have one origin order",
      sends: [
        order(0, 5001, [...twoPlans, line("shirt", 1, { id: 75 })]),
        order(40, 5001, twoPlans, { created_at: timeOn(0), financial_status: "refunded" }),
      ],
      licenses: [
        [20, "active", "active"],
        [39, "suspended", "active"],
        [41, "suspended", "suspended"],
      ],
      buys: ["order 1", "order 12"],
    },
    {
      happens: "another app's order has no customer",
      source: "shopify.dev: customer is null for some orders of a point of sale",
      sends: [order(0, 5001, [line("vm-month")], { customer: null })],
      licenses: [[2]],
      buys: [],
      attention: 1,
    },
  ],
  ordersOnly,
);

const withNodes = () => {
  const catalog = catalogOf({ "vm-monthly": ["vm-month"] });
  const extra = { product: "vmmanager6", addons: { nodes: { perUnit: 1 } }, soldAs: { shopify: ["node"] } };
  return { ...catalog, extras: { node: extra } };
};

test("at shopify three of four nodes are removed from a paid order", { timeout: 60_000 }, async () => {
  const stack = await startTestStack({ catalog: withNodes(), clock: start });
  try {
    const removed = line("node", 3, { current_quantity: 0 });
    const edited = { financial_status: "partially_refunded", updated_at: timeOn(0.09) };
    const updated = order(0, 5001, [line("vm-month"), removed], edited);
    const deliver = async ({ day, body, headers = {} }: Sent) => {
      if (dateOn(day) > stack.clock.now()) await stack.advanceTo(dateOn(day));
      const text = JSON.stringify(body);
      const signed = headersOf("shopify", { headers }, text, stack.clock.now());
      expect((await post(`${stack.url}/webhooks/shopify`, text, signed)).status).toBe(200);
      await stack.settle();
    };
    await deliver(order(0, 5001, [line("vm-month"), line("node", 3)]));
    await deliver(contract(0, 1, "month"));
    expect(stack.sandbox?.licenses()).toMatchObject([{ addons: { 55165: 4 } }]);
    await deliver({ ...updated, day: 0.09 });
    expect(stack.sandbox?.licenses()).toMatchObject([{ addons: { 55165: 1 } }]);
  } finally {
    await stack.stop();
  }
});
