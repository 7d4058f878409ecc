import { chargebee } from "./chargebee.ts";
import { fastspring } from "./fastspring.ts";
import { hostbill } from "./hostbill.ts";
import { lemonsqueezy } from "./lemonsqueezy.ts";
import { paddle } from "./paddle.ts";
import { polar } from "./polar.ts";
import type { Shop } from "./shop.ts";
import { shopify } from "./shopify.ts";
import { standard } from "./standard.ts";
import { stripe } from "./stripe.ts";
import { woocommerce } from "./woocommerce.ts";

/** The simulated storefronts by name. */
export const shops: Record<string, Shop> = {
  standard,
  stripe,
  paddle,
  lemonsqueezy,
  polar,
  shopify,
  woocommerce,
  chargebee,
  fastspring,
  hostbill,
};
