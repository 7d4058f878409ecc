import { expect, test } from "vitest";
import { replayForSubscription } from "../../operator/actions/events.ts";
import { exportLines } from "../../operator/actions/export.ts";
import { preview } from "../../operator/actions/preview.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { catalogOf, dateOn, start, timeOn } from "../field/report.ts";
import { post } from "../support/local.ts";
import { headersOf } from "../support/signers.ts";
import { useConnection, useTestStack } from "../support/test-stack.ts";

const stack = useTestStack({
  catalog: catalogOf({ "vm-monthly": ["vm-month"], "vm-yearly": ["vm-year"] }),
  clock: start,
});
const deps = useConnection(stack);

const at = start.toISOString();
const order = {
  id: 5001,
  admin_graphql_api_id: "gid://shopify/Order/5001",
  created_at: at,
  updated_at: at,
  financial_status: "paid",
  customer: { id: 77, email: "jo@shop.example" },
  line_items: ["vm-month", "vm-year"].map((variant_id) => ({ variant_id, quantity: 1, current_quantity: 1 })),
};
const contract = (id: number, interval: string) => ({
  id,
  admin_graphql_api_id: `gid://shopify/SubscriptionContract/${id}`,
  billing_policy: { interval, interval_count: 1 },
  customer_id: 77,
  status: "active",
  origin_order_id: 5001,
});

const headers = (topic: string) => ({ "x-shopify-topic": topic, "x-shopify-triggered-at": at });

async function deliver(topic: string, body: object) {
  const text = JSON.stringify(body);
  const signed = headersOf("shopify", { headers: headers(topic) }, text, stack.clock.now());
  expect((await post(`${stack.url}/webhooks/shopify`, text, signed)).status).toBe(200);
  await stack.settle();
}

async function buyBoth() {
  await deliver("orders/paid", order);
  await deliver("subscription_contracts/create", contract(1, "month"));
  await deliver("subscription_contracts/create", contract(2, "year"));
}

const bought = () =>
  stack.sandbox?.ledger().flatMap((entry) => (entry.operation === "order" ? [`order ${entry.period}`] : []));
const subscription = async (id: string) => (await stack.table.load(`subscription#shopify/${id}`))?.subscription;

test("a subscription's shared order is replayed with the lines and the months of that subscription", async () => {
  await buyBoth();
  const before = await subscription("2");
  const [stored] = await stack.table
    .events("subscription#shopify/2")
    .then((events) => events.filter(({ received }) => received.type === "orders/paid"));
  expect(await replayForSubscription("shopify/2", stored?.received.id ?? "", deps)).toMatchObject({ as: "replayed" });
  await stack.settle();
  const after = await subscription("2");
  expect(after?.payments).toEqual(before?.payments);
  expect(after?.items).toEqual(before?.items);
  expect(bought()).toEqual(["order 1", "order 12"]);
});

test("a refund of a shared order is previewed for each of its subscriptions", async () => {
  await buyBoth();
  await stack.advanceTo(dateOn(1));
  const body = { ...order, financial_status: "refunded", updated_at: timeOn(1) };
  const webhook = { storefront: "shopify", body, headers: headers("orders/updated") };
  expect(await preview(webhook, toInstant(stack.clock.now()), deps)).toMatchObject([
    { subscription: "shopify/1", changes: [{ what: expect.stringContaining("suspend") }] },
    { subscription: "shopify/2", changes: [{ what: expect.stringContaining("suspend") }] },
  ]);
});

test("a new state of a shared order is previewed with the lines of each subscription", async () => {
  await deliver("subscription_contracts/create", contract(2, "year"));
  await deliver("subscription_contracts/create", contract(1, "month"));
  const webhook = { storefront: "shopify", body: order, headers: headers("orders/paid") };
  expect(await preview(webhook, toInstant(stack.clock.now()), deps)).toMatchObject([
    { subscription: "shopify/2", changes: [{ params: { period: "12" } }] },
    { subscription: "shopify/1", changes: [{ params: { period: "1" } }] },
  ]);
});

test("an order that belongs to its customer is previewed with the license that it buys", async () => {
  const { catalog } = deps;
  const byCustomer = { ...catalog, policy: { ...catalog.policy, shopifyOrders: "customer" as const } };
  const webhook = { storefront: "shopify", body: order, headers: headers("orders/paid") };
  const at = toInstant(stack.clock.now());
  expect(await preview(webhook, at, { table: deps.table, catalog: byCustomer })).toMatchObject([
    { subscription: "shopify/77-vm-month", changes: [{ params: { period: "1" } }] },
    { subscription: "shopify/77-vm-year", changes: [{ params: { period: "12" } }] },
  ]);
});

test("a shared order is exported with its subscriptions and the owners of its lines", async () => {
  await buyBoth();
  const lines = [];
  for await (const line of exportLines("a test", deps))
    if (line.is === "sharer" || line.is === "line") lines.push(line);
  const of = expect.stringMatching(/^shopify\/.*5001/);
  expect(lines).toHaveLength(4);
  expect(lines).toEqual(
    expect.arrayContaining([
      { is: "sharer", kind: "reference", of, to: "shopify/1", months: 1 },
      { is: "sharer", kind: "reference", of, to: "shopify/2", months: 12 },
      { is: "line", kind: "reference", of, line: "vm-month", to: "shopify/1" },
      { is: "line", kind: "reference", of, line: "vm-year", to: "shopify/2" },
    ]),
  );
});
