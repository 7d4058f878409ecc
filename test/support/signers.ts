import { Webhook } from "standardwebhooks";
import { plainSecretOf, standardSecretOf } from "./secrets.ts";
import { invoice, line, stripeEvent, stripeHeader, stripeSubscription } from "./stripe.ts";

/** How a storefront's own library signs. */
export type Signer = {
  secret: string;
  sign(body: string, now: Date): Record<string, string>;
  /** The headers of which every character in the group counts. */
  counts: Record<string, RegExp>;
  /** Some of its events. */
  bodies: unknown[];
};

const standardKey = standardSecretOf("its signer");
const stripeKey = plainSecretOf("its_signer");

/** By the storefront's name. */
export const signers: Record<string, Signer> = {
  standard: {
    secret: standardKey,
    sign: (body, now) => ({
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": new Webhook(standardKey).sign("msg_1", now, body),
    }),
    counts: { "webhook-id": /^(.+)$/, "webhook-timestamp": /^(.+)$/, "webhook-signature": /^v1,(.+)$/ },
    bodies: [
      {
        type: "payment.succeeded",
        timestamp: "2027-01-31T10:00:00Z",
        data: {
          subscription: "s1",
          payment: "p1",
          months: 1,
          items: [
            { plan: "vm-monthly", quantity: "2" },
            { plan: "extra-node", quantity: 1 },
          ],
          customer: { id: 7, email: "a@example.com" },
        },
      },
      {
        type: "payment.succeeded",
        timestamp: "2027-01-31 10:00",
        data: { subscription: 1, payment: 2, plan: "vm-each", quantity: 3, paidThrough: "2027-03-01" },
      },
      {
        type: "subscription.cancel_scheduled",
        timestamp: "2027-01-31T10:00:00.5+01:00",
        data: { subscription: "s1", endsAt: "2027-02-28" },
      },
      {
        type: "payment.refunded",
        timestamp: "2027-02-01",
        data: { subscription: "s1", payment: "p1", reversed: false },
      },
    ],
  },
  stripe: {
    secret: stripeKey,
    sign: (body, now) => ({ "stripe-signature": stripeHeader(body, stripeKey, Math.floor(now.getTime() / 1000)) }),
    counts: { "stripe-signature": /^t=\d+,v1=(.+)$/ },
    bodies: [
      stripeEvent(
        "invoice.paid",
        invoice({ billing_reason: "subscription_create", lines: { data: [line(), line()] } }),
      ),
      stripeEvent("customer.subscription.updated", stripeSubscription()),
      stripeEvent("invoice.payment_failed", invoice()),
      stripeEvent("invoice_payment.paid", { invoice: "in_1", payment: { payment_intent: "pi_1", charge: "ch_1" } }),
      stripeEvent("charge.refunded", { id: "ch_1", payment_intent: "pi_1", refunded: true }),
      stripeEvent("charge.dispute.closed", { id: "dp_1", charge: { id: "ch_1" }, status: "won" }),
    ],
  },
};
