import { checkReports, type Sent, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const contract = (day: number, type: string, of: Fields = {}): Sent => ({
  day,
  body: {
    type: `subscription.${type}`,
    data: {
      __typename: "SubscriptionContract",
      id: "gid://shopify/SubscriptionContract/77",
      status: "ACTIVE",
      createdAt: timeOn(0),
      updatedAt: timeOn(day),
      nextBillingDate: timeOn(31),
      billingPolicy: { interval: "MONTH", intervalCount: 1, anchors: [] },
      customer: { id: "gid://shopify/Customer/7", email: "jo@shop.example" },
      lines: {
        nodes: [{ sku: null, productId: null, variantId: "gid://shopify/ProductVariant/vm-month", quantity: 1 }],
      },
      originOrder: { id: "gid://shopify/Order/5001", name: "#1001" },
      ...of,
    },
  },
});
const attempt = (day: number, type: string, of: Fields): Sent => ({
  day,
  body: {
    type: `subscription.${type}`,
    data: { id: 201, contractId: 77, billingDate: timeOn(day), attemptTime: timeOn(day), ...of },
  },
});

checkReports("appstle", [
  {
    happens: "a customer skips an order, which moves the next billing date and pays nothing",
    source: "developers.subscription.appstle.com/webhooks; a public repository's recorded payloads",
    sends: [
      contract(0, "created"),
      contract(10, "next-order-date-changed", { nextBillingDate: timeOn(62) }),
      attempt(62, "billing-success", { status: "SUCCESS", orderId: 5002 }),
    ],
    licenses: [
      [30, "active"],
      [36, "suspended"],
      [70, "active"],
    ],
    buys: ["order 1", "order 1"],
  },
  {
    happens: "a billing attempt fails and is repeated with success the next day",
    source: "a public repository's recorded payloads: failure, skipped, and updated come together",
    sends: [
      contract(0, "created"),
      attempt(31, "billing-failure", { status: "FAILURE" }),
      attempt(31, "billing-skipped", { status: "FAILURE" }),
      attempt(32, "billing-success", { status: "SUCCESS", orderId: 5002 }),
      contract(32, "updated", { nextBillingDate: timeOn(62) }),
    ],
    licenses: [
      [30, "active"],
      [60, "active"],
    ],
    buys: ["order 1", "prolong 1"],
  },
]);
