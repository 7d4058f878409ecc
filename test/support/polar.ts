import { Webhook } from "standardwebhooks";

type Fields = Record<string, unknown>;

export const polarEvent = (type: string, data: Fields, of: Fields = {}) => ({
  type,
  timestamp: "2027-01-31T10:00:00.123456Z",
  api_version: "2026-10",
  data,
  ...of,
});

const customer = { id: "cus_1", external_id: "7", email: "jo@example.com", name: "Jo" };

/** The fields that a subscription has, both in its own events and inside an order. */
const state = {
  id: "sub_1",
  status: "active",
  recurring_interval: "month",
  recurring_interval_count: 1,
  current_period_start: "2027-01-31T09:59:00Z",
  current_period_end: "2027-02-28T09:59:00Z",
  trial_start: null,
  trial_end: null,
  cancel_at_period_end: false,
  ends_at: null,
  pause_at_period_end: false,
  customer_id: "cus_1",
  product_id: "prod_vm",
  seats: 3,
  units: null,
};

export const polarSubscription = (of: Fields = {}) => ({ ...state, customer, pending_update: null, ...of });

export const polarItem = (of: Fields = {}) => ({
  id: "item_1",
  label: "VMmanager",
  amount: 6000,
  proration: false,
  product_price_id: "price_1",
  start_timestamp: "2027-01-31T09:59:00Z",
  end_timestamp: "2027-02-28T09:59:00Z",
  ...of,
});

export const polarOrder = (of: Fields = {}) => ({
  id: "ord_1",
  created_at: "2027-01-31T09:59:30Z",
  status: "paid",
  paid: true,
  billing_reason: "subscription_cycle",
  subtotal_amount: 6000,
  discount_amount: 0,
  total_amount: 6000,
  refunded_amount: 0,
  customer_id: "cus_1",
  customer,
  product_id: "prod_vm",
  subscription_id: "sub_1",
  subscription: state,
  items: [polarItem()],
  ...of,
});

/** Signs as Polar did before 2026-09-08: the text of the secret is the key, without decoding. */
export const signPolarAsOfOld = (body: string, secret: string, seconds: number, id = "msg_1") =>
  signPolar(body, Buffer.from(secret).toString("base64"), seconds, id);

export const signPolar = (body: string, secret: string, seconds: number, id = "msg_1") => ({
  "webhook-id": id,
  "webhook-timestamp": String(seconds),
  "webhook-signature": new Webhook(secret).sign(id, new Date(seconds * 1000), body),
});
