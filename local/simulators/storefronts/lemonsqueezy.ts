import { type Customer, numberOf, type Shop, someNumber, type UnsignedWebhook } from "./shop.ts";
import { signLemonSqueezy } from "./signing.ts";

const event = (event_name: string, type: string, id: number, attributes: object): UnsignedWebhook => ({
  type: event_name,
  body: { meta: { event_name, test_mode: false }, data: { type, id: String(id), attributes } },
});

/** The catalog lists both variants and products: "variant:501". */
function soldIn({ sold }: Customer): { variant_id: number; product_id: number } {
  const [kind, number] = sold.split(":");
  return kind === "product"
    ? { variant_id: 1, product_id: Number(number) }
    : { variant_id: Number(number), product_id: 1 };
}

const subscriptionOf = (name: string, customer: Customer, at: Date, more: object = {}): UnsignedWebhook =>
  event(name, "subscriptions", Number(customer.subscription), {
    customer_id: 5005,
    order_id: numberOf({ ...customer, period: 1 }),
    ...soldIn(customer),
    user_email: customer.email,
    status: "active",
    trial_ends_at: null,
    first_subscription_item: { quantity: customer.quantity },
    renews_at: customer.to.toISOString(),
    ends_at: null,
    updated_at: at.toISOString(),
    ...more,
  });

const invoiceOf = (name: string, customer: Customer, at: Date, more: object = {}): UnsignedWebhook =>
  event(name, "subscription-invoices", numberOf(customer), {
    subscription_id: Number(customer.subscription),
    customer_id: 5005,
    user_email: customer.email,
    billing_reason: customer.period === 1 ? "initial" : "renewal",
    status: "paid",
    refunded: false,
    subtotal: 1900,
    total: 1900,
    created_at: at.toISOString(),
    updated_at: at.toISOString(),
    ...more,
  });

export const lemonsqueezy: Shop = {
  newId: someNumber,
  webhooks: {
    buy: (customer, at) => [
      invoiceOf("subscription_payment_success", customer, at),
      subscriptionOf("subscription_created", customer, at),
    ],
    renew: (customer, at) => [
      subscriptionOf("subscription_updated", customer, at),
      invoiceOf("subscription_payment_success", customer, at),
    ],
    grow: (customer, at) => [subscriptionOf("subscription_updated", customer, at)],
    fail: (customer, at) => [
      invoiceOf("subscription_payment_failed", customer, at, { status: "pending" }),
      subscriptionOf("subscription_updated", customer, at, { status: "past_due" }),
    ],
    cancel: (customer, at) => [
      subscriptionOf("subscription_cancelled", customer, at, {
        status: "cancelled",
        ends_at: customer.to.toISOString(),
      }),
    ],
    end: (customer, at) => [
      subscriptionOf("subscription_expired", customer, at, { status: "expired", ends_at: at.toISOString() }),
    ],
    refund: (customer, at) => [
      invoiceOf("subscription_payment_refunded", customer, at, { status: "refunded", refunded: true }),
    ],
  },
  sign: ({ text }, secret) => signLemonSqueezy(text, secret),
};
