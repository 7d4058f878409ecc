import type { Event } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";

/**
 * The subject of a message, and the partition key of everything that the table stores about it:
 * `subscription#<storefront>/<id>`, `reference#<storefront>/<id>` (a payment that another event links to a subscription),
 * or `event#<storefront>/<id>` (an event about neither).
 */
export type Key = `${"subscription" | "reference" | "event"}#${string}/${string}`;

export const keyOf = (kind: "subscription" | "reference" | "event", storefront: string, id: string): Key =>
  `${kind}#${storefront}/${id}`;

export function partsOf(key: Key): { kind: string; storefront: string; id: string } {
  const [, kind = "", storefront = "", id = ""] = /^(\w+)#([^/]+)\/(.*)$/s.exec(key) ?? [];
  return { kind, storefront, id };
}

/** An event as received. */
export type Received = {
  id: string;
  type: string;
  /** When it happened; `noTimestamp` if the storefront omits the time. */
  occurredAt: Instant;
  receivedAt: Instant;
  /** From the storefront's test mode. */
  test?: boolean;
  /** The headers that the parser needs in addition to the body. */
  headers?: Record<string, string>;
  /** The body as text; if it is long, `gzip:` and the compressed text in base64. */
  body: string;
};

/** A message in the queue. Messages with the same key arrive in order and one at a time. */
export type Message = { key: Key } & (
  | { kind: "event"; received: Received; events: Event[] }
  | { kind: "ignored" | "unparseable"; received: Received; reason: string }
  | { kind: "link"; to: Key; shared?: true; months?: number; test?: boolean }
  | { kind: "wake" }
);

export const messageKinds: readonly Message["kind"][] = ["event", "ignored", "unparseable", "link", "wake"];

export type Send = (messages: readonly Outgoing[]) => Promise<void>;

/** SQS drops a message that repeats the key and the deduplication id of another within five minutes. */
export type Outgoing = { message: Message; deduplicationId: string };

/** Whether the message comes from a storefront's test mode. */
export const isTestMode = (
  message: Message,
): message is Message & { kind: "event" | "ignored" | "unparseable" | "link" } =>
  message.kind === "link" ? message.test === true : message.kind !== "wake" && message.received.test === true;

/** The facts about a reference, for the subscription that it is linked to. There the payment's id is that of the reference. */
export const renamePayment = (events: readonly Event[], payment: string): Event[] =>
  events.map((event) => ("payment" in event ? { ...event, payment } : event));
