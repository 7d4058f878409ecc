import { Life } from "./life.ts";

/** A customer's life at each storefront that has fixtures. All of them buy the same: three nodes, later five, two renewals. */
export const lives = {
  "Stripe since API version basil": new Life("stripe", "sub_1SWxQ2Lkd9mVfR3a", "stripe/basil"),
  "Stripe before API version basil": new Life("stripe", "sub_1SWxQ2Lkd9mVfR3a", "stripe/older"),
  Paddle: new Life("paddle", "sub_01kb2w3x4y5z6a7b8c9d0e1f2g"),
  "Lemon Squeezy": new Life("lemonsqueezy", "77001"),
  Polar: new Life("polar", "5c0f3f1e-8f0a-4f6e-9a55-1d7a3f0b2c01"),
  Shopify: new Life("shopify", "9998878778"),
  WooCommerce: new Life("woocommerce", "1300"),
  Chargebee: new Life("chargebee", "AzyPRtUh8r2Ym9"),
  FastSpring: new Life("fastspring", "Qk3vRz0fTUuV8pLmN2sXyA"),
  HostBill: new Life("hostbill", "49"),
  Appstle: new Life("appstle", "29905485997"),
  Recharge: new Life("recharge", "89562349"),
} as const;
