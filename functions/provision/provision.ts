import type { EventStatus } from "../../shared/aws/table.ts";
import { digestOf } from "../../shared/digest.ts";
import {
  isTestMode,
  type Key,
  type Message,
  messageKinds,
  type Outgoing,
  partsOf,
  type Received,
  renamePayment,
  type Send,
} from "../../shared/intake/message.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { type ConvergeDependencies, converge } from "./converge.ts";
import { checkClaims, distribute } from "./shared-references.ts";

export type ProvisionDependencies = ConvergeDependencies & { send: Send };

/** Handles one message. Each step is idempotent, so a message that failed half-way can be handled again. */
export async function provision(message: Message, deps: ProvisionDependencies): Promise<void> {
  const { table, catalog } = deps;
  const { key } = message;
  // Newer code may have queued this kind before a rollback. The message stays in the queue, and later among the dead
  // letters, until that code runs again.
  if (!messageKinds.includes(message.kind))
    throw new Error(`this version knows no message of the kind "${message.kind}"`);
  if (isTestMode(message) && !catalog.policy.acceptTestMode) {
    if (message.kind === "link") return;
    const { received } = message;
    return table.putEvent(key, received, [], { status: "ignored", reason: "from the storefront's test mode" });
  }
  switch (message.kind) {
    case "wake":
      return partsOf(key).kind === "reference" ? checkClaims(key, deps) : converge(key, [], deps);
    case "ignored":
    case "unparseable":
      return table.putEvent(key, message.received, [], { status: message.kind, reason: message.reason });
    case "link":
      return link(key, message, deps);
    case "event": {
      const { received, events } = message;
      const waits = partsOf(key).kind === "reference" && events.length > 0;
      await table.putEvent(key, received, events, waits ? unlinked : { status: "applied" });
      if (partsOf(key).kind === "subscription") return converge(key, events, deps);
      const to = await table.link(key);
      return to ? passOn(key, to, deps) : distribute(key, deps);
    }
  }
}

/** A reference is linked to one subscription, or shared by several. The kind of its first link counts. */
async function link(from: Key, { to, shared, months }: Message & { kind: "link" }, deps: ProvisionDependencies) {
  const { table, now } = deps;
  const isShared = shared ? (await table.link(from)) === undefined : (await table.sharers(from)).length > 0;
  // An order that a contract shares can be named again by a billing attempt.
  if (!isShared) return shared ? undefined : relink(from, to, deps);
  await table.putSharer(from, { to, ...(months !== undefined && { months }) }, toInstant(now()));
  return distribute(from, deps);
}

/** The status of a payment without a known subscription: another sale of the shop, unless a link follows. */
const unlinked: EventStatus = { status: "ignored", reason: "about a payment of no subscription that is known yet" };

/**
 * Sends the stored events of a reference to the subscription that it is linked to. Event and link can arrive in either
 * order. Each is stored before the other is looked up, so the second finds the first.
 */
async function passOn(from: Key, to: Key, { table, send }: ProvisionDependencies): Promise<void> {
  const { id: payment } = partsOf(from);
  const known = await table.events(from);
  const outgoing = known.flatMap(({ received, events }): Outgoing[] => {
    if (events.length === 0) return [];
    const theirs = renamePayment(events, payment);
    return [
      { message: { key: to, kind: "event", received, events: theirs }, deduplicationId: `${from} ${received.id}` },
    ];
  });
  await send(outgoing);
}

/**
 * Links a reference to a subscription. A reference has one link: if it was linked to another subscription, its payment
 * moves. The order of the writes matters. The facts of the move come before the link, so that an interrupted move is
 * made again. The link comes before the stored events, so that an event that arrives meanwhile finds it.
 */
async function relink(from: Key, to: Key, deps: ProvisionDependencies): Promise<void> {
  const before = await deps.table.link(from);
  if (before !== undefined && before !== to) {
    await deps.send([unlinkMessage(from, before, false, deps), unlinkMessage(from, to, true, deps)]);
  }
  await deps.table.putLink(from, to);
  await passOn(from, to, deps);
}

/** The fact that a payment does not belong to a subscription, or belongs to it again. */
function unlinkMessage(from: Key, to: Key, reversed: boolean, { now }: ProvisionDependencies): Outgoing {
  const at = toInstant(now());
  const { id: payment } = partsOf(from);
  const id = `unlink-${digestOf(from, to, at).slice(0, 16)}`;
  const event: Event = { id, occurredAt: at, type: "payment.unlinked", payment, reversed };
  const received: Received = {
    id,
    type: "payment.unlinked",
    occurredAt: at,
    receivedAt: at,
    body: JSON.stringify(event),
  };
  return { message: { key: to, kind: "event", received, events: [event] }, deduplicationId: id };
}
