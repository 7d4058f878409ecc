import { utc } from "./events.ts";

type Fields = Record<string, unknown>;

export const unix = (text: string): number => Date.parse(utc(text)) / 1000;
export const ms = (text: string): number => Date.parse(utc(text));

export const chargebeeEvent = (event_type: string, content: Fields, more: Fields = {}) => ({
  id: "ev_1",
  occurred_at: unix("2027-01-31T10:00:09"),
  event_type,
  api_version: "v2",
  content: { customer: { id: "cus_1", email: "jo@example.com" }, ...content },
  ...more,
});
export const chargebeeSubscription = (more: Fields = {}) => ({
  id: "sub_1",
  customer_id: "cus_1",
  status: "active",
  current_term_end: unix("2027-02-28T10:00:05"),
  due_invoices_count: 0,
  resource_version: ms("2027-01-31T10:00:09.660"),
  deleted: false,
  subscription_items: [
    { item_price_id: "vm6-EUR-Monthly", item_type: "plan", quantity: 3 },
    { item_price_id: "node-EUR-Monthly", item_type: "addon", quantity: 2 },
    { item_price_id: "setup-EUR", item_type: "charge", quantity: 1 },
  ],
  ...more,
});
export const chargebeeLine = (more: Fields = {}) => ({
  subscription_id: "sub_1",
  entity_type: "plan_item_price",
  entity_id: "vm6-EUR-Monthly",
  date_from: unix("2027-01-31T10:00:05"),
  date_to: unix("2027-02-28T10:00:05"),
  ...more,
});
export const chargebeeInvoice = (more: Fields = {}) => ({
  id: "17",
  subscription_id: "sub_1",
  status: "paid",
  date: unix("2027-01-31T10:00:05"),
  paid_at: unix("2027-01-31T10:00:07"),
  total: 5700,
  amount_paid: 5700,
  credits_applied: 0,
  resource_version: ms("2027-01-31T10:00:09.637"),
  line_items: [
    chargebeeLine(),
    { entity_type: "charge_item_price", date_from: unix("2027-01-31"), date_to: unix("2029-01-31") },
  ],
  issued_credit_notes: [],
  ...more,
});
