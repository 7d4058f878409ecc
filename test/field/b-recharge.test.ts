import { checkReports, type Sent, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const subscription = (day: number, id: number, of: Fields = {}): Sent => ({
  day,
  body: {
    subscription: {
      id,
      customer_id: 7,
      status: "active",
      external_variant_id: { ecommerce: "vm-month" },
      external_product_id: { ecommerce: "82" },
      sku: null,
      quantity: 1,
      order_interval_unit: "month",
      charge_interval_frequency: 1,
      next_charge_scheduled_at: timeOn(31).slice(0, 10),
      updated_at: timeOn(day),
      ...of,
    },
  },
});
const charge = (day: number, id: number, subscriptions: number[], of: Fields = {}): Sent => ({
  day,
  body: {
    charge: {
      id,
      status: "success",
      type: "recurring",
      customer: { id: 7, email: "jo@shop.example" },
      line_items: subscriptions.map((one) => ({ purchase_item_type: "subscription", purchase_item_id: one })),
      processed_at: timeOn(day),
      updated_at: timeOn(day),
      ...of,
    },
  },
});

checkReports("recharge", [
  {
    happens: "one charge of two subscriptions is refunded",
    source: "developer.rechargepayments.com/2021-11: a charge lists the subscription of each line",
    sends: [
      subscription(0, 1),
      subscription(0, 2),
      charge(0, 501, [1, 2]),
      charge(1, 501, [1, 2], { status: "refunded", processed_at: timeOn(0) }),
    ],
    licenses: [
      [0.5, "active", "active"],
      [2, "suspended", "suspended"],
    ],
    buys: ["order 1", "order 1"],
  },
  {
    happens: "a charge fails, and the next attempt succeeds two days later",
    source: "developer.rechargepayments.com/2021-11: status error, then success, of one charge",
    sends: [
      subscription(0, 1),
      charge(0, 501, [1]),
      charge(31, 502, [1], { status: "error", processed_at: null }),
      charge(33, 502, [1]),
    ],
    licenses: [[60, "active"]],
    buys: ["order 1", "prolong 1"],
  },
]);
