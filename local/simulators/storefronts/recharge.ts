import { type Customer, numberOf, type Shop, seconds, someNumber, type UnsignedWebhook } from "./shop.ts";
import { signRecharge } from "./signing.ts";

/** The catalog lists variants, SKUs, and products: "44872881439030", "sku:VM6". */
const soldIn = ({ sold }: Customer) =>
  sold.startsWith("sku:")
    ? { sku: sold.slice(4), external_variant_id: { ecommerce: null } }
    : { sku: null, external_variant_id: { ecommerce: sold } };

/** "2027-01-31T10:00:00+00:00" */
const time = (date: Date): string => `${date.toISOString().slice(0, 19)}+00:00`;

const subscriptionOf = (type: string, customer: Customer, at: Date, status = "active"): UnsignedWebhook => ({
  type,
  body: {
    subscription: {
      id: Number(customer.subscription),
      customer_id: 64_962_974,
      status,
      ...soldIn(customer),
      quantity: customer.quantity,
      order_interval_unit: "month",
      order_interval_frequency: customer.months,
      charge_interval_frequency: customer.months,
      next_charge_scheduled_at: customer.to.toISOString().slice(0, 10),
      created_at: time(customer.began),
      updated_at: time(at),
    },
  },
});

const chargeOf = (type: string, customer: Customer, at: Date, status: string): UnsignedWebhook => ({
  type,
  body: {
    charge: {
      id: numberOf(customer),
      status,
      type: customer.period === 1 ? "checkout" : "recurring",
      customer: { id: 64_962_974, email: customer.email },
      line_items: [
        { purchase_item_type: "subscription", purchase_item_id: Number(customer.subscription), quantity: 1 },
      ],
      scheduled_at: customer.from.toISOString().slice(0, 10),
      processed_at: status === "error" ? null : time(at),
      updated_at: time(at),
    },
  },
});

export const recharge: Shop = {
  newId: someNumber,
  webhooks: {
    buy: (customer, at) => [
      subscriptionOf("subscription/created", customer, at),
      chargeOf("charge/paid", customer, at, "success"),
    ],
    renew: (customer, at) => [
      chargeOf("charge/paid", customer, at, "success"),
      subscriptionOf("subscription/updated", customer, at),
    ],
    grow: (customer, at) => [subscriptionOf("subscription/updated", customer, at)],
    fail: (customer, at) => [chargeOf("charge/failed", customer, at, "error")],
    cancel: (customer, at) => [subscriptionOf("subscription/cancelled", customer, at, "cancelled")],
    refund: (customer, at) => [chargeOf("charge/refunded", customer, at, "refunded")],
  },
  sign: ({ text }, secret, at) => signRecharge(text, secret, seconds(at)),
};
