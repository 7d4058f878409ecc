import { type Customer, type Shop, seconds, someWord } from "./shop.ts";
import { signStandard } from "./signing.ts";

const event = (type: string, { subscription, email }: Customer, at: Date, data: object) => [
  {
    type,
    body: { type, timestamp: at.toISOString(), data: { subscription, customer: { id: "1001", email }, ...data } },
  },
];
const paymentOf = ({ subscription, period }: Customer): string => `${subscription}-${period}`;
const paid = (customer: Customer, at: Date) => {
  const { sold: plan, quantity, to: paidThrough } = customer;
  return event("payment.succeeded", customer, at, { payment: paymentOf(customer), plan, quantity, paidThrough });
};

export const standard: Shop = {
  newId: () => someWord("order_"),
  webhooks: {
    buy: paid,
    renew: paid,
    grow: (customer, at) =>
      event("subscription.changed", customer, at, { plan: customer.sold, quantity: customer.quantity }),
    fail: (customer, at) => event("payment.failed", customer, at, { payment: paymentOf(customer) }),
    cancel: (customer, at) => event("subscription.cancel_scheduled", customer, at, { endsAt: customer.to }),
    end: (customer, at) => event("subscription.cancelled", customer, at, {}),
    refund: (customer, at) => event("payment.refunded", customer, at, { payment: paymentOf(customer) }),
  },
  sign: ({ text, id }, secret, at) => signStandard(text, secret, seconds(at), id),
};
