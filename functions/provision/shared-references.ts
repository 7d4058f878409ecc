import type { StoredEvent, Table } from "../../shared/aws/table.ts";
import { digestOf } from "../../shared/digest.ts";
import { addedClaims, type Claims } from "../../shared/intake/claims.ts";
import { type Key, keyOf, type Outgoing, partsOf, renamePayment, type Send } from "../../shared/intake/message.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import {
  factsOfSharer,
  type LineOwners,
  lineName,
  linesOf,
  type Sharer,
  unclaimedLines,
} from "../../shared/licensing/line-owners.ts";
import { newSubscription, stands } from "../../shared/licensing/subscription.ts";
import { instantPlus, toInstant } from "../../shared/licensing/time.ts";

export type SharedReferenceDependencies = {
  table: Table;
  catalog: Catalog;
  now: () => Date;
  send: Send;
};

/** Webhooks of one checkout arrive within seconds. An hour leaves time for repeated deliveries. */
const claimedWithinSeconds = 3600;

/**
 * Sends what is known of a reference to each of its subscriptions: of an order's lines, each its own. An order whose lines
 * have no owner is checked again in an hour, because another subscription may still be linked.
 */
export async function distribute(from: Key, deps: SharedReferenceDependencies, isSettled = false): Promise<void> {
  const { table, catalog, send } = deps;
  const known = await table.events(from);
  const events = known.flatMap((event) => event.events);
  const added = addedClaims(from, events, await claimsOf(from, table), catalog, isSettled);
  const now = toInstant(deps.now());
  for (const sharer of added.sharers) await table.putSharer(from, sharer, now);
  for (const [line, to] of Object.entries(added.owners)) await table.putLineOwner(from, line, to);
  const { sharers, owners } = await claimsOf(from, table);
  await send(sharers.flatMap((sharer) => known.flatMap((event) => messageTo(from, sharer, event, owners) ?? [])));
  if (isSettled || !isPaid(known)) return;
  const { storefront } = partsOf(from);
  if (unclaimedLines({ storefront, items: linesOf(events), owners }, catalog).length === 0) return;
  await table.putCheck(from, instantPlus(now, { seconds: claimedWithinSeconds }));
}

const claimsOf = async (from: Key, table: Table): Promise<Claims> => ({
  sharers: await table.sharers(from),
  owners: await table.lineOwners(from),
});

/** An hour after an order was paid: reports the lines that the catalog sells and that no subscription claims. */
export async function checkClaims(from: Key, deps: SharedReferenceDependencies): Promise<void> {
  const { table, catalog, send } = deps;
  const due = await table.checkDue(from);
  if (due === undefined || due > toInstant(deps.now())) return;
  // Since then an event may have linked the order to one subscription.
  if ((await table.link(from)) === undefined) {
    await distribute(from, deps, true);
    const known = await table.events(from);
    const { storefront, id } = partsOf(from);
    const owners = await table.lineOwners(from);
    const items = linesOf(known.flatMap(({ events }) => events));
    const lines = unclaimedLines({ storefront, items, owners }, catalog);
    const paying = known.find(({ events }) => events.some(({ type }) => type === "payment.succeeded"));
    if (paying && isPaid(known) && lines.length > 0) {
      const { received, events } = paying;
      const reason = `order ${id}${buyerIn(events)} is paid, and no subscription claims ${lines.map(lineName).join(", ")}`;
      const key = keyOf("event", storefront, received.id);
      await send([{ message: { key, kind: "unparseable", received, reason }, deduplicationId: received.id }]);
    }
  }
  await table.finishCheck(from);
}

const isPaid = (known: readonly StoredEvent[]): boolean =>
  known
    .flatMap(({ events }) => events)
    .reduce(fold, newSubscription("", ""))
    .payments.some((payment) => payment.paid !== undefined && stands(payment));

/** The facts of one event that concern a subscription of the reference. */
function messageTo(
  from: Key,
  sharer: Sharer,
  { received, events }: StoredEvent,
  owners: LineOwners,
): Outgoing | undefined {
  const theirs = factsOfSharer(renamePayment(events, partsOf(from).id), sharer, owners);
  if (theirs.length === 0) return undefined;
  const message = { key: sharer.to as Key, kind: "event" as const, received, events: theirs };
  // The facts are part of the id: a subscription can get more lines of the same event later.
  return { message, deduplicationId: digestOf(from, received.id, JSON.stringify(theirs)) };
}

/** " of customer 77, jo@example.com", as far as the events contain it. */
function buyerIn(events: readonly Event[]): string {
  const { id, email } = events.find(({ customer }) => customer)?.customer ?? {};
  const known = [...(id === undefined ? [] : [`customer ${id}`]), ...(email === undefined ? [] : [email])];
  return known.length === 0 ? "" : ` of ${known.join(", ")}`;
}
