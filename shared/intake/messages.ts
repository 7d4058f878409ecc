import { digestOf } from "../digest.ts";
import type { Event } from "../licensing/event.ts";
import { type Instant, instantPlus, noTimestamp, toInstant } from "../licensing/time.ts";
import type { Log } from "../observability/log.ts";
import type { ParsedEvent, SignedRequest, Storefront, Subject } from "../storefronts/storefront.ts";
import { type Key, keyOf, type Message, type Outgoing, type Received, type Send } from "./message.ts";

const maxEventsPerBody = 100;
/** The facts of an event are stored in the same item as its body. */
const maxFactsBytes = 64 * 1024;

/** `packed`: the body as it will be stored. */
export type VerifiedBody = { body: unknown; headers: SignedRequest["headers"]; packed: string };

export type EnqueueDependencies = { send: Send; now: () => Date; log: Log };

/** Queues the events of a trusted body. @throws if the queue does not accept them all */
export async function enqueue(
  storefront: Storefront,
  { body, headers, packed }: VerifiedBody,
  { send, now, log }: EnqueueDependencies,
): Promise<void> {
  const { name } = storefront;
  const parsed = limitEvents(storefront.events(body, headers));
  const request = { receivedAt: toInstant(now()), ...storedHeaders(storefront, headers), body: packed };
  const outgoing = parsed.flatMap((one) => messagesOf(name, one, request));
  for (const { id, type, kind } of parsed.map(truncate))
    log.info("webhook verified", { storefront: name, event: id, type, kind });
  await send(outgoing);
}

/** Limits the number of events, because each one is queued with the whole body. */
function limitEvents(parsed: ParsedEvent[]): ParsedEvent[] {
  const [first] = parsed;
  if (!first || parsed.length <= maxEventsPerBody) return parsed;
  const reason = `it contains ${parsed.length} events, more than ${maxEventsPerBody}`;
  return [{ id: "", type: first.type, kind: "unparseable", reason }];
}

/** Limits the sizes of the texts and the facts, which can be as long as the body. */
function truncate(parsed: ParsedEvent): ParsedEvent {
  const head = { ...parsed, type: parsed.type.slice(0, 100) };
  if (head.kind !== "facts") return { ...head, reason: head.reason.slice(0, 500) };
  const { id, type, occurredAt, test, events } = head;
  const size = Buffer.byteLength(JSON.stringify(events));
  if (size <= maxFactsBytes) return head;
  const reason = `it contains ${size} bytes of facts, more than ${maxFactsBytes} can be stored`;
  return { id, type, ...(occurredAt && { occurredAt }), ...(test && { test }), kind: "unparseable", reason };
}

type StoredRequest = Pick<Received, "receivedAt" | "headers" | "body">;

function storedHeaders(
  { headers: names = [] }: Storefront,
  headers: SignedRequest["headers"],
): Pick<Received, "headers"> {
  const present = names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
  return present.length > 0 ? { headers: Object.fromEntries(present) } : {};
}

/** The messages that deliver one event to its subscription, reference, or attention item. */
export function messagesOf(storefront: string, event: ParsedEvent, request: StoredRequest): Outgoing[] {
  const parsed = truncate(event);
  const deduplicationId = digestOf(parsed.id, request.body);
  const id = idOf(parsed.id, deduplicationId);
  const received: Received = {
    id,
    type: parsed.type,
    occurredAt: parsed.occurredAt ?? noTimestamp,
    ...(parsed.test && { test: true }),
    ...request,
  };
  const outgoing = (message: Message): Outgoing => ({ message, deduplicationId });
  if (parsed.kind !== "facts") {
    const { kind, about, reason } = parsed;
    // An ignored event is stored with the subscription that it concerns. An unparseable one is a separate attention item.
    const key = kind === "ignored" && about ? keyOfSubject(storefront, about) : keyOf("event", storefront, id);
    return [outgoing({ key, kind, received, reason })];
  }
  const links = (parsed.links ?? []).map(({ reference, to: subject, ...terms }): Outgoing => {
    const key = keyOf("reference", storefront, reference);
    const target = keyOfSubject(storefront, subject);
    const message: Message = { key, kind: "link", to: target, ...terms, ...(parsed.test && { test: true }) };
    // One event can link a reference to several subjects.
    return { message, deduplicationId: digestOf(deduplicationId, target) };
  });
  const events = parsed.events.map((fact) => ({ ...clampTimes(fact, request.receivedAt), id }));
  const key = keyOfSubject(storefront, parsed.about);
  return [outgoing({ key, kind: "event", received, events }), ...links];
}

/** How far a storefront's clock may run ahead of ours. */
const maxClockSkewSeconds = 300;

/** A fact dated in the future would outrank every fact until then, so it counts from its receipt. */
function clampTimes(event: Event, receivedAt: Instant): Event {
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

/** Ids become table keys. An id that is empty or too long for a key is replaced by its digest. */
const idOf = (id: string, digest: string): string => (id.length > 0 && id.length <= 200 ? id : digest);
