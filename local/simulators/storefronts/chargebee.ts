import { type Customer, type Shop, seconds, someWord } from "./shop.ts";
import { basic } from "./signing.ts";

const event = (event_type: string, customer: Customer, at: Date, content: object) => ({
  type: event_type,
  body: {
    id: `ev_${customer.subscription}_${event_type}_${seconds(at)}`,
    occurred_at: seconds(at),
    object: "event",
    api_version: "v2",
    event_type,
    content: { ...content, customer: { id: "cust_demo", email: customer.email, object: "customer" } },
  },
});

const subscriptionOf = ({ subscription, sold, quantity, months, from, to }: Customer, at: Date, more: object = {}) => ({
  id: subscription,
  customer_id: "cust_demo",
  status: "active",
  billing_period: months,
  billing_period_unit: "month",
  current_term_start: seconds(from),
  current_term_end: seconds(to),
  resource_version: at.getTime(),
  due_invoices_count: 0,
  deleted: false,
  object: "subscription",
  subscription_items: [{ item_price_id: sold, item_type: "plan", quantity, object: "subscription_item" }],
  ...more,
});

const invoiceId = ({ subscription, period }: Customer): string => `${subscription}-${period}`;

const invoiceOf = (customer: Customer, at: Date, more: object = {}) => ({
  id: invoiceId(customer),
  customer_id: "cust_demo",
  subscription_id: customer.subscription,
  status: "paid",
  date: seconds(customer.from < at ? customer.from : at),
  paid_at: seconds(at),
  total: 1900,
  amount_paid: 1900,
  resource_version: at.getTime(),
  object: "invoice",
  line_items: [
    {
      subscription_id: customer.subscription,
      entity_type: "plan_item_price",
      entity_id: customer.sold,
      amount: 1900,
      date_from: seconds(customer.from),
      date_to: seconds(customer.to),
    },
  ],
  issued_credit_notes: [],
  ...more,
});

const paid = (type: string) => (customer: Customer, at: Date) => [
  event(type, customer, at, { subscription: subscriptionOf(customer, at), invoice: invoiceOf(customer, at) }),
];
const changed = (type: string, more: (customer: Customer, at: Date) => object) => (customer: Customer, at: Date) => [
  event(type, customer, at, { subscription: subscriptionOf(customer, at, more(customer, at)) }),
];

export const chargebee: Shop = {
  newId: () => someWord("Az"),
  webhooks: {
    buy: paid("subscription_created"),
    renew: (customer, at) => [
      ...paid("subscription_renewed")(customer, at),
      ...paid("payment_succeeded")(customer, at),
    ],
    grow: changed("subscription_changed", () => ({})),
    fail: (customer, at) => [
      event("payment_failed", customer, at, {
        subscription: subscriptionOf(customer, at, { due_invoices_count: 1 }),
        invoice: invoiceOf(customer, at, { status: "payment_due", amount_paid: 0, paid_at: null }),
      }),
    ],
    cancel: changed("subscription_cancellation_scheduled", ({ to }) => ({
      status: "non_renewing",
      cancelled_at: seconds(to),
    })),
    end: changed("subscription_cancelled", (_, at) => ({ status: "cancelled", cancelled_at: seconds(at) })),
    refund: (customer, at) => [
      event("payment_refunded", customer, at, {
        invoice: invoiceOf(customer, at),
        credit_note: { id: `CN-${invoiceId(customer)}`, status: "refunded", total: 1900 },
      }),
    ],
  },
  // Chargebee does not sign webhooks. It sends the user and password of the webhook settings.
  sign: (_, secret) => ({ authorization: basic(secret) }),
};
