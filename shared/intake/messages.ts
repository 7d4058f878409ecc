import { digestOf } from "../digest.ts";
import { toInstant, untold } from "../licensing/time.ts";
import type { Log } from "../observability/log.ts";
import type { SignedRequest, Storefront, Subject, Told } from "../storefronts/storefront.ts";
import { type Key, keyOf, type Message, type Outgoing, type Received, type Send } from "./message.ts";

const mostAtOnce = 100;
/** What one event tells is stored beside its body. */
const largestFacts = 64 * 1024;

/** `packed`: the body as it is kept. */
export type Trusted = { body: unknown; headers: SignedRequest["headers"]; packed: string };

export type EnqueueDependencies = { send: Send; now: () => Date; log: Log };

/** Makes durable what a body says that is trusted. @throws Error when the queue does not take it */
export async function enqueue(
  storefront: Storefront,
  { body, headers, packed }: Trusted,
  { send, now, log }: EnqueueDependencies,
): Promise<void> {
  const { name } = storefront;
  const told = atOnce(storefront.events(body, headers));
  const came = { receivedAt: toInstant(now()), ...keptHeaders(storefront, headers), body: packed };
  const outgoing = told.flatMap((one) => messagesOf(name, one, came));
  for (const { id, type, says } of told.map(storable))
    log.info("webhook verified", { storefront: name, event: id, type, says });
  await send(outgoing);
}

/** Each event is sent with the whole body. */
function atOnce(told: Told[]): Told[] {
  const [first] = told;
  if (!first || told.length <= mostAtOnce) return told;
  const reason = `it tells ${told.length} events at once, more than ${mostAtOnce}`;
  return [{ id: "", type: first.type, says: "unclear", reason }];
}

/** Any text of a body can be as long as the body. */
function storable(told: Told): Told {
  const head = { ...told, type: told.type.slice(0, 100) };
  if (head.says !== "facts") return { ...head, reason: head.reason.slice(0, 500) };
  const { id, type, occurredAt, test, events } = head;
  const size = Buffer.byteLength(JSON.stringify(events));
  if (size <= largestFacts) return head;
  const reason = `it tells ${size} bytes of facts, more than can be kept`;
  return { id, type, ...(occurredAt && { occurredAt }), ...(test && { test }), says: "unclear", reason };
}

type Came = Pick<Received, "receivedAt" | "headers" | "body">;

function keptHeaders(
  { headers: names = [] }: Storefront,
  headers: SignedRequest["headers"],
): Pick<Received, "headers"> {
  const kept = names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
  return kept.length > 0 ? { headers: Object.fromEntries(kept) } : {};
}

/** The messages that carry what one event says to whom it is about. */
export function messagesOf(storefront: string, read: Told, came: Came): Outgoing[] {
  const told = storable(read);
  const once = digestOf(told.id, came.body);
  const id = idOf(told.id, once);
  const received: Received = {
    id,
    type: told.type,
    occurredAt: told.occurredAt ?? untold,
    ...(told.test && { test: true }),
    ...came,
  };
  const to = (message: Message): Outgoing => ({ message, once });
  if (told.says !== "facts") {
    const kind = told.says === "nothing" ? "ignored" : "unclear";
    return [to({ key: keyOf("event", storefront, id), kind, received, reason: told.reason })];
  }
  const links = (told.links ?? []).map((link) =>
    to({
      key: keyOf("reference", storefront, link.reference),
      kind: "link",
      to: keyOfSubject(storefront, link.to),
      ...(told.test && { test: true }),
    }),
  );
  const events = told.events.map((event) => ({ ...event, id }));
  const about = keyOfSubject(storefront, told.about);
  return [to({ key: about, kind: "event", received, events }), ...links];
}

const keyOfSubject = (storefront: string, subject: Subject): Key =>
  "subscription" in subject
    ? keyOf("subscription", storefront, subject.subscription)
    : keyOf("reference", storefront, subject.reference);

/** Ids become table keys: what is empty or too long for one is known by its digest. */
const idOf = (id: string, digest: string): string => (id.length > 0 && id.length <= 200 ? id : digest);
