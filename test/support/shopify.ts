export { shopifyHeaders } from "../../infra/local/shops/signing.ts";

export type ShopifyWebhook = { topic: string; webhookId: string; triggeredAt: string; body: unknown };
