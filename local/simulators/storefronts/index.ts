import { appstle } from "./appstle.ts";
import { chargebee } from "./chargebee.ts";
import { fastspring } from "./fastspring.ts";
import { hostbill } from "./hostbill.ts";
import { lemonsqueezy } from "./lemonsqueezy.ts";
import { paddle } from "./paddle.ts";
import { polar } from "./polar.ts";
import { recharge } from "./recharge.ts";
import type { Shop } from "./shop.ts";
import { shopify } from "./shopify.ts";
import { standard } from "./standard.ts";
import { stripe } from "./stripe.ts";
import { woocommerce } from "./woocommerce.ts";

/** Each storefront as one who sells there: what it sends in the course of a customer's life, signed. */
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
  appstle,
  recharge,
};
