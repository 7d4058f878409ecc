import { randomUUID } from "node:crypto";
import { type Customer, type Shop, seconds } from "./shop.ts";
import { signStandard } from "./signing.ts";

const event = (type: string, at: Date, data: object) => ({
  type,
  body: { type, timestamp: at.toISOString(), api_version: "2026-10", data },
});

const subscriptionOf = ({ subscription, sold, quantity, from, to, email }: Customer, more: object = {}) => ({
  id: subscription,
  status: "active",
  recurring_interval: "month",
  current_period_start: from.toISOString(),
  current_period_end: to.toISOString(),
  cancel_at_period_end: false,
  ends_at: null,
  customer_id: "a7f8d7b2-3f5e-4b0e-8a43-7a7b3f0b2c02",
  product_id: sold,
  seats: quantity,
  units: null,
  customer: { email },
  ...more,
});

const orderOf = (customer: Customer, at: Date, more: object = {}) => ({
  id: `${customer.subscription}-${customer.period}`,
  created_at: at.toISOString(),
  status: "paid",
  billing_reason: customer.period === 1 ? "subscription_create" : "subscription_cycle",
  customer_id: "a7f8d7b2-3f5e-4b0e-8a43-7a7b3f0b2c02",
  customer: { email: customer.email },
  product_id: customer.sold,
  subscription_id: customer.subscription,
  subscription: subscriptionOf(customer),
  total_amount: 1900,
  items: [
    {
      amount: 1900,
      proration: false,
      start_timestamp: customer.from.toISOString(),
      end_timestamp: customer.to.toISOString(),
    },
  ],
  ...more,
});

export const polar: Shop = {
  newId: randomUUID,
  webhooks: {
    buy: (customer, at) => [
      event("order.paid", at, orderOf(customer, at)),
      event("subscription.active", at, subscriptionOf(customer)),
    ],
    renew: (customer, at) => [
      event("subscription.cycled", at, subscriptionOf(customer)),
      event("order.paid", at, orderOf(customer, at)),
    ],
    grow: (customer, at) => [event("subscription.updated", at, subscriptionOf(customer))],
    fail: (customer, at) => [event("subscription.past_due", at, subscriptionOf(customer, { status: "past_due" }))],
    cancel: (customer, at) => [
      event(
        "subscription.canceled",
        at,
        subscriptionOf(customer, { cancel_at_period_end: true, ends_at: customer.to.toISOString() }),
      ),
    ],
    end: (customer, at) => [
      event("subscription.revoked", at, subscriptionOf(customer, { status: "canceled", ended_at: at.toISOString() })),
    ],
    refund: (customer, at) => [event("order.refunded", at, orderOf(customer, at, { status: "refunded" }))],
  },
  sign: ({ text, id }, secret, at) => signStandard(text, secret, seconds(at), id),
};
