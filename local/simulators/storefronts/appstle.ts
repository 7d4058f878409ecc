import { type Customer, numberOf, type Shop, seconds, someNumber, type UnsignedWebhook } from "./shop.ts";
import { signSvix } from "./signing.ts";

const gid = (resource: string, id: string | number): string => `gid://shopify/${resource}/${id}`;

/** The catalog lists variants, SKUs, and products: "44872881439030", "sku:VM6". */
const soldIn = ({ sold }: Customer) =>
  sold.startsWith("sku:")
    ? { sku: sold.slice(4), variantId: null }
    : { sku: null, variantId: gid("ProductVariant", sold) };

const contractOf = (type: string, customer: Customer, at: Date, status = "ACTIVE"): UnsignedWebhook => ({
  type,
  body: {
    type,
    data: {
      id: gid("SubscriptionContract", customer.subscription),
      status,
      createdAt: customer.began.toISOString(),
      updatedAt: at.toISOString(),
      nextBillingDate: customer.to.toISOString(),
      billingPolicy: { interval: "MONTH", intervalCount: customer.months },
      customer: { id: gid("Customer", 7_000_000_001), email: customer.email },
      lines: { nodes: [{ ...soldIn(customer), productId: null, quantity: customer.quantity }] },
      originOrder: { id: gid("Order", numberOf({ ...customer, period: 1 })) },
    },
  },
});

const attemptOf = (type: string, customer: Customer, at: Date, more: object): UnsignedWebhook => ({
  type,
  body: {
    type,
    data: {
      id: numberOf(customer),
      contractId: Number(customer.subscription),
      billingDate: customer.from.toISOString(),
      attemptTime: at.toISOString(),
      ...more,
    },
  },
});

/** Appstle sends no refunds. */
export const appstle: Shop = {
  newId: someNumber,
  webhooks: {
    buy: (customer, at) => [contractOf("subscription.created", customer, at)],
    renew: (customer, at) => [
      attemptOf("subscription.billing-success", customer, at, { status: "SUCCESS", orderId: numberOf(customer) }),
      contractOf("subscription.updated", customer, at),
    ],
    grow: (customer, at) => [contractOf("subscription.updated", customer, at)],
    fail: (customer, at) => [attemptOf("subscription.billing-failure", customer, at, { status: "FAILURE" })],
    cancel: (customer, at) => [contractOf("subscription.cancelled", customer, at, "CANCELLED")],
  },
  sign: ({ text, id }, secret, at) => signSvix(text, secret, seconds(at), id),
};
