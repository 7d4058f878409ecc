import * as z from "zod/mini";
import type { Customer } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { countUpTo, flag, id, listOf } from "./fields.ts";
import type { Link } from "./storefront.ts";

/** Fields that several of Stripe's objects share, and the facts in them. */

export type Head = { id: string; type: string; occurredAt: Instant; test: boolean };
export type Fact = { id: string; occurredAt: Instant; customer: Customer };

/** An id, or the expanded object. */
export const ref = z.pipe(
  z.union([id, z.object({ id })]),
  z.transform((value) => (typeof value === "string" ? value : value.id)),
);
export const maybe = z.nullish(ref);

/** Metered usage is billed by the call or the byte. */
export const quantity = z.nullish(countUpTo(1_000_000_000_000));

/** A price or, in older versions, a plan: its id or the object. */
export const priced = z.nullish(
  z.pipe(
    z.union([id, z.object({ id, product: maybe })]),
    z.transform((value): { id: string; product?: string | null | undefined } =>
      typeof value === "string" ? { id: value } : value,
    ),
  ),
);

export const list = <T extends z.core.$ZodType>(element: T) =>
  z.nullish(z.object({ data: listOf(element), has_more: flag(false) }));

/** An item can be sold in the catalog by its price or by its product. */
export const namesOf = (price: { id: string; product?: string | null | undefined }): string[] =>
  price.product ? [price.id, price.product] : [price.id];

type Bought = { customer?: string | null | undefined; customer_email?: string | null | undefined };

export function factOf(object: Bought, { id, occurredAt }: Head): Fact {
  const customer: Customer = {};
  if (object.customer) customer.id = object.customer;
  if (object.customer_email) customer.email = object.customer_email;
  return { id, occurredAt, customer };
}

type Charged = { payment_intent?: string | null | undefined; charge?: string | null | undefined };

/** A payment intent and its charge are one part, which has the name of the first. */
export const partsOf = ({ payment_intent, charge }: Charged): string[] =>
  [payment_intent, charge].filter((one) => one != null);

export const linksTo = (invoice: string, charged: Charged): Link[] =>
  partsOf(charged).map((reference) => ({ reference, to: { reference: invoice } }));
