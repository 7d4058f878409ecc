/** Replays and dismisses stored events. */
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
import { archivedId } from "../../shared/licensing/compaction.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { factsOfSharer } from "../../shared/licensing/line-owners.ts";
import { refold } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { keyNamed, nameOf, nowOf, type OperatorDependencies, unknownSubscription } from "./dependencies.ts";
import { importType } from "./import.ts";
import { type Reparsed, reparse } from "./reparse.ts";
import { rewrite } from "./rewrite.ts";

/** `unparseable`: the current code cannot parse the event either, and nothing was changed. */
export type Replayed =
  | { kind: "understood"; as: EventResolution["as"]; why: string }
  | { kind: "unparseable"; reason: string };

/** Parses an event that is not linked to a subscription again, and sends its facts to the queue. @throws PreconditionFailed */
export async function replay(name: string, deps: OperatorDependencies): Promise<Replayed> {
  const key = keyNamed("event", name);
  const { received } = await loadEvent(key, partsOf(key).id, deps);
  const reparsed = reparse(partsOf(key).storefront, received);
  if (reparsed.unparseable !== undefined) return { kind: "unparseable", reason: reparsed.unparseable };
  refuseTestMode(reparsed, deps);
  await sendFacts(reparsed.facts, deps);
  return storeResolution(key, received, [], reparsed, deps);
}

/** Parses an event of a subscription again, and refolds the subscription from all of its events. @throws PreconditionFailed */
export async function replayForSubscription(name: string, id: string, deps: OperatorDependencies): Promise<Replayed> {
  const { table } = deps;
  const key = keyNamed("subscription", name);
  const stored = await loadEvent(key, id, deps);
  if (stored.received.type === importType)
    throw new PreconditionFailed(`event ${id} was made by an import, not by the storefront; it cannot be replayed`);
  const reparsed = reparse(partsOf(key).storefront, stored.received);
  const facts = await factsFor(key, reparsed, stored, table);
  if (facts.length === 0 && reparsed.unparseable !== undefined)
    return { kind: "unparseable", reason: reparsed.unparseable };
  refuseTestMode(reparsed, deps);
  const storedFacts = async () => (await table.events(key)).flatMap(({ events }) => events);
  if (!stored.resolution) {
    const before = await table.load(key);
    if (!before) throw unknownSubscription(key);
    refuseLostPayment(before.subscription, await storedFacts());
  }
  const otherSubjects = reparsed.facts.filter((message) => !concerns(key, message));
  await sendFacts(otherSubjects, deps);
  const replayed = await storeResolution(key, stored.received, facts, reparsed, deps);
  await rewrite(key, deps, async (subscription) => ({
    subscription: refold(subscription, await storedFacts()),
    finished: [],
  }));
  return replayed;
}

/** Takes an event that was not understood off the attention list. @throws PreconditionFailed */
export async function dismiss(
  name: string,
  why: string,
  deps: Pick<OperatorDependencies, "table" | "now">,
): Promise<void> {
  const key = keyNamed("event", name);
  const stored = await loadEvent(key, partsOf(key).id, deps);
  if (stored.status !== "unparseable" || stored.resolution)
    throw new PreconditionFailed(`event ${name} does not need attention; there is nothing to dismiss`);
  await deps.table.resolveEvent(key, stored.received, [], { as: "dismissed", at: nowOf(deps), why });
}

async function loadEvent(key: Key, id: string, { table }: Pick<OperatorDependencies, "table">): Promise<StoredEvent> {
  const stored = (await table.events(key)).find(({ received }) => received.id === id);
  if (stored) return stored;
  if (partsOf(key).kind === "event")
    throw new PreconditionFailed(
      `no event ${nameOf(key)} is known; if it belongs to a subscription, name the subscription and then the event id`,
    );
  throw new PreconditionFailed(`${nameOf(key)} has no event ${id}; show lists its events`);
}

function refuseTestMode({ facts }: Reparsed, { catalog }: Pick<OperatorDependencies, "catalog">): void {
  if (facts.some(isTestMode) && !catalog.policy.acceptTestMode) {
    throw new PreconditionFailed("the event is from the storefront's test mode, and policy.acceptTestMode is false");
  }
}

/** A refold drops every payment that no stored event contains. */
function refuseLostPayment(subscription: Subscription, kept: readonly Event[]): void {
  const left = refold(subscription, kept).payments;
  const lost = subscription.payments.find(({ id }) => id !== archivedId && !left.some((payment) => payment.id === id));
  if (lost)
    throw new PreconditionFailed(
      `payment ${lost.id} is not contained in any stored event; a replay would lose it, so nothing was changed`,
    );
}

/** Messages about a payment reference count too: a stored one has been linked to this subscription. */
const concerns = (key: Key, { kind, key: subject }: Message): boolean =>
  kind !== "link" && (subject === key || partsOf(subject).kind !== "subscription");

async function factsFor(
  key: Key,
  { facts }: Reparsed,
  { received, events }: StoredEvent,
  table: Pick<OperatorDependencies["table"], "sharers" | "lineOwners">,
): Promise<Event[]> {
  const [payment] = events.flatMap((event) => ("payment" in event && event.payment ? [event.payment] : []));
  const found = facts.map(async (message) => {
    if (message.kind === "link" || !concerns(key, message) || message.received.id !== received.id) return [];
    if (message.key === key) return message.events;
    if (!payment)
      throw new PreconditionFailed(
        `event ${received.id} is about a payment that is not linked to ${nameOf(key)}; replay it there`,
      );
    const renamed = renamePayment(message.events, payment);
    const sharer = (await table.sharers(message.key)).find(({ to }) => to === key);
    return sharer ? factsOfSharer(renamed, sharer, await table.lineOwners(message.key)) : renamed;
  });
  return (await Promise.all(found)).flat();
}

async function storeResolution(
  key: Key,
  received: Received,
  events: Event[],
  { facts, ignored = facts.length === 0 ? "it contains no facts" : undefined }: Reparsed,
  deps: OperatorDependencies,
): Promise<Replayed> {
  const applied = facts.flatMap((message) =>
    message.kind === "event" ? message.events.map(({ type }) => `${type} of ${nameOf(message.key)}`) : [],
  );
  const [as, why] =
    applied.length === 0 && ignored !== undefined
      ? (["ignored", ignored] as const)
      : (["replayed", applied.join(", ") || "a link"] as const);
  await deps.table.resolveEvent(key, received, events, { as, at: nowOf(deps), why });
  return { kind: "understood", as, why };
}

async function sendFacts(
  messages: Reparsed["facts"],
  { send, now }: Pick<OperatorDependencies, "send" | "now">,
): Promise<void> {
  // The queue drops a deduplication id that it received within five minutes, so each replay needs its own.
  const deduplicationId = `replay ${nowOf({ now })}`;
  await send(messages.map((message, i) => ({ message, deduplicationId: `${deduplicationId} ${i}` })));
}
