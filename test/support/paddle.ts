type Fields = Record<string, unknown>;

export const paddleEvent = (type: string, data: Fields, of: Fields = {}) => ({
  event_id: "evt_1",
  event_type: type,
  occurred_at: "2027-01-31T10:00:00.123456Z",
  notification_id: "ntf_1",
  data,
  ...of,
});

export const monthly = { interval: "month", frequency: 1 };

export const paddleItem = (of: Fields = {}, price: Fields = {}) => ({
  price: { id: "pri_vm", product_id: "pro_vm", billing_cycle: monthly, ...price },
  quantity: 3,
  ...of,
});

export const paddleSubscription = (of: Fields = {}) => ({
  id: "sub_1",
  status: "active",
  customer_id: "ctm_1",
  items: [paddleItem({ status: "active", recurring: true })],
  current_billing_period: { starts_at: "2027-01-31T09:59:58.7Z", ends_at: "2027-02-28T09:59:58.7Z" },
  scheduled_change: null,
  custom_data: null,
  ...of,
});

export const paddleLine = (of: Fields = {}) => ({
  id: "txnitm_1",
  price_id: "pri_vm",
  quantity: 3,
  proration: null,
  totals: { subtotal: "6000", discount: "0", tax: "1200", total: "7200" },
  ...of,
});

export const paddleTransaction = (of: Fields = {}) => ({
  id: "txn_1",
  status: "completed",
  origin: "subscription_recurring",
  customer_id: "ctm_1",
  subscription_id: "sub_1",
  billed_at: "2027-01-31T09:59:59.5Z",
  billing_period: { starts_at: "2027-01-31T09:59:58.7Z", ends_at: "2027-02-28T09:59:58.7Z" },
  items: [paddleItem()],
  details: { line_items: [paddleLine()], totals: { subtotal: "6000", grand_total: "7200" } },
  ...of,
});

export const paddleAdjustment = (of: Fields = {}) => ({
  id: "adj_1",
  action: "refund",
  type: "full",
  status: "approved",
  transaction_id: "txn_1",
  subscription_id: "sub_1",
  customer_id: "ctm_1",
  items: [{ id: "adjitm_1", item_id: "txnitm_1", type: "full", amount: "7200" }],
  // Until it is approved for the first time.
  updated_at: "0001-01-01T00:00:00Z",
  ...of,
});

export { signPaddle as paddleHeader } from "../../local/simulators/storefronts/signing.ts";
