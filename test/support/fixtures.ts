import { readdirSync, readFileSync } from "node:fs";
import type { ShopifyWebhook } from "./shopify.ts";

/** A webhook as a storefront sends it: when, and what it tells in headers beside its signature. */
export type Told = {
  /** Stands for the storefront's id of it where that is in a header. */
  name: string;
  at: Date;
  body: unknown;
  /** The body as it is sent, where that is no JSON. */
  text?: string;
  headers: Record<string, string>;
};

type Reading = { at: string | number; body?: unknown; headers?: Record<string, string> };

/** How a fixture of each storefront tells its time, and its headers where it has any. */
const readings: Record<string, (fixture: never) => Reading> = {
  stripe: ({ created }: { created: number }) => ({ at: created * 1000 }),
  paddle: ({ occurred_at }: { occurred_at: string }) => ({ at: occurred_at }),
  lemonsqueezy: ({ data }: { data: { attributes: { updated_at: string } } }) => ({ at: data.attributes.updated_at }),
  polar: ({ timestamp }: { timestamp: string }) => ({ at: timestamp }),
  shopify: ({ body, topic, webhookId, triggeredAt }: ShopifyWebhook) => ({
    at: triggeredAt,
    body,
    headers: { "x-shopify-topic": topic, "x-shopify-webhook-id": webhookId, "x-shopify-triggered-at": triggeredAt },
  }),
  woocommerce: ({ topic, body }: { topic: string; body: { date_modified_gmt: string } }) => ({
    at: `${body.date_modified_gmt}Z`,
    body,
    headers: { "x-wc-webhook-topic": topic },
  }),
  // Told a moment after it occurred.
  chargebee: ({ occurred_at }: { occurred_at: number }) => ({ at: occurred_at * 1000 + 2000 }),
  fastspring: ({ events }: { events: { created: number }[] }) => ({
    at: Math.max(...events.map(({ created }) => created)),
  }),
  hostbill: ({ event, at, body }: { event: string; at: string; body: unknown }) => ({
    at,
    body,
    headers: { "hb-event": event },
  }),
  appstle: ({ at, body }: { at: string; body: unknown }) => ({ at, body }),
  recharge: ({ at, body }: { at: string; body: unknown }) => ({ at, body }),
};

/** What a storefront tells in the course of a customer's life, in the order in which it is sent. */
export function toldBy(storefront: string, folder = storefront): Told[] {
  const place = new URL(`../fixtures/${folder}/`, import.meta.url);
  const reading = readings[storefront] as (fixture: unknown) => Reading;
  return readdirSync(place)
    .sort()
    .map((name) => {
      const fixture = JSON.parse(readFileSync(new URL(name, place), "utf8"));
      const { at, body = fixture, headers = {} } = reading(fixture);
      return { name, at: new Date(at), body, headers };
    });
}
