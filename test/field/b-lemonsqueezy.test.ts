import { ofInvoice, ofSubscription } from "../support/lemonsqueezy.ts";
import { catalogOf, checkReports, newId, type Sent, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const subscription = (day: number, of: Fields = {}): Sent => ({
  day,
  body: ofSubscription("subscription_updated", {
    variant_id: 501,
    renews_at: timeOn(31),
    updated_at: timeOn(day),
    ...of,
  }),
});
const invoice = (day: number, name: string, of: Fields): Sent => ({
  day,
  body: ofInvoice(`subscription_payment_${name}`, {
    id: newId("inv"),
    created_at: timeOn(day),
    updated_at: timeOn(day),
    ...of,
  }),
});
const bought = [subscription(0), invoice(0, "success", { billing_reason: "initial" })];

const sold = catalogOf({ "vm-monthly": ["variant:501"] });

checkReports(
  "lemonsqueezy",
  [
    {
      happens: "the payment of an upgrade fails within a paid month",
      source: "github.com/lmsqueezy/lemonsqueezy.js, issue 120",
      sends: [...bought, invoice(5, "failed", { billing_reason: "updated", status: "pending" })],
      licenses: [
        [12, "active"],
        [35, "suspended"],
      ],
      buys: ["order 1"],
    },
    {
      happens: "the payment of a renewal fails, and succeeds two days later",
      source: "docs.lemonsqueezy.com, subscription_payment_failed",
      sends: [
        ...bought,
        invoice(31, "failed", { billing_reason: "renewal", status: "pending" }),
        subscription(33, { renews_at: timeOn(62) }),
        invoice(33, "success", { billing_reason: "renewal" }),
      ],
      licenses: [[50, "active"]],
      buys: ["order 1", "prolong 1"],
    },
  ],
  sold,
);
