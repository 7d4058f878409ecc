import type { Settled, StoredEvent } from "../../shared/aws/table.ts";
import { isTest, type Key, type Message, partsOf, type Received, toldAs } from "../../shared/intake/message.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { refold, Unfit } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { keyNamed, nameOf, nowOf, unknownSubscription, type World } from "./dependencies.ts";
import { importType } from "./import.ts";
import { type Reading, readAgain } from "./reparse.ts";
import { rewrite } from "./rewrite.ts";

/** `unclear`: today's code cannot read it either, and it stays where it is. */
export type Replayed = { understood: Settled["as"]; why: string } | { unclear: string };

/** Reads an event of no subscription again, with today's code, and sends on what it says. @throws Unfit */
export async function replay(name: string, world: World): Promise<Replayed> {
  const key = keyNamed("event", name);
  const { received } = await eventAt(key, partsOf(key).id, world);
  const reading = readAgain(partsOf(key).storefront, received);
  if (reading.unclear !== undefined) return { unclear: reading.unclear };
  refuseTests(reading, world);
  await sendOn(reading.facts, world);
  return settle(key, received, [], reading, world);
}

/**
 * Reads an event of a subscription again, with today's code, and folds all that is known of the subscription anew.
 * @throws Unfit
 */
export async function replayOf(name: string, id: string, world: World): Promise<Replayed> {
  const { table } = world;
  const key = keyNamed("subscription", name);
  const stored = await eventAt(key, id, world);
  if (stored.received.type === importType)
    throw new Unfit(`event ${id} is an import's: the storefront told nothing of it`);
  const reading = readAgain(partsOf(key).storefront, stored.received);
  const facts = factsFor(key, reading, stored);
  if (facts.length === 0 && reading.unclear !== undefined) return { unclear: reading.unclear };
  refuseTests(reading, world);
  const factsKept = async () => (await table.events(key)).flatMap(({ events }) => events);
  if (!stored.settled) {
    const before = await table.load(key);
    if (!before) throw unknownSubscription(key);
    refuseLoss(before.subscription, await factsKept());
  }
  const elsewhere = reading.facts.filter((message) => !isAbout(key, message));
  await sendOn(elsewhere, world);
  const replayed = await settle(key, stored.received, facts, reading, world);
  await rewrite(key, world, async (subscription) => ({
    subscription: refold(subscription, await factsKept()),
    finished: [],
  }));
  return replayed;
}

/** Takes an event that was not understood off the list. @throws Unfit */
export async function dismiss(name: string, why: string, world: Pick<World, "table" | "now">): Promise<void> {
  const key = keyNamed("event", name);
  const stored = await eventAt(key, partsOf(key).id, world);
  if (stored.became !== "unclear" || stored.settled) throw new Unfit(`event ${name} does not wait for a person`);
  await world.table.settleEvent(key, stored.received, [], { as: "dismissed", at: nowOf(world), why });
}

async function eventAt(key: Key, id: string, { table }: Pick<World, "table">): Promise<StoredEvent> {
  const known = await table.events(key);
  const stored = known.find(({ received }) => received.id === id);
  if (stored) return stored;
  const { kind } = partsOf(key);
  if (kind === "event")
    throw new Unfit(`no event ${nameOf(key)} is kept by itself: of a subscription, name that and the event`);
  throw new Unfit(`${nameOf(key)} has no event ${id}${known.length > 0 ? "" : ", nor any other"}`);
}

function refuseTests({ facts }: Reading, { catalog }: Pick<World, "catalog">): void {
  if (facts.some(isTest) && !catalog.policy.acceptTestMode) {
    throw new Unfit("it is from the storefront's test mode, which policy.acceptTestMode leaves out");
  }
}

/** Whoever folds anew must not lose a payment whose event is not kept. */
function refuseLoss(subscription: Subscription, kept: readonly Event[]): void {
  const told = refold(subscription, kept).payments;
  const lost = subscription.payments.find(({ id }) => !told.some((payment) => payment.id === id));
  if (lost) throw new Unfit(`payment ${lost.id} is known, and no event that is kept tells of it: it would be lost`);
}

/** Of this subscription, or of a reference: what is kept here of such a one has been linked to it. */
const isAbout = (key: Key, { kind, key: of }: Message): boolean =>
  kind !== "link" && (of === key || partsOf(of).kind !== "subscription");

function factsFor(key: Key, { facts }: Reading, { received, events }: StoredEvent): Event[] {
  const [payment] = events.flatMap((event) => ("payment" in event && event.payment ? [event.payment] : []));
  return facts.flatMap((message) => {
    if (message.kind === "link" || !isAbout(key, message) || message.received.id !== received.id) return [];
    if (message.key === key) return message.events;
    if (!payment) throw new Unfit(`event ${received.id} tells of a payment that is linked to nothing here`);
    return toldAs(message.events, payment);
  });
}

async function settle(key: Key, received: Received, facts: Event[], reading: Reading, world: World): Promise<Replayed> {
  const told = reading.facts.flatMap((message) =>
    message.kind === "event" ? message.events.map(({ type }) => `${type} of ${nameOf(message.key)}`) : [],
  );
  const { ignored = reading.facts.length === 0 ? "it tells nothing" : undefined } = reading;
  const [as, why] =
    told.length === 0 && ignored !== undefined
      ? (["ignored", ignored] as const)
      : (["replayed", told.join(", ") || "a link"] as const);
  await world.table.settleEvent(key, received, facts, { as, at: nowOf(world), why });
  return { understood: as, why };
}

async function sendOn(messages: Reading["facts"], { send, now }: Pick<World, "send" | "now">): Promise<void> {
  // The queue takes what it was sent within five minutes for the same again, unless the word is another one.
  const once = `replay ${nowOf({ now })}`;
  await send(messages.map((message, i) => ({ message, once: `${once} ${i}` })));
}
