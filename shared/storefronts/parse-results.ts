import * as z from "zod/mini";
import type { Event } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { id, problemIn } from "./fields.ts";
import type { ParsedEvent, Subject } from "./storefront.ts";

/** The fields of an event that are known before its meaning. */
export type Head = Pick<ParsedEvent, "id" | "type" | "occurredAt" | "test">;

export const ignored = (head: Head, reason: string, about?: Subject): ParsedEvent => ({
  ...head,
  kind: "ignored",
  reason,
  ...(about && { about }),
});

export const unparseable = (head: Head, reason: string, about?: Subject): ParsedEvent => ({
  ...head,
  kind: "unparseable",
  reason,
  ...(about && { about }),
});

export const changesNothing = (head: Head): ParsedEvent =>
  ignored(head, `"${head.type.slice(0, 60)}" changes no license`);

/**
 * Reads a part of an event by its schema; the event is unparseable where the part does not fit. `path` is where the
 * part stands in the body, "" for all of it. `soldIn`: the field of the part that contains the subscription's id.
 */
export function reading<S extends z.core.$ZodType>(
  schema: S,
  part: unknown,
  path: string,
  head: Head,
  interpret: (part: z.output<S>) => ParsedEvent,
  soldIn?: string,
): ParsedEvent {
  const read = z.safeParse(schema, part);
  if (read.success) return interpret(read.data);
  const reason = `${path && `${path}.`}${problemIn(schema, read.error, part)}`;
  const sold = z.safeParse(z.record(z.string(), z.unknown()), part).data?.[soldIn ?? ""];
  const about = z.safeParse(id, sold);
  return unparseable(head, reason, about.success ? { subscription: about.data } : undefined);
}

/** The fact that a storefront's status of a subscription states. */
export type Standing = "subscription.resumed" | "subscription.paused" | "payment.failed" | "subscription.cancelled";

type Fact = Pick<Event, "id" | "occurredAt" | "customer">;

/**
 * The facts of an event that contains a whole subscription: its full state, not what changed, because the event before
 * may be lost. `setToEnd` has the time of the end where the event contains it.
 */
export function whole(
  fact: Fact,
  holds: Pick<Event, "items" | "renewsAt" | "interval">,
  standing: Standing | undefined,
  setToEnd: false | { endsAt: Instant | null | undefined },
): Event[] {
  const events: Event[] = [{ ...fact, ...holds, type: "subscription.changed" }];
  if (standing) events.push({ ...fact, type: standing });
  if (standing === "subscription.cancelled") return events;
  if (!setToEnd) return [...events, { ...fact, type: "subscription.cancel_withdrawn" }];
  const { endsAt } = setToEnd;
  return [...events, { ...fact, type: "subscription.cancel_scheduled", ...(endsAt && { endsAt }) }];
}

export type Span = { from?: Instant; through: Instant };

/** From the earliest start to the latest end. Lines of one invoice follow each other, so they pay for one span. */
export function spanOf(spans: readonly Span[]): Span | undefined {
  const [from] = spans.flatMap((span) => span.from ?? []).sort();
  const through = spans
    .map((span) => span.through)
    .sort()
    .at(-1);
  return through === undefined ? undefined : { ...(from && { from }), through };
}
