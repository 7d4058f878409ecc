import { checkReports, dateOn, newId, type Sent, secondsOn } from "./report.ts";

type Fields = Record<string, unknown>;

const send = (day: number, event_type: string, content: Fields): Sent => ({
  day,
  body: {
    id: newId("ev"),
    occurred_at: secondsOn(day),
    event_type,
    api_version: "v2",
    content: { customer: { id: "cust_1", email: "jo@example.com" }, ...content },
  },
});

const subscription = (day: number, from: number, to: number, of: Fields = {}) => ({
  id: "sub_1",
  customer_id: "cust_1",
  status: "active",
  current_term_start: secondsOn(from),
  current_term_end: secondsOn(to),
  due_invoices_count: 0,
  resource_version: dateOn(day).getTime(),
  deleted: false,
  subscription_items: [{ item_price_id: "vm-month", item_type: "plan", quantity: 1 }],
  ...of,
});

const line = (from: number, to: number, entity_type = "plan_item_price") => ({
  subscription_id: "sub_1",
  entity_type,
  amount: 1900,
  date_from: secondsOn(from),
  date_to: secondsOn(to),
});

const invoice = (day: number, id: string, lines: unknown[], of: Fields = {}) => ({
  id,
  subscription_id: "sub_1",
  status: "paid",
  date: secondsOn(day),
  paid_at: secondsOn(day),
  total: 1900,
  amount_paid: 1900,
  credits_applied: 0,
  resource_version: dateOn(day).getTime(),
  line_items: lines,
  issued_credit_notes: [],
  ...of,
});

const due = { status: "payment_due", amount_paid: 0, paid_at: null };

const bought: Sent[] = [
  send(0, "subscription_created", { subscription: subscription(0, 0, 31), invoice: invoice(0, "1", [line(0, 31)]) }),
];

checkReports("chargebee", [
  {
    happens: "a one-off charge's invoice fails within the paid month",
    source: "chargebee.com/docs, one-time charges; issue Flagsmith/flagsmith#2976",
    sends: [
      ...bought,
      send(5, "payment_failed", {
        subscription: subscription(5, 0, 31, { due_invoices_count: 1 }),
        invoice: invoice(5, "2", [line(5, 5, "charge_item_price")], due),
      }),
    ],
    licenses: [[30, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "an upgrade's invoice fails within the paid month",
    source: "chargebee.com/docs, prorated changes of a subscription",
    sends: [
      ...bought,
      send(5, "payment_failed", {
        subscription: subscription(5, 0, 31, { due_invoices_count: 1 }),
        invoice: invoice(5, "2", [line(5, 31)], due),
      }),
    ],
    licenses: [[30, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "a renewal fails",
    source: "chargebee.com/docs, dunning",
    sends: [
      ...bought,
      send(31, "payment_failed", {
        subscription: subscription(31, 31, 62, { due_invoices_count: 1 }),
        invoice: invoice(31, "2", [line(31, 62)], due),
      }),
    ],
    licenses: [
      [30, "active"],
      [35, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "the open invoice of a cancelled subscription is paid after its end",
    source: "chargebee.com/docs, payments for cancelled subscriptions",
    sends: [
      ...bought,
      send(40, "subscription_cancelled", {
        subscription: subscription(40, 31, 62, { status: "cancelled", cancelled_at: secondsOn(40) }),
      }),
      send(45, "payment_succeeded", {
        subscription: subscription(45, 31, 62, { status: "cancelled", cancelled_at: secondsOn(40) }),
        invoice: invoice(31, "2", [line(31, 62)], { paid_at: secondsOn(45) }),
      }),
    ],
    licenses: [
      [44, "suspended"],
      [60, "active"],
    ],
    buys: ["order 1", "prolong 1"],
  },
  {
    happens: "the renewal's invoice is settled by a credit note",
    source: "apidocs.chargebee.com, adjustment credit notes make an invoice paid",
    sends: [
      ...bought,
      send(31, "payment_failed", {
        subscription: subscription(31, 31, 62, { due_invoices_count: 1 }),
        invoice: invoice(31, "2", [line(31, 62)], due),
      }),
      send(32, "invoice_updated", { invoice: invoice(31, "2", [line(31, 62)], { amount_paid: 0 }) }),
    ],
    licenses: [[40, "suspended"]],
    buys: ["order 1"],
  },
]);
