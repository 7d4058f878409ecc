import { digestOf } from "../digest.ts";
import type { Event } from "../licensing/event.ts";
import { type Instant, instantPlus, noTimestamp, toInstant } from "../licensing/time.ts";
import type { Log } from "../observability/log.ts";
import type { ParsedEvent, SignedRequest, Storefront, Subject } from "../storefronts/storefront.ts";
import { type Key, keyOf, type Message, type Outgoing, type Received, type Send } from "./message.ts";

const maxEventsPerBody = 100;
/** What one event tells is stored beside its body. */
const maxFactsBytes = 64 * 1024;

/** `packed`: the body as it is kept. */
export type VerifiedBody = { body: unknown; headers: SignedRequest["headers"]; packed: string };

export type EnqueueDependencies = { send: Send; now: () => Date; log: Log };

/** Makes durable what a body says that is trusted. @throws Error when the queue does not take it */
export async function enqueue(
  storefront: Storefront,
  { body, headers, packed }: VerifiedBody,
  { send, now, log }: EnqueueDependencies,
): Promise<void> {
  const { name } = storefront;
  const told = limitEvents(storefront.events(body, headers));
  const came = { receivedAt: toInstant(now()), ...keptHeaders(storefront, headers), body: packed };
  const outgoing = told.flatMap((one) => messagesOf(name, one, came));
  for (const { id, type, kind } of told.map(truncate))
    log.info("webhook verified", { storefront: name, event: id, type, kind: kind });
  await send(outgoing);
}

/** Each event is sent with the whole body. */
function limitEvents(told: ParsedEvent[]): ParsedEvent[] {
  const [first] = told;
  if (!first || told.length <= maxEventsPerBody) return told;
  const reason = `it tells ${told.length} events at once, more than ${maxEventsPerBody}`;
  return [{ id: "", type: first.type, kind: "unparseable", reason }];
}

/** Any text of a body can be as long as the body. */
function truncate(told: ParsedEvent): ParsedEvent {
  const head = { ...told, type: told.type.slice(0, 100) };
  if (head.kind !== "facts") return { ...head, reason: head.reason.slice(0, 500) };
  const { id, type, occurredAt, test, events } = head;
  const size = Buffer.byteLength(JSON.stringify(events));
  if (size <= maxFactsBytes) return head;
  const reason = `it tells ${size} bytes of facts, more than can be kept`;
  return { id, type, ...(occurredAt && { occurredAt }), ...(test && { test }), kind: "unparseable", reason };
}

type StoredRequest = Pick<Received, "receivedAt" | "headers" | "body">;

function keptHeaders(
  { headers: names = [] }: Storefront,
  headers: SignedRequest["headers"],
): Pick<Received, "headers"> {
  const kept = names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
  return kept.length > 0 ? { headers: Object.fromEntries(kept) } : {};
}

/** The messages that carry what one event says to whom it is about. */
export function messagesOf(storefront: string, read: ParsedEvent, came: StoredRequest): Outgoing[] {
  const told = truncate(read);
  const deduplicationId = digestOf(told.id, came.body);
  const id = idOf(told.id, deduplicationId);
  const received: Received = {
    id,
    type: told.type,
    occurredAt: told.occurredAt ?? noTimestamp,
    ...(told.test && { test: true }),
    ...came,
  };
  const to = (message: Message): Outgoing => ({ message, deduplicationId });
  if (told.kind !== "facts") {
    const kind = told.kind === "ignored" ? "ignored" : "unparseable";
    // What is ignored is kept with the subscription that it concerns. What is not understood stays on the list by itself.
    const key =
      kind === "ignored" && told.about ? keyOfSubject(storefront, told.about) : keyOf("event", storefront, id);
    return [to({ key, kind, received, reason: told.reason })];
  }
  const links = (told.links ?? []).map(({ reference, to: subject, ...terms }): Outgoing => {
    const key = keyOf("reference", storefront, reference);
    const target = keyOfSubject(storefront, subject);
    const message: Message = { key, kind: "link", to: target, ...terms, ...(told.test && { test: true }) };
    // One event can link a reference to several subjects.
    return { message, deduplicationId: digestOf(deduplicationId, target) };
  });
  const events = told.events.map((event) => ({ ...notLaterThan(came.receivedAt, event), id }));
  const about = keyOfSubject(storefront, told.about);
  return [to({ key: about, kind: "event", received, events }), ...links];
}

/** How far a storefront's clock may run ahead of ours. */
const maxClockSkewSeconds = 300;

/** A fact dated in the future would outrank every fact until then, so it counts from its receipt. */
function notLaterThan(receivedAt: Instant, event: Event): Event {
  const latest = instantPlus(receivedAt, { seconds: maxClockSkewSeconds });
  const clamp = (at: Instant): Instant => (at > latest ? receivedAt : at);
  const { occurredAt, items } = event;
  return {
    ...event,
    occurredAt: clamp(occurredAt),
    ...(items && { items: { ...items, asOf: clamp(items.asOf) } }),
  };
}

const keyOfSubject = (storefront: string, subject: Subject): Key =>
  "subscription" in subject
    ? keyOf("subscription", storefront, subject.subscription)
    : keyOf("reference", storefront, subject.reference);

/** Ids become table keys: what is empty or too long for one is known by its digest. */
const idOf = (id: string, digest: string): string => (id.length > 0 && id.length <= 200 ? id : digest);
