import { createHmac } from "node:crypto";
import type { Event } from "../../shared/licensing/event.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";

/** A plan that the shop sells, with a quantity. */
export type Sold = { plan: string; quantity: number };

/** The meaning of an event in the shop. The oracle reads this, never the webhook. */
export type Meaning =
  /** Paid for `from` to `to`, or for a number of months after the paid time. */
  | {
      kind: "paid";
      payment: string;
      trial?: true;
      from?: number;
      to?: number;
      months?: number;
      /** The webhook omits `from`, so the system may use the moment of the payment. */
      isFromUnstated?: true;
    }
  | { kind: "taken_back"; payment: string; isReturned?: boolean }
  /** The shop has since stated the payment for another subscription. */
  | { kind: "moved"; payment: string }
  | { kind: "failed" | "paused" | "resumed" | "ended" | "continues" }
  | { kind: "ends"; at?: number }
  | { kind: "sells"; items: Sold[]; asOf: number };

/** One webhook of the shop. */
export type Fact = {
  storefront: "standard" | "stripe";
  id: string;
  at: number;
  type: string;
  data: Record<string, unknown>;
  means: Meaning[];
};

export const day = 86_400_000;

/** Adds months in UTC, and stays within the month: January 31 and one month is February 28. */
export function addMonths(at: number, months: number): number {
  const from = new Date(at);
  const last = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0)).getUTCDate();
  const to = new Date(at);
  to.setUTCDate(1);
  to.setUTCMonth(to.getUTCMonth() + months);
  to.setUTCDate(Math.min(from.getUTCDate(), last));
  return to.getTime();
}

export const iso = (at: number): string => new Date(at).toISOString();

export type Webhook = { path: string; body: string; headers: Record<string, string> };

export const bodyOf = ({ storefront, id, at, type, data }: Fact): string =>
  storefront === "stripe"
    ? JSON.stringify({ id, type, created: at / 1000, data: { object: data } })
    : JSON.stringify({ type, timestamp: iso(at), data });

/** The facts of a webhook, as the parser of its storefront returns them. */
export function eventsOf(fact: Fact): Event[] {
  const headers = { "webhook-id": fact.id };
  const [parsed] = storefrontNamed(fact.storefront)?.events(JSON.parse(bodyOf(fact)), headers) ?? [];
  if (parsed?.kind !== "facts") return [];
  // A refund contains the payment intent of its invoice. In the simulation its id is "pi_" and the id of the invoice.
  return parsed.events.map((event) =>
    event.type === "payment.refunded" ? { ...event, payment: event.payment.replace(/^pi_/, "") } : event,
  );
}

/** Signs a webhook as the storefront does. @param secret "whsec_" and base64 */
export function webhookOf(fact: Fact, secret: string, at: number): Webhook {
  const body = bodyOf(fact);
  const path = `/webhooks/${fact.storefront}`;
  const time = String(Math.floor(at / 1000));
  if (fact.storefront === "stripe") {
    const signature = createHmac("sha256", secret).update(`${time}.${body}`).digest("hex");
    return { path, body, headers: { "stripe-signature": `t=${time},v1=${signature}` } };
  }
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${fact.id}.${time}.${body}`).digest("base64");
  const headers = { "webhook-id": fact.id, "webhook-timestamp": time, "webhook-signature": `v1,${signature}` };
  return { path, body, headers };
}
