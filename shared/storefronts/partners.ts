import * as z from "zod/mini";
import type { SignedRequest } from "./storefront.ts";

/** A storefront that delivers through Amazon EventBridge too, as a partner of AWS. */
export type Partner = {
  /** What the names of its event sources begin with. */
  source: string;
  /** The webhook that an event's detail holds. It is parsed already, so there is nothing left that a signature could be over. */
  webhookIn(detail: unknown): { body: unknown; headers: SignedRequest["headers"] };
};

const shopifyDetail = z.object({ payload: z.unknown(), metadata: z.record(z.string(), z.unknown()) });

/** By the storefront's name. */
export const partners: Readonly<Record<string, Partner>> = {
  /** docs.stripe.com/event-destinations/eventbridge: the event itself. */
  stripe: { source: "aws.partner/stripe.com/", webhookIn: (body) => ({ body, headers: {} }) },

  /** shopify.dev/docs/apps/build/webhooks/subscribe/get-started: the webhook's body, and its headers beside it. */
  shopify: {
    source: "aws.partner/shopify.com/",
    webhookIn(detail) {
      const parsed = z.safeParse(shopifyDetail, detail);
      if (!parsed.success) return { body: detail, headers: {} };
      const { payload, metadata } = parsed.data;
      const headers = Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), String(value)]);
      return { body: payload, headers: Object.fromEntries(headers) };
    },
  },
};
