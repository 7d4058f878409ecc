type Fields = Record<string, unknown>;

const event = (name: string, type: string, id: string, attributes: Fields, meta: Fields) => ({
  meta: {
    event_name: name,
    test_mode: false,
    custom_data: {},
    webhook_id: "00000000-0000-4000-8000-000000000001",
    ...meta,
  },
  data: { type, id, attributes: { ...attributes, urls: { any: "https://shop.example/signed?expires=1&signature=x" } } },
});

export const ofSubscription = (name: string, of: Fields = {}, meta: Fields = {}) =>
  event(
    name,
    "subscriptions",
    "77",
    {
      customer_id: 5,
      order_id: 9,
      product_id: 40,
      variant_id: 41,
      user_email: "jo@example.com",
      status: "active",
      pause: null,
      cancelled: false,
      trial_ends_at: null,
      first_subscription_item: { id: 1, subscription_id: 77, price_id: 3, quantity: 3 },
      renews_at: "2027-02-28T10:00:00.000000Z",
      ends_at: null,
      created_at: "2027-01-31T10:00:00.000000Z",
      updated_at: "2027-01-31T10:00:02.000000Z",
      ...of,
    },
    meta,
  );

export const ofInvoice = (name: string, of: Fields = {}, meta: Fields = {}) =>
  event(
    name,
    "subscription-invoices",
    "1001",
    {
      subscription_id: 77,
      customer_id: 5,
      user_email: "jo@example.com",
      billing_reason: "renewal",
      status: "paid",
      refunded: false,
      refunded_at: null,
      subtotal: 6000,
      discount_total: 0,
      total: 7200,
      created_at: "2027-01-31T10:00:00.000000Z",
      updated_at: "2027-01-31T10:00:03.000000Z",
      ...of,
    },
    meta,
  );

export const ofOrder = (name: string, of: Fields = {}, meta: Fields = {}) =>
  event(
    name,
    "orders",
    "9",
    { customer_id: 5, status: "paid", refunded: false, total: 7200, updated_at: "2027-02-02T10:00:00.000000Z", ...of },
    meta,
  );

export { signLemonSqueezy } from "../../local/simulators/storefronts/signing.ts";
