import { Stripe } from "stripe";
import { utc } from "./events.ts";

export const unix = (text: string): number => Date.parse(utc(text)) / 1000;

type Fields = Record<string, unknown>;

export const stripeEvent = (type: string, object: Fields, of: Fields = {}) => ({
  id: "evt_1",
  object: "event",
  api_version: "2026-10-28.endive",
  created: unix("2027-01-31T10:00"),
  livemode: true,
  type,
  data: { object },
  ...of,
});

/** A line that bills one month of one price, in the shape since 2025-03-31.basil. */
export const line = (of: Fields = {}, details: Fields = {}) => ({
  amount: 2000,
  quantity: 1,
  period: { start: unix("2027-01-31T10:00"), end: unix("2027-02-28T10:00") },
  parent: {
    type: "subscription_item_details",
    subscription_item_details: { proration: false, subscription: "sub_1", subscription_item: "si_1", ...details },
  },
  pricing: { type: "price_details", price_details: { price: "price_vm", product: "prod_vm" } },
  ...of,
});

export const invoice = (of: Fields = {}) => ({
  id: "in_1",
  object: "invoice",
  created: unix("2027-01-31T09:59"),
  billing_reason: "subscription_cycle",
  customer: "cus_1",
  customer_email: "jo@example.com",
  // For a first invoice both times are that of its creation.
  period_start: unix("2027-01-31T09:59"),
  period_end: unix("2027-01-31T09:59"),
  total: 2000,
  lines: { object: "list", data: [line()], has_more: false },
  parent: { type: "subscription_details", subscription_details: { subscription: "sub_1", metadata: {} } },
  ...of,
});

/** A line as it was before 2025-03-31.basil. */
export const oldLine = (of: Fields = {}) => ({
  amount: 2000,
  quantity: 1,
  period: { start: unix("2027-01-31T10:00"), end: unix("2027-02-28T10:00") },
  type: "subscription",
  proration: false,
  subscription: "sub_1",
  price: { id: "price_vm", product: "prod_vm" },
  plan: { id: "price_vm", product: "prod_vm" },
  ...of,
});

export const oldInvoice = (of: Fields = {}) => {
  const { parent: _, ...rest } = invoice({ lines: { data: [oldLine()], has_more: false } });
  return { ...rest, subscription: "sub_1", payment_intent: "pi_1", charge: "ch_1", ...of };
};

export const item = (of: Fields = {}) => ({
  id: "si_1",
  price: { id: "price_vm", product: "prod_vm" },
  quantity: 1,
  current_period_end: unix("2027-02-28T10:00"),
  ...of,
});

export const stripeSubscription = (of: Fields = {}) => ({
  id: "sub_1",
  object: "subscription",
  status: "active",
  customer: "cus_1",
  cancel_at: null,
  cancel_at_period_end: false,
  pause_collection: null,
  items: { object: "list", data: [item()], has_more: false },
  ...of,
});

/** The signature header, made by Stripe's SDK. */
export const stripeHeader = (payload: string, secret: string, seconds: number): string =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: seconds });
