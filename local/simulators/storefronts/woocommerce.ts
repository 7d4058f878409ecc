import { type Customer, numberOf, type Shop, someNumber, type UnsignedWebhook } from "./shop.ts";
import { woocommerceHeaders } from "./signing.ts";

/** A time in the format of WordPress: UTC without a time zone. */
const gmt = (date: Date): string => date.toISOString().slice(0, 19);

/** The catalog lists variations, SKUs, and products: "636", "sku:vm6". */
const soldIn = ({ sold }: Customer) =>
  sold.startsWith("sku:")
    ? { sku: sold.slice(4), variation_id: 0, product_id: 1 }
    : { sku: "", variation_id: Number(sold), product_id: 1 };

const buyer = ({ email }: Customer) => ({ customer_id: 12, billing: { email } });
const firstOrder = (customer: Customer): number => numberOf({ ...customer, period: 1 });

const subscriptionOf = (type: string, customer: Customer, at: Date, more: object = {}): UnsignedWebhook => ({
  type,
  body: {
    id: Number(customer.subscription),
    parent_id: firstOrder(customer),
    status: "active",
    ...buyer(customer),
    date_created_gmt: gmt(customer.began),
    date_modified_gmt: gmt(at),
    line_items: [{ ...soldIn(customer), quantity: customer.quantity }],
    meta_data: [],
    billing_period: "month",
    billing_interval: String(customer.months),
    start_date_gmt: gmt(customer.began),
    trial_end_date_gmt: "",
    next_payment_date_gmt: gmt(customer.to),
    // The time of this period's order, which identifies the payment.
    last_payment_date_gmt: gmt(customer.from),
    cancelled_date_gmt: "",
    end_date_gmt: "",
    ...more,
  },
});

const updated = (customer: Customer, at: Date, more: object = {}): UnsignedWebhook[] => [
  subscriptionOf("subscription.updated", customer, at, more),
];

/** Of the period: the one that bought the subscription, or a renewal's. */
const orderOf = (customer: Customer, at: Date, status: string, paidAt: Date | null): UnsignedWebhook => ({
  type: "order.updated",
  body: {
    id: numberOf(customer),
    parent_id: 0,
    status,
    ...buyer(customer),
    date_created_gmt: gmt(customer.from),
    date_modified_gmt: gmt(at),
    date_paid_gmt: paidAt && gmt(paidAt),
    line_items: [],
    meta_data: customer.period === 1 ? [] : [{ key: "_subscription_renewal", value: customer.subscription }],
  },
});

const ended = (at: Date) => ({ next_payment_date_gmt: "", end_date_gmt: gmt(at) });

export const woocommerce: Shop = {
  newId: someNumber,
  webhooks: {
    buy: (customer, at) => [subscriptionOf("subscription.created", customer, at)],
    renew: (customer, at) => [orderOf(customer, at, "processing", at), ...updated(customer, at)],
    grow: updated,
    fail: (customer, at) => [
      orderOf(customer, at, "failed", null),
      ...updated(customer, at, {
        status: "on-hold",
        next_payment_date_gmt: gmt(customer.from < at ? customer.from : at),
      }),
    ],
    cancel: (customer, at) => updated(customer, at, { status: "pending-cancel", ...ended(customer.to) }),
    end: (customer, at) => updated(customer, at, { status: "cancelled", ...ended(at) }),
    refund: (customer, at) => [orderOf(customer, at, "refunded", customer.from)],
  },
  sign: ({ text, type }, secret) => woocommerceHeaders(text, secret, type),
};
