import { type Customer, numberOf, type Shop, seconds, someNumber, type UnsignedWebhook } from "./shop.ts";
import { shopifyHeaders } from "./signing.ts";

/** The catalog lists variants, SKUs, and products: "44872881439030", "sku:VM6". */
const soldIn = ({ sold }: Customer) =>
  sold.startsWith("sku:") ? { sku: sold.slice(4), variant_id: null } : { sku: null, variant_id: Number(sold) };

const orderOf = (type: string, customer: Customer, at: Date, more: object = {}): UnsignedWebhook => ({
  type,
  body: {
    id: numberOf(customer),
    created_at: at.toISOString(),
    updated_at: at.toISOString(),
    cancelled_at: null,
    financial_status: "paid",
    test: false,
    email: customer.email,
    customer: { id: 7_000_000_001, email: customer.email },
    line_items: [{ ...soldIn(customer), product_id: null, quantity: customer.quantity }],
    ...more,
  },
});

const contractOf = (type: string, customer: Customer, at: Date, status: string): UnsignedWebhook => ({
  type,
  body: {
    id: Number(customer.subscription),
    billing_policy: { interval: "month", interval_count: customer.months },
    customer_id: 7_000_000_001,
    status,
    origin_order_id: numberOf({ ...customer, period: 1 }),
    revision_id: String(seconds(at)),
  },
});

const attemptOf = (type: string, customer: Customer, order_id: number | null): UnsignedWebhook => ({
  type,
  body: {
    id: numberOf(customer),
    order_id,
    subscription_contract_id: Number(customer.subscription),
    ready: true,
    error_code: order_id === null ? "insufficient_funds" : null,
  },
});

/** A contract contains neither a quantity nor an end. The quantity of the next order counts. */
export const shopify: Shop = {
  newId: someNumber,
  webhooks: {
    buy: (customer, at) => [
      orderOf("orders/paid", customer, at),
      contractOf("subscription_contracts/create", customer, at, "active"),
    ],
    renew: (customer, at) => [
      attemptOf("subscription_billing_attempts/success", customer, numberOf(customer)),
      orderOf("orders/paid", customer, at),
    ],
    fail: (customer) => [attemptOf("subscription_billing_attempts/failure", customer, null)],
    cancel: (customer, at) => [contractOf("subscription_contracts/cancel", customer, at, "cancelled")],
    refund: (customer, at) => [orderOf("orders/updated", customer, at, { financial_status: "refunded" })],
  },
  sign: ({ text, id, type }, secret, at) =>
    shopifyHeaders(text, secret, { topic: type, webhookId: id, triggeredAt: at.toISOString() }),
};
