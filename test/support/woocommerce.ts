import { createHmac } from "node:crypto";

/** As `WC_Webhook::generate_signature` makes it, from the secret as it was decoded. */
export const woocommerceHeaders = (body: string, secret: string, topic = "subscription.updated") => ({
  "x-wc-webhook-topic": topic,
  "x-wc-webhook-delivery-id": "the same for all of one second",
  "x-wc-webhook-signature": createHmac("sha256", secret).update(body).digest("base64"),
});
