import { catalogOf, checkReports, type Sent, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const gmt = (day: number): string => timeOn(day).slice(0, 19);

const sends = (day: number, topic: string, body: Fields): Sent => ({
  day,
  headers: { "x-wc-webhook-topic": topic },
  body,
});

const subscription = (day: number, of: Fields = {}): Sent =>
  sends(day, "subscription.updated", {
    id: 1300,
    parent_id: 1299,
    status: "active",
    customer_id: 12,
    billing: { email: "jo@example.com" },
    date_created_gmt: gmt(0),
    date_modified_gmt: gmt(day),
    line_items: [{ id: 7, product_id: 500, variation_id: 0, quantity: 1, sku: "vm6" }],
    meta_data: [{ id: 1, key: "_x", value: { a: ["b"] } }],
    needs_payment: false,
    billing_period: "month",
    billing_interval: "1",
    start_date_gmt: gmt(0),
    trial_end_date_gmt: "",
    next_payment_date_gmt: gmt(31),
    last_payment_date_gmt: gmt(0),
    end_date_gmt: "",
    ...of,
  });
const onHold = { status: "on-hold", needs_payment: true, last_payment_date_gmt: gmt(31.04) };
const renewed = { next_payment_date_gmt: gmt(62), last_payment_date_gmt: gmt(31.04) };

const order = (day: number, of: Fields): Sent =>
  sends(day, "order.updated", {
    id: 1350,
    customer_id: 12,
    billing: {},
    date_created_gmt: gmt(31.04),
    date_modified_gmt: gmt(day),
    date_paid_gmt: null,
    line_items: [],
    meta_data: [{ id: 2, key: "_subscription_renewal", value: "1300" }],
    ...of,
  });

const sold = catalogOf({ "vm-monthly": ["sku:vm6"] });

checkReports(
  "woocommerce",
  [
    {
      happens: "a renewal by SEPA is on hold for six days",
      source: "github.com/woocommerce/woocommerce-gateway-stripe, issue 636; github.com/mollie/WooCommerce, issue 186",
      sends: [
        subscription(0),
        subscription(31.04, onHold),
        order(31.05, { status: "on-hold" }),
        subscription(37, renewed),
      ],
      licenses: [
        [30, "active"],
        [40, "active"],
        [61, "active"],
      ],
      buys: ["order 1", "prolong 1"],
    },
    {
      happens: "a renewal's order is paid, and its subscription stays on hold",
      source: "WooCommerce Subscriptions 9.0.0: the order and the subscription have a status each",
      sends: [
        subscription(0),
        subscription(31.04, onHold),
        order(32, { status: "processing", date_paid_gmt: gmt(32) }),
      ],
      licenses: [[55, "active"]],
      buys: ["order 1", "prolong 1"],
    },
    {
      happens: "a renewal's order is paid, and then its subscription says so",
      source: "WooCommerce Subscriptions 9.0.0",
      sends: [
        subscription(0),
        subscription(31.04, onHold),
        order(31.06, { status: "processing", date_paid_gmt: gmt(31.05) }),
        subscription(31.07, renewed),
        order(35, { status: "completed", date_paid_gmt: gmt(31.05) }),
      ],
      licenses: [
        [60, "active"],
        [66, "suspended"],
      ],
      buys: ["order 1", "prolong 1"],
    },
    {
      happens: "a renewal's order fails",
      source: "WooCommerce Subscriptions 9.0.0",
      sends: [subscription(0), subscription(31.04, onHold), order(31.05, { status: "failed" })],
      licenses: [
        [30, "active"],
        [35, "suspended"],
      ],
      buys: ["order 1"],
    },
    {
      happens: "an unpaid subscription is activated by hand",
      source: "WC_Subscription::needs_payment of WooCommerce Subscriptions",
      sends: [subscription(0), subscription(31.04, onHold), subscription(33, { ...renewed, needs_payment: true })],
      licenses: [[40, "suspended"]],
      buys: ["order 1"],
    },
    {
      happens: "one order of two subscriptions is refunded",
      source: "WooCommerce Subscriptions: both subscriptions have the parent_id of the order",
      sends: [
        subscription(0),
        subscription(0, { id: 1301 }),
        order(1, { id: 1299, status: "refunded", date_created_gmt: gmt(0), date_paid_gmt: gmt(0), meta_data: [] }),
      ],
      licenses: [
        [0.5, "active", "active"],
        [2, "suspended", "suspended"],
      ],
      buys: ["order 1", "order 1"],
    },
  ],
  sold,
);
