import { type Customer, type Shop, seconds, someWord } from "./shop.ts";
import { signPaddle } from "./signing.ts";

const event = (event_type: string, { subscription }: Customer, at: Date, data: object) => ({
  type: event_type,
  body: {
    event_id: `evt_${subscription}_${event_type}_${seconds(at)}`,
    event_type,
    occurred_at: at.toISOString(),
    notification_id: `ntf_${subscription}_${seconds(at)}`,
    data,
  },
});

const itemsOf = ({ sold, quantity, months }: Customer) => [
  { price: { id: sold, product_id: "pro_demo", billing_cycle: { interval: "month", frequency: months } }, quantity },
];
const periodOf = ({ from, to }: Customer) => ({ starts_at: from.toISOString(), ends_at: to.toISOString() });
const transactionId = ({ subscription, period }: Customer): string => `txn_${subscription}_${period}`;

const subscriptionOf = (customer: Customer, more: object = {}) => ({
  id: customer.subscription,
  status: "active",
  customer_id: "ctm_demo",
  items: itemsOf(customer),
  current_billing_period: periodOf(customer),
  scheduled_change: null,
  custom_data: null,
  ...more,
});

const transactionOf = (customer: Customer, at: Date, origin: string) => ({
  id: transactionId(customer),
  status: "completed",
  origin,
  customer_id: "ctm_demo",
  subscription_id: customer.subscription,
  billed_at: at.toISOString(),
  billing_period: periodOf(customer),
  items: itemsOf(customer),
  details: {
    line_items: [
      { price_id: customer.sold, quantity: customer.quantity, proration: null, totals: { subtotal: "1900" } },
    ],
  },
});

const updated = (customer: Customer, at: Date, more: object = {}) =>
  event("subscription.updated", customer, at, subscriptionOf(customer, more));

export const paddle: Shop = {
  newId: () => someWord("sub_"),
  webhooks: {
    buy: (customer, at) => [
      event("transaction.completed", customer, at, transactionOf(customer, at, "web")),
      event(
        "subscription.created",
        customer,
        at,
        subscriptionOf(customer, { transaction_id: transactionId(customer) }),
      ),
    ],
    renew: (customer, at) => [
      updated(customer, at),
      event("transaction.completed", customer, at, transactionOf(customer, at, "subscription_recurring")),
    ],
    grow: (customer, at) => [updated(customer, at)],
    fail: (customer, at) => [
      event("transaction.payment_failed", customer, at, transactionOf(customer, at, "subscription_recurring")),
      event("subscription.past_due", customer, at, subscriptionOf(customer, { status: "past_due" })),
    ],
    cancel: (customer, at) => [
      updated(customer, at, { scheduled_change: { action: "cancel", effective_at: customer.to.toISOString() } }),
    ],
    end: (customer, at) => [
      event(
        "subscription.canceled",
        customer,
        at,
        subscriptionOf(customer, { status: "canceled", current_billing_period: null }),
      ),
    ],
    refund: (customer, at) => [
      event("adjustment.created", customer, at, {
        id: `adj_${customer.subscription}_${customer.period}`,
        action: "refund",
        type: "full",
        status: "approved",
        transaction_id: transactionId(customer),
        subscription_id: customer.subscription,
        customer_id: "ctm_demo",
        items: [{ type: "full" }],
      }),
    ],
  },
  sign: ({ text }, secret, at) => ({ "paddle-signature": signPaddle(text, secret, seconds(at)) }),
};
