import { createHmac } from "node:crypto";

/** One thing that happened in the shop, as its webhook tells it. */
export type Fact = { id: string; at: number; type: string; data: Record<string, unknown> };

export const day = 86_400_000;

/** UTC, within the month: January 31 and one month is February 28. */
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

export type Webhook = { body: string; headers: Record<string, string> };

export const bodyOf = ({ at, type, data }: Fact): string => JSON.stringify({ type, timestamp: iso(at), data });

/** Signed by Standard Webhooks. @param secret "whsec_" and base64 */
export function webhookOf(fact: Fact, secret: string, at: number): Webhook {
  const body = bodyOf(fact);
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${fact.id}.${timestamp}.${body}`).digest("base64");
  return {
    body,
    headers: { "webhook-id": fact.id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` },
  };
}
