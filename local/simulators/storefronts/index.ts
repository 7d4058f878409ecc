import type { StorefrontName } from "../../../shared/licensing/event.ts";
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

/** The simulated storefronts by name. */
export const shops: Partial<Record<StorefrontName, Shop>> = {
  standard,
  stripe,
  paddle,
  lemonsqueezy,
  shopify,
  woocommerce,
  chargebee,
  fastspring,
  polar,
  hostbill,
  appstle,
  recharge,
};

export const shopNamed = (name: string): Shop | undefined =>
  Object.hasOwn(shops, name) ? shops[name as StorefrontName] : undefined;
