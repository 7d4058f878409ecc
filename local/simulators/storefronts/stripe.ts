import Stripe from "stripe";
import { type Customer, type Shop, seconds, someWord } from "./shop.ts";

/** Events in the shape of API version 2025-03-31.basil and later. */
const event = (type: string, { subscription }: Customer, at: Date, object: object) => {
  const created = seconds(at);
  const id = `evt_${subscription}_${type}_${created}`;
  return { type, body: { id, object: "event", type, created, livemode: false, data: { object } } };
};

const subscriptionOf = ({ subscription, sold, quantity, to }: Customer, more: object = {}) => ({
  id: subscription,
  object: "subscription",
  customer: "cus_demo",
  status: "active",
  cancel_at_period_end: false,
  items: {
    data: [{ price: { id: sold, product: "prod_demo" }, quantity, current_period_end: seconds(to) }],
    has_more: false,
  },
  ...more,
});

const invoiceId = ({ subscription, period }: Customer): string => `in_${subscription}_${period}`;
const intentOf = ({ subscription, period }: Customer): string => `pi_${subscription}_${period}`;

function invoiceOf(customer: Customer, at: Date, billing_reason: string) {
  const { subscription, sold, quantity, from, to, email } = customer;
  const line = {
    amount: 1900,
    quantity,
    period: { start: seconds(from), end: seconds(to) },
    parent: { subscription_item_details: { proration: false, subscription } },
    pricing: { price_details: { price: sold, product: "prod_demo" } },
  };
  return {
    id: invoiceId(customer),
    object: "invoice",
    created: seconds(at),
    billing_reason,
    customer: "cus_demo",
    customer_email: email,
    total: 1900,
    parent: { subscription_details: { subscription } },
    lines: { has_more: false, data: [line] },
  };
}

const paidBy = (customer: Customer, at: Date) =>
  event("invoice_payment.paid", customer, at, {
    id: `inpay_${customer.subscription}_${customer.period}`,
    object: "invoice_payment",
    invoice: invoiceId(customer),
    payment: { type: "payment_intent", payment_intent: intentOf(customer) },
    status: "paid",
  });

const updated = (customer: Customer, at: Date, more: object = {}) =>
  event("customer.subscription.updated", customer, at, subscriptionOf(customer, more));

export const stripe: Shop = {
  newId: () => someWord("sub_"),
  webhooks: {
    buy: (customer, at) => [
      event("customer.subscription.created", customer, at, subscriptionOf(customer)),
      event("invoice.paid", customer, at, invoiceOf(customer, at, "subscription_create")),
      paidBy(customer, at),
    ],
    renew: (customer, at) => [
      event("invoice.paid", customer, at, invoiceOf(customer, at, "subscription_cycle")),
      updated(customer, at),
      paidBy(customer, at),
    ],
    grow: (customer, at) => [updated(customer, at)],
    fail: (customer, at) => [
      event("invoice.payment_failed", customer, at, invoiceOf(customer, at, "subscription_cycle")),
      updated(customer, at, { status: "past_due" }),
    ],
    cancel: (customer, at) => [updated(customer, at, { cancel_at_period_end: true })],
    end: (customer, at) => [
      event("customer.subscription.deleted", customer, at, subscriptionOf(customer, { status: "canceled" })),
    ],
    refund: (customer, at) => [
      event("charge.refunded", customer, at, {
        id: `ch_${customer.subscription}_${customer.period}`,
        object: "charge",
        payment_intent: intentOf(customer),
        refunded: true,
      }),
    ],
  },
  sign: ({ text: payload }, secret, at) => ({
    "stripe-signature": Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: seconds(at) }),
  }),
};
