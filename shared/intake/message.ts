import type { Event } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";

/**
 * What a message is about, and the partition key of all that the table holds of it: `subscription#<storefront>/<id>`,
 * `reference#<storefront>/<id>` (a payment that another event links to a subscription), or `event#<storefront>/<id>`
 * (an event that is about neither).
 */
export type Key = `${"subscription" | "reference" | "event"}#${string}/${string}`;

export const keyOf = (kind: "subscription" | "reference" | "event", storefront: string, id: string): Key =>
  `${kind}#${storefront}/${id}`;

export function partsOf(key: Key): { kind: string; storefront: string; id: string } {
  const [, kind = "", storefront = "", id = ""] = /^(\w+)#([^/]+)\/(.*)$/s.exec(key) ?? [];
  return { kind, storefront, id };
}

/** An event as it came. */
export type Received = {
  id: string;
  type: string;
  /** When it happened; where the storefront does not tell, 1970. */
  occurredAt: Instant;
  receivedAt: Instant;
  /** From the storefront's test mode. */
  test?: boolean;
  /** The headers that it was read from, beside the body. */
  headers?: Record<string, string>;
  /** The body's own text, or `gzip:` and base64 of it where it is long. */
  body: string;
};

/** What the queue carries. All messages of one key are one message group: in order, one at a time. */
export type Message = { key: Key } & (
  | { kind: "event"; received: Received; events: Event[] }
  | { kind: "ignored" | "unparseable"; received: Received; reason: string }
  | { kind: "link"; to: Key; shared?: true; months?: number; test?: boolean }
  | { kind: "wake" }
);

export const messageKinds: readonly Message["kind"][] = ["event", "ignored", "unparseable", "link", "wake"];

export type Send = (messages: readonly Outgoing[]) => Promise<void>;

/** `once`: two messages of the same key and the same word within five minutes are one (SQS FIFO's window). */
export type Outgoing = { message: Message; deduplicationId: string };

/** From a storefront's test mode. */
export const isTestMode = (
  message: Message,
): message is Message & { kind: "event" | "ignored" | "unparseable" | "link" } =>
  message.kind === "link" ? message.test === true : message.kind !== "wake" && message.received.test === true;

/** Facts told of a reference, as they count for what it belongs to: there the payment has the reference's name. */
export const renamePayment = (events: readonly Event[], payment: string): Event[] =>
  events.map((event) => ("payment" in event ? { ...event, payment } : event));
