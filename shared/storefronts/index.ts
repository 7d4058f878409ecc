import type { StorefrontName } from "../licensing/event.ts";
import { appstle } from "./appstle.ts";
import { chargebee } from "./chargebee.ts";
import { fastspring } from "./fastspring.ts";
import { hostbill } from "./hostbill.ts";
import { lemonsqueezy } from "./lemonsqueezy.ts";
import { paddle } from "./paddle.ts";
import { polar } from "./polar.ts";
import { recharge } from "./recharge.ts";
import { shopify } from "./shopify.ts";
import { standard } from "./standard.ts";
import type { Storefront } from "./storefront.ts";
import { stripe } from "./stripe.ts";
import { woocommerce } from "./woocommerce.ts";

const storefronts: Record<StorefrontName, Storefront> = {
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

export const storefrontNamed = (name: string): Storefront | undefined =>
  Object.hasOwn(storefronts, name) ? storefronts[name as StorefrontName] : undefined;
