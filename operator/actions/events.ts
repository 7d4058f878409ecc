import type { EventResolution, StoredEvent } from "../../shared/aws/table.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import {
  isTestMode,
  type Key,
  type Message,
  partsOf,
  type Received,
  renamePayment,
} from "../../shared/intake/message.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { refold } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { keyNamed, nameOf, nowOf, type OperatorDependencies, unknownSubscription } from "./dependencies.ts";
import { importType } from "./import.ts";
import { type Reparsed, reparse } from "./reparse.ts";
import { rewrite } from "./rewrite.ts";

/** `unclear`: today's code cannot read it either, and it stays where it is. */
export type Replayed = { understood: EventResolution["as"]; why: string } | { unparseable: string };

/** Reads an event of no subscription again, with today's code, and sends on what it says. @throws Unfit */
export async function replay(name: string, deps: OperatorDependencies): Promise<Replayed> {
  const key = keyNamed("event", name);
  const { received } = await eventAt(key, partsOf(key).id, deps);
  const reading = reparse(partsOf(key).storefront, received);
  if (reading.unparseable !== undefined) return { unparseable: reading.unparseable };
  refuseTestMode(reading, deps);
  await sendOn(reading.facts, deps);
  return storeResolution(key, received, [], reading, deps);
}

/**
 * Reads an event of a subscription again, with today's code, and folds all that is known of the subscription anew.
 * @throws Unfit
 */
export async function replayOf(name: string, id: string, deps: OperatorDependencies): Promise<Replayed> {
  const { table } = deps;
  const key = keyNamed("subscription", name);
  const stored = await eventAt(key, id, deps);
  if (stored.received.type === importType)
    throw new PreconditionFailed(`event ${id} is an import's: the storefront told nothing of it`);
  const reading = reparse(partsOf(key).storefront, stored.received);
  const facts = factsFor(key, reading, stored);
  if (facts.length === 0 && reading.unparseable !== undefined) return { unparseable: reading.unparseable };
  refuseTestMode(reading, deps);
  const factsKept = async () => (await table.events(key)).flatMap(({ events }) => events);
  if (!stored.resolution) {
    const before = await table.load(key);
    if (!before) throw unknownSubscription(key);
    refuseLoss(before.subscription, await factsKept());
  }
  const elsewhere = reading.facts.filter((message) => !isAbout(key, message));
  await sendOn(elsewhere, deps);
  const replayed = await storeResolution(key, stored.received, facts, reading, deps);
  await rewrite(key, deps, async (subscription) => ({
    subscription: refold(subscription, await factsKept()),
    finished: [],
  }));
  return replayed;
}

/** Takes an event that was not understood off the list. @throws Unfit */
export async function dismiss(
  name: string,
  why: string,
  deps: Pick<OperatorDependencies, "table" | "now">,
): Promise<void> {
  const key = keyNamed("event", name);
  const stored = await eventAt(key, partsOf(key).id, deps);
  if (stored.status !== "unparseable" || stored.resolution)
    throw new PreconditionFailed(`event ${name} does not wait for a person`);
  await deps.table.resolveEvent(key, stored.received, [], { as: "dismissed", at: nowOf(deps), why });
}

async function eventAt(key: Key, id: string, { table }: Pick<OperatorDependencies, "table">): Promise<StoredEvent> {
  const known = await table.events(key);
  const stored = known.find(({ received }) => received.id === id);
  if (stored) return stored;
  const { kind } = partsOf(key);
  if (kind === "event")
    throw new PreconditionFailed(
      `no event ${nameOf(key)} is kept by itself: of a subscription, name that and the event`,
    );
  throw new PreconditionFailed(`${nameOf(key)} has no event ${id}${known.length > 0 ? "" : ", nor any other"}`);
}

function refuseTestMode({ facts }: Reparsed, { catalog }: Pick<OperatorDependencies, "catalog">): void {
  if (facts.some(isTestMode) && !catalog.policy.acceptTestMode) {
    throw new PreconditionFailed("it is from the storefront's test mode, which policy.acceptTestMode leaves out");
  }
}

/** Whoever folds anew must not lose a payment whose event is not kept. */
function refuseLoss(subscription: Subscription, kept: readonly Event[]): void {
  const told = refold(subscription, kept).payments;
  const lost = subscription.payments.find(({ id }) => !told.some((payment) => payment.id === id));
  if (lost)
    throw new PreconditionFailed(
      `payment ${lost.id} is known, and no event that is kept tells of it: it would be lost`,
    );
}

/** Of this subscription, or of a reference: what is kept here of such a one has been linked to it. */
const isAbout = (key: Key, { kind, key: of }: Message): boolean =>
  kind !== "link" && (of === key || partsOf(of).kind !== "subscription");

function factsFor(key: Key, { facts }: Reparsed, { received, events }: StoredEvent): Event[] {
  const [payment] = events.flatMap((event) => ("payment" in event && event.payment ? [event.payment] : []));
  return facts.flatMap((message) => {
    if (message.kind === "link" || !isAbout(key, message) || message.received.id !== received.id) return [];
    if (message.key === key) return message.events;
    if (!payment)
      throw new PreconditionFailed(`event ${received.id} tells of a payment that is linked to nothing here`);
    return renamePayment(message.events, payment);
  });
}

async function storeResolution(
  key: Key,
  received: Received,
  facts: Event[],
  reading: Reparsed,
  deps: OperatorDependencies,
): Promise<Replayed> {
  const told = reading.facts.flatMap((message) =>
    message.kind === "event" ? message.events.map(({ type }) => `${type} of ${nameOf(message.key)}`) : [],
  );
  const { ignored = reading.facts.length === 0 ? "it tells nothing" : undefined } = reading;
  const [as, why] =
    told.length === 0 && ignored !== undefined
      ? (["ignored", ignored] as const)
      : (["replayed", told.join(", ") || "a link"] as const);
  await deps.table.resolveEvent(key, received, facts, { as, at: nowOf(deps), why });
  return { understood: as, why };
}

async function sendOn(
  messages: Reparsed["facts"],
  { send, now }: Pick<OperatorDependencies, "send" | "now">,
): Promise<void> {
  // The queue takes what it was sent within five minutes for the same again, unless the word is another one.
  const deduplicationId = `replay ${nowOf({ now })}`;
  await send(messages.map((message, i) => ({ message, deduplicationId: `${deduplicationId} ${i}` })));
}
