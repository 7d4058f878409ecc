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

export type ProvisionDependencies = ConvergeDependencies & { send: Send };

/** Does what one message asks. Each step can be repeated, so a message that failed half-way is simply taken again. */
export async function provision(message: Message, deps: ProvisionDependencies): Promise<void> {
  const { table, catalog } = deps;
  const { key } = message;
  // What newer code queued before a rollback stays in the queue, and then among the dead letters, for that code.
  if (!messageKinds.includes(message.kind))
    throw new Error(`this version knows no message of the kind "${message.kind}"`);
  if (isTestMode(message) && !catalog.policy.acceptTestMode) {
    if (message.kind === "link") return;
    const { received } = message;
    return table.putEvent(key, received, [], { status: "ignored", reason: "from the storefront's test mode" });
  }
  switch (message.kind) {
    case "wake":
      return converge(key, [], deps);
    case "ignored":
    case "unparseable":
      return table.putEvent(key, message.received, [], { status: message.kind, reason: message.reason });
    case "link":
      return relink(key, message.to, deps);
    case "event": {
      const { received, events } = message;
      const waits = partsOf(key).kind === "reference" && events.length > 0;
      await table.putEvent(key, received, events, waits ? unlinked : { status: "applied" });
      if (partsOf(key).kind === "subscription") return converge(key, events, deps);
      const to = await table.link(key);
      if (to) await passOn(key, to, deps);
    }
  }
}

/** A payment of something else that is sold there, as far as is known; passed on as soon as it is linked. */
const unlinked: EventStatus = { status: "ignored", reason: "about a payment of no subscription that is known yet" };

/**
 * Sends what is known of a reference on to what it belongs to. Event and link may come in either order: each is stored
 * before the other is looked for, so whichever is second finds the first.
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
 * Links a reference. What is known of it belongs to one subscription: a reference that was linked to another one moves,
 * and takes its payment along. The link is stored before what is known is passed on, so an event that comes meanwhile
 * finds it, and after the facts of a move, so a move that was cut off is made again.
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
