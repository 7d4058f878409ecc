import {
  monthly,
  paddleAdjustment,
  paddleEvent,
  paddleItem,
  paddleLine,
  paddleSubscription,
  paddleTransaction,
} from "../support/paddle.ts";
import { checkReports, newId, type Sent, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const send = (day: number, type: string, data: Fields): Sent => ({
  day,
  body: paddleEvent(type, data, { event_id: newId("evt"), occurred_at: timeOn(day) }),
});

const days = (from: number, to: number) => ({ starts_at: timeOn(from), ends_at: timeOn(to) });
const items = (price: string) => [paddleItem({ quantity: 1 }, { id: price, product_id: `pro_${price}` })];

const subscription = (day: number, price: string, from: number, to: number, of: Fields = {}, type = "updated"): Sent =>
  send(
    day,
    `subscription.${type}`,
    paddleSubscription({ items: items(price), current_billing_period: days(from, to), billing_cycle: monthly, ...of }),
  );

const completed = (day: number, id: string, price: string, of: Fields, line: Fields = {}): Sent =>
  send(
    day,
    "transaction.completed",
    paddleTransaction({
      id,
      billed_at: timeOn(day),
      items: items(price),
      details: { line_items: [paddleLine({ price_id: price, quantity: 1, ...line })] },
      ...of,
    }),
  );

const adjusted = (day: number, action: string, of: Fields = {}): Sent =>
  send(day, "adjustment.created", paddleAdjustment({ id: newId("adj"), action, transaction_id: "txn_first", ...of }));

/** A monthly license, bought and paid on the first day. */
const bought: Sent[] = [
  completed(0, "txn_first", "vm-month", { origin: "web", subscription_id: null, billing_period: null }),
  subscription(0, "vm-month", 0, 31, { transaction_id: "txn_first" }, "created"),
];

checkReports("paddle", [
  {
    happens: "the next billing date is moved by 14 days, which the customer pays as prorations",
    source: "developer.paddle.com, change billing dates (prorated_immediately); the flag of the line is assumed",
    sends: [
      ...bought,
      subscription(10, "vm-month", 0, 45),
      completed(
        10,
        "txn_moved",
        "vm-month",
        { origin: "subscription_update", billing_period: days(0, 45) },
        { proration: { rate: "0.5", billing_period: days(31, 45) } },
      ),
    ],
    licenses: [
      [44, "active"],
      [49, "suspended"],
    ],
    buys: ["order 1", "prolong 1"],
  },
  {
    happens: "a subscription becomes yearly, and its transaction consists of prorations",
    source: "developer.paddle.com, upgrade or downgrade (prorated_immediately); the flag of the line is assumed",
    sends: [
      ...bought,
      subscription(10, "vm-year", 10, 375),
      completed(
        10,
        "txn_year",
        "vm-year",
        { origin: "subscription_update", billing_period: days(10, 375) },
        { proration: { rate: "1", billing_period: days(10, 375) } },
      ),
    ],
    licenses: [
      [370, "active"],
      [380, "suspended"],
    ],
    buys: ["order 1", "prolong 12"],
  },
  {
    happens: "a refunded payment is charged back, and the chargeback is reversed",
    source: "developer.paddle.com, adjustments; the sequence is assumed",
    sends: [...bought, adjusted(3, "refund"), adjusted(4, "chargeback"), adjusted(12, "chargeback_reverse")],
    licenses: [
      [2.5, "active"],
      [3.5, "suspended"],
      [30, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "a chargeback is reversed",
    source: "developer.paddle.com, adjustments",
    sends: [...bought, adjusted(4, "chargeback"), adjusted(12, "chargeback_reverse")],
    licenses: [
      [5, "suspended"],
      [30, "active"],
    ],
    buys: ["order 1"],
  },
]);
