/** Decides which subscription owns which line of an order that several subscriptions can share. */
import type { Catalog } from "../licensing/catalog.ts";
import type { Event } from "../licensing/event.ts";
import {
  customersOf,
  type LineOwners,
  linesOf,
  newOwners,
  type Sharer,
  unclaimedLines,
} from "../licensing/line-owners.ts";
import { type Key, keyOf, partsOf } from "./message.ts";

export type SharerOf = Sharer & { to: Key };
export type Claims = { sharers: readonly SharerOf[]; owners: LineOwners };

/**
 * Returns the claims that the events of a reference add to those that are stored.
 * @param isSettled whether no other subscription can still be linked
 */
export function addedClaims(
  from: Key,
  events: readonly Event[],
  stored: Claims,
  catalog: Catalog,
  isSettled = false,
): Claims {
  const { storefront } = partsOf(from);
  const lines = linesOf(events);
  if (storefront !== "shopify" || catalog.policy.shopifyOrders === "contract")
    return { sharers: [], owners: newOwners({ storefront, items: lines, ...stored }, catalog, isSettled) };
  // Another app's contract pays for the order, so it belongs to its customer. Without a customer it has no owner.
  const customer = events.find((event) => event.customer?.id !== undefined)?.customer?.id;
  if (customer === undefined) return { sharers: [], owners: {} };
  const byLine = [...customersOf({ storefront, items: lines, owners: stored.owners }, customer, catalog)].map(
    ([line, { to, months }]) => [line, { to: keyOf("subscription", storefront, to), months }] as const,
  );
  const isStored = ({ to }: SharerOf) => stored.sharers.some((sharer) => sharer.to === to);
  const sharers = [...new Map(byLine.map(([, sharer]) => [sharer.to, sharer])).values()].filter((s) => !isStored(s));
  const owners = Object.fromEntries(byLine.map(([line, { to }]) => [line, to]));
  // A shop's orders contain anything, unlike those of a contract. Other goods belong to no license.
  const items = unclaimedLines({ storefront, items: lines, owners: {} }, catalog);
  const order = {
    storefront,
    items,
    sharers: [...stored.sharers, ...sharers],
    owners: { ...stored.owners, ...owners },
  };
  return { sharers, owners: { ...owners, ...newOwners(order, catalog, isSettled) } };
}
