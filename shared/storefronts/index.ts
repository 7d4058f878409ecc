import { fastspring } from "./fastspring.ts";
import { hostbill } from "./hostbill.ts";
import { standard } from "./standard.ts";
import type { Storefront } from "./storefront.ts";
import { stripe } from "./stripe.ts";

/** A new storefront is one file and one line here. */
const all: Storefront[] = [standard, stripe, fastspring, hostbill];

export const storefrontNamed = (name: string): Storefront | undefined =>
  all.find((storefront) => storefront.name === name);

export const builtStorefronts: readonly string[] = all.map((storefront) => storefront.name);
