import { invoice, item, line, stripeEvent, stripeSubscription } from "../support/stripe.ts";
import { checkReports, newId, type Sent, secondsOn } from "./report.ts";

type Fields = Record<string, unknown>;

const send = (day: number, type: string, object: Fields): Sent => ({
  day,
  body: stripeEvent(type, object, { id: newId("evt"), created: secondsOn(day) }),
});

const period = (from: number, to: number) => ({ start: secondsOn(from), end: secondsOn(to) });
const priced = (price: string) => ({ type: "price_details", price_details: { price, product: `prod_${price}` } });
/** A line for the days from `from` to `to`. */
const billed = (price: string, from: number, to: number, of: Fields = {}, details: Fields = {}) =>
  line({ period: period(from, to), pricing: priced(price), ...of }, details);

const subscription = (day: number, price: string, to: number, of: Fields = {}, type = "updated"): Sent =>
  send(
    day,
    `customer.subscription.${type}`,
    stripeSubscription({
      items: {
        data: [item({ price: { id: price, product: `prod_${price}` }, current_period_end: secondsOn(to) })],
        has_more: false,
      },
      ...of,
    }),
  );

const invoiced = (day: number, id: string, lines: unknown[], of: Fields = {}, type = "paid"): Sent =>
  send(
    day,
    `invoice.${type}`,
    invoice({ id, created: secondsOn(day), lines: { data: lines, has_more: false, total_count: lines.length }, ...of }),
  );

const paidBy = (day: number, of: string, intent: string): Sent =>
  send(day, "invoice_payment.paid", {
    id: newId("inpay"),
    object: "invoice_payment",
    invoice: of,
    payment: { type: "payment_intent", payment_intent: intent },
    status: "paid",
  });

const refunded = (day: number, intent: string): Sent =>
  send(day, "charge.refunded", { id: `ch_${intent}`, object: "charge", payment_intent: intent, refunded: true });

const disputed = (day: number, intent: string, type: string, status: string): Sent =>
  send(day, `charge.dispute.${type}`, { id: "dp_1", charge: `ch_${intent}`, payment_intent: intent, status });

const create = { billing_reason: "subscription_create" };
const update = { billing_reason: "subscription_update" };
const manual = { billing_reason: "manual" };

/** A monthly license, bought and paid on the first day. */
const bought: Sent[] = [
  subscription(0, "vm-month", 31, {}, "created"),
  invoiced(0, "in_first", [billed("vm-month", 0, 31)], create),
  paidBy(0, "in_first", "pi_first"),
];

