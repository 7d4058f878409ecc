import { polarEvent, polarItem, polarOrder, polarSubscription } from "../support/polar.ts";
import { checkReports, newId, type Sent, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const send = (day: number, type: string, data: Fields): Sent => ({
  day,
  body: polarEvent(type, data, { timestamp: timeOn(day) }),
});

const days = (from: number, to: number) => ({ current_period_start: timeOn(from), current_period_end: timeOn(to) });
const state = (product: string, from: number, to: number, of: Fields = {}) =>
  polarSubscription({ product_id: product, seats: null, ...days(from, to), ...of });

const subscription = (day: number, type: string, of: Fields): Sent => send(day, `subscription.${type}`, of);

const paid = (day: number, of: Fields): Sent =>
  send(day, "order.paid", polarOrder({ id: newId("ord"), created_at: timeOn(day), ...of }));

const charged = (amount: number, from: number, to: number, of: Fields = {}) =>
  polarItem({ amount, start_timestamp: timeOn(from), end_timestamp: timeOn(to), ...of });

const trialing = { status: "trialing", trial_start: timeOn(0), trial_end: timeOn(14) };
const trial = state("dci-month", 0, 14, trialing);
const trialOrder = paid(0, {
  billing_reason: "subscription_create",
  total_amount: 0,
  subscription: trial,
  items: [polarItem({ amount: 0, start_timestamp: null, end_timestamp: null })],
});
const revoked = subscription(14, "revoked", { ...trial, status: "canceled", ended_at: timeOn(14) });

const monthly = state("vm-month", 0, 31);
const create = { billing_reason: "subscription_create" };
const update = { billing_reason: "subscription_update" };
const bought: Sent[] = [
  subscription(0, "created", monthly),
  paid(0, { ...create, subscription: monthly, items: [charged(1900, 0, 31)] }),
  subscription(0, "active", monthly),
];

const yearly = state("vm-year", 10, 375, { recurring_interval: "year" });
const ofBefore = (items: Fields[]) => items.map(({ start_timestamp, end_timestamp, ...item }) => item);
const switched = [charged(-1200, 10, 31, { proration: true }), charged(19000, 10, 375, { proration: true })];

checkReports("polar", [
  {
    happens: "a trial begins, with an order of zero that is paid immediately",
    source: "source: polarsource/polar, order/service.py, create_trial_order",
    sends: [subscription(0, "created", trial), trialOrder, revoked],
    licenses: [[13, "active"]],
    buys: ["order -100"],
  },
  {
    happens: "a trial begins, and its order comes first",
    source: "source: polarsource/polar, order/service.py, create_trial_order; Polar keeps no strict order",
    sends: [trialOrder, subscription(0, "created", trial), revoked],
    licenses: [[13, "active"]],
    buys: ["order -100"],
  },
  {
    happens: "a monthly subscription becomes yearly, with an order of prorations alone",
    source: "source: polarsource/polar, subscription/update.py and billing_entry/service.py",
    sends: [
      ...bought,
      subscription(10, "updated", yearly),
      paid(10, { ...update, subscription: yearly, items: switched }),
    ],
    licenses: [
      [36, "active"],
      [370, "active"],
      [380, "suspended"],
    ],
    buys: ["order 1", "prolong 12"],
  },
  {
    happens: "a monthly subscription becomes yearly, before API version 2026-10",
    source: "source: polarsource/polar, order items without a period",
    sends: [
      ...bought,
      subscription(10, "updated", yearly),
      paid(10, { ...update, subscription: yearly, items: ofBefore(switched) }),
    ],
    licenses: [[370, "active"]],
    buys: ["order 1", "prolong 12"],
  },
  {
    happens: "the period begins again with a change of seats (reset)",
    source: "source: polarsource/polar, subscription/update.py, proration behavior reset",
    sends: [
      ...bought,
      subscription(20, "updated", state("vm-month", 20, 51)),
      paid(20, {
        ...update,
        subscription: state("vm-month", 20, 51),
        items: [charged(1900, 20, 51, { proration: true })],
      }),
    ],
    licenses: [
      [50, "active"],
      [55, "suspended"],
    ],
    buys: ["order 1", "prolong 1"],
  },
  {
    happens: "a renewal's order contains the subscription as it was before",
    source: "issue polarsource/polar#6134, API versions before 2026-10",
    sends: [
      ...bought,
      subscription(31, "cycled", state("vm-month", 31, 62)),
      paid(31, { subscription: monthly, items: ofBefore([charged(1900, 31, 62)]) }),
    ],
    licenses: [
      [60, "active"],
      [66, "suspended"],
    ],
    buys: ["order 1", "prolong 1"],
  },
]);
