import { type Customer, type Shop, seconds, someWord } from "./shop.ts";
import { signFastspring } from "./signing.ts";

/** FastSpring sends events in batches. */
const batch = (customer: Customer, at: Date, ...events: [string, object][]) => [
  {
    type: events.map(([type]) => type).join(", "),
    body: {
      events: events.map(([type, data]) => ({
        id: `${customer.subscription}_${type}_${seconds(at)}`,
        processed: false,
        created: at.getTime(),
        type,
        live: true,
        data,
      })),
    },
  },
];

const subscriptionOf = ({ subscription, sold, quantity, from, to, email }: Customer, more: object = {}) => ({
  id: subscription,
  state: "active",
  account: { id: "account_demo", contact: { email } },
  product: { product: sold },
  sku: null,
  quantity,
  begin: from.getTime(),
  next: to.getTime(),
  deactivationDate: null,
  ...more,
});

const orderOf = (customer: Customer) => ({
  id: `${customer.subscription}_${customer.period}`,
  total: 20,
  items: [{ product: customer.sold, quantity: customer.quantity, subscription: customer.subscription }],
});

export const fastspring: Shop = {
  newId: () => someWord("Qk"),
  webhooks: {
    buy: (customer, at) =>
      batch(customer, at, ["order.completed", orderOf(customer)], ["subscription.activated", subscriptionOf(customer)]),
    renew: (customer, at) =>
      batch(
        customer,
        at,
        ["subscription.charge.completed", { order: orderOf(customer), subscription: subscriptionOf(customer) }],
        ["subscription.updated", subscriptionOf(customer)],
      ),
    grow: (customer, at) => batch(customer, at, ["subscription.updated", subscriptionOf(customer)]),
    fail: (customer, at) =>
      batch(customer, at, [
        "subscription.charge.failed",
        { reason: "EXPIRED_CARD", subscription: subscriptionOf(customer, { state: "overdue" }) },
      ]),
    cancel: (customer, at) =>
      batch(customer, at, [
        "subscription.canceled",
        subscriptionOf(customer, { state: "canceled", deactivationDate: customer.to.getTime() }),
      ]),
    end: (customer, at) =>
      batch(customer, at, [
        "subscription.deactivated",
        subscriptionOf(customer, { state: "deactivated", next: null, deactivationDate: at.getTime() }),
      ]),
    refund: (customer, at) =>
      batch(customer, at, ["return.created", { completed: true, totalReturn: 20, original: orderOf(customer) }]),
  },
  sign: ({ text }, secret) => signFastspring(text, secret),
};