checkReports("stripe", [
  {
    happens: "a monthly subscription becomes yearly, and Stripe flags the whole yearly line as a proration",
    source: "recorded: pay-rails/pay, cassettes of swapped subscriptions, API 2025-10-29.clover, flexible billing mode",
    sends: [
      ...bought,
      subscription(10, "vm-year", 375),
      invoiced(
        10,
        "in_year",
        [
          billed("vm-month", 10, 31, { amount: -1300 }, { proration: true }),
          billed("vm-year", 10, 375, { amount: 18500 }, { proration: true }),
        ],
        update,
      ),
    ],
    licenses: [
      [36, "active"],
      [370, "active"],
      [380, "suspended"],
    ],
    buys: ["order 1", "prolong 12"],
  },
  {
    happens: "a subscription is backdated by two months, and its invoice comes before the subscription",
    source: "docs.stripe.com, backdating: in flexible billing mode a line for each elapsed period",
    sends: [
      invoiced(
        0,
        "in_first",
        [billed("dci-month", -61, -31), billed("dci-month", -31, 0), billed("dci-month", 0, 31)],
        create,
      ),
      subscription(0.01, "dci-month", 31, {}, "created"),
    ],
    licenses: [[20, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "three months are billed at the purchase, with a line for each",
    source: "docs.stripe.com, billing schedules since 2026-05-27.dahlia; the number of lines is assumed",
    sends: [
      subscription(0, "vm-month", 31, {}, "created"),
      invoiced(
        0,
        "in_first",
        [billed("vm-month", 0, 31), billed("vm-month", 31, 62), billed("vm-month", 62, 90)],
        create,
      ),
    ],
    licenses: [
      [88, "active"],
      [95, "suspended"],
    ],
    buys: ["order 1", "prolong 1", "prolong 1"],
  },
  {
    happens: "a one-off invoice of the subscription fails within the paid month",
    source:
      "docs.stripe.com, create an invoice: `subscription` does not affect the billing cycle; shape recorded by pay-rails/pay",
    sends: [
      ...bought,
      invoiced(
        5,
        "in_extra",
        [
          {
            ...billed("setup", 5, 5),
            parent: { type: "invoice_item_details", invoice_item_details: { proration: false } },
          },
        ],
        manual,
        "payment_failed",
      ),
    ],
    licenses: [[30, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "an upgrade's invoice fails, and Stripe does not make the change",
    source: "docs.stripe.com, pending updates",
    sends: [
      ...bought,
      invoiced(5, "in_up", [billed("vm-month", 5, 31, {}, { proration: true })], update, "payment_failed"),
    ],
    licenses: [[30, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "an invoice is paid by two payment intents, and the duplicate is refunded in full",
    source: "docs.stripe.com, invoices with several payments since 2025-03-31.basil",
    sends: [...bought, paidBy(1, "in_first", "pi_second"), refunded(2, "pi_second")],
    licenses: [[30, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "an invoice is paid by two payment intents, and both are refunded in full",
    source: "docs.stripe.com, invoices with several payments since 2025-03-31.basil",
    sends: [...bought, paidBy(1, "in_first", "pi_second"), refunded(2, "pi_second"), refunded(3, "pi_first")],
    licenses: [
      [2.5, "active"],
      [4, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "a renewal fails, and the merchant credits the whole open invoice",
    source: "docs.stripe.com, credit notes lower the remaining amount; that invoice.paid follows is not verified",
    sends: [
      ...bought,
      invoiced(31, "in_second", [billed("vm-month", 31, 62)], {}, "payment_failed"),
      invoiced(32, "in_second", [billed("vm-month", 31, 62)], {
        amount_paid: 0,
        pre_payment_credit_notes_amount: 2000,
      }),
    ],
    licenses: [
      [30, "active"],
      [40, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "a refunded payment is disputed all the same, and the dispute is won by showing the refund",
    source: "docs.stripe.com, disputes; the sequence is assumed",
    sends: [
      ...bought,
      refunded(3, "pi_first"),
      disputed(4, "pi_first", "created", "needs_response"),
      disputed(12, "pi_first", "closed", "won"),
    ],
    licenses: [
      [2.5, "active"],
      [3.5, "suspended"],
      [30, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "a manual invoice without any line is paid",
    source: "recorded: pay-rails/pay, the last invoice of a swap with an invoice",
    sends: [...bought, invoiced(3, "in_empty", [], { ...manual, total: 0, amount_due: 0 })],
    licenses: [[30, "active"]],
    buys: ["order 1"],
  },
  {
    happens: "the merchant gives 15 days by moving the trial's end",
    source:
      "docs.stripe.com, trials of existing subscriptions; whether the line is flagged as a proration is not verified",
    sends: [
      ...bought,
      subscription(10, "vm-month", 46, { status: "trialing" }),
      invoiced(10, "in_extended", [billed("vm-month", 10, 46, { amount: 0 })], { ...update, total: 0 }),
    ],
    licenses: [
      [45, "active"],
      [50, "suspended"],
    ],
    buys: ["order 1", "prolong 1"],
  },
  {
    happens: "a cancellation is withdrawn within its second",
    source: "docs.stripe.com: `created` is in seconds",
    sends: [
      ...bought,
      subscription(5, "vm-month", 31, { cancel_at: secondsOn(15) }),
      {
        day: 5,
        body: stripeEvent(
          "customer.subscription.updated",
          {},
          {
            created: secondsOn(5),
            data: {
              object: stripeSubscription({
                items: {
                  data: [item({ price: { id: "vm-month" }, current_period_end: secondsOn(31) })],
                  has_more: false,
                },
              }),
              previous_attributes: { cancel_at: secondsOn(15) },
            },
          },
        ),
      },
    ],
    licenses: [[30, "active"]],
    buys: ["order 1"],
  },
]);
