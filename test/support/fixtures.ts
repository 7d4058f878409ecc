import { readdirSync, readFileSync } from "node:fs";
import type { StorefrontName } from "../../shared/licensing/event.ts";
import type { ShopifyWebhook } from "./shopify.ts";

/** A webhook as a storefront sends it, without its signature. */
export type Delivery = {
  /** The fixture's file name. It is used as the event id if the storefront sends the id in a header. */
  name: string;
  at: Date;
  body: unknown;
  /** The body as it is sent, if that is not JSON. */
  text?: string;
  headers: Record<string, string>;
};

type Parts = { at: string | number; body?: unknown; headers?: Record<string, string> };

/** Reads the time of a fixture, and its body and headers if the fixture contains more than a body. */
const partsIn: Partial<Record<StorefrontName, (fixture: never) => Parts>> = {
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
  // Chargebee sends an event shortly after it occurred.
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

/** The webhooks of a customer's life, in the order in which the storefront sends them. */
export function deliveriesIn(storefront: StorefrontName, folder: string = storefront): Delivery[] {
  const place = new URL(`../fixtures/${folder}/`, import.meta.url);
  const parts = partsIn[storefront] as ((fixture: unknown) => Parts) | undefined;
  if (!parts) throw new Error(`test/support/fixtures.ts cannot read fixtures of ${storefront}: add it to partsIn`);
  return readdirSync(place)
    .sort()
    .map((name) => {
      const fixture = JSON.parse(readFileSync(new URL(name, place), "utf8"));
      const { at, body = fixture, headers = {} } = parts(fixture);
      return { name, at: new Date(at), body, headers };
    });
}
