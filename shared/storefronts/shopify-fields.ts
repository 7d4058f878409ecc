import * as z from "zod/mini";
import { id } from "./fields.ts";

/** Fields that Shopify and the subscription apps on Shopify have in common. */

/** A number, or the name that GraphQL gives it ("gid://shopify/Order/1"). */
export const shopifyId = z.pipe(
  id,
  z.transform((text) => text.replace(/^gid:\/\/shopify\/\w+\//, "")),
);

const monthsIn = new Map([
  ["month", 1],
  ["year", 12],
]);

/** Undefined for days and weeks: licenses are sold by months. */
export function monthsOf(interval: string | null | undefined, count: number): number | undefined {
  const months = monthsIn.get(interval?.toLowerCase() ?? "");
  return months && months * count;
}

type Name = string | null | undefined;
type Sold = { variant: Name; sellingPlan?: Name; sku: Name; product: Name };

/**
 * By variant with its selling plan, variant, SKU, or product. A line of a deleted product can have none of them; its
 * name is in no catalog, so that a person sees it.
 */
export function soldNames({ variant, sellingPlan, sku, product }: Sold): string[] {
  const names = [
    ...(variant && sellingPlan ? [`${variant}@${sellingPlan}`] : []),
    ...(variant ? [variant] : []),
    ...(sku ? [`sku:${sku}`] : []),
    ...(product ? [product] : []),
  ];
  return names.length > 0 ? names : ["a line without variant, SKU, and product"];
}
