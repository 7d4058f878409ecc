export { shopifyHeaders } from "../../local/simulators/storefronts/signing.ts";

export type ShopifyWebhook = { topic: string; webhookId: string; triggeredAt: string; body: unknown };
