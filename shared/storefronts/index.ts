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

/** A new storefront is one file and one line here. */
const all: Storefront[] = [
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
];

export const storefrontNamed = (name: string): Storefront | undefined =>
  all.find((storefront) => storefront.name === name);

export const storefrontNamesBuilt: readonly string[] = all.map((storefront) => storefront.name);
