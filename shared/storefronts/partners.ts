import * as z from "zod/mini";
import type { SignedRequest } from "./storefront.ts";

/** A storefront that can also deliver through Amazon EventBridge, as an AWS partner. */
export type Partner = {
  /** The prefix of the names of its event sources. */
  source: string;
  /** The webhook in an event's detail. It is already parsed, so no raw body is left for a signature check. */
  webhookIn(detail: unknown): { body: unknown; headers: SignedRequest["headers"] };
};

const shopifyDetail = z.object({ payload: z.unknown(), metadata: z.record(z.string(), z.unknown()) });

/** By the storefront's name. */
export const partners: Readonly<Record<string, Partner>> = {
  /** docs.stripe.com/event-destinations/eventbridge: the event itself. */
  stripe: { source: "aws.partner/stripe.com/", webhookIn: (body) => ({ body, headers: {} }) },

  /** shopify.dev/docs/apps/build/webhooks/subscribe/get-started: the webhook's body, and its headers as metadata. */
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
