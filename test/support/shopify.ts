import { createHmac } from "node:crypto";

export type ShopifyWebhook = { topic: string; webhookId: string; triggeredAt: string; body: unknown };

/** The headers that @shopify/shopify-api asks for. Tests have it verify what is made here. */
export const shopifyHeaders = (body: string, secret: string, of: Omit<ShopifyWebhook, "body">) => ({
  "x-shopify-topic": of.topic,
  "x-shopify-webhook-id": of.webhookId,
  "x-shopify-triggered-at": of.triggeredAt,
  "x-shopify-shop-domain": "example.myshopify.com",
  "x-shopify-api-version": "2026-07",
  "x-shopify-hmac-sha256": createHmac("sha256", secret).update(body).digest("base64"),
});
