import * as z from "zod/mini";
import type { Event } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { problemIn } from "./fields.ts";
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

/** What a part of an event means, read by its schema; unclear where it does not fit. `path` is where the part stands, "" for all of it. */
export function reading<S extends z.core.$ZodType>(
  schema: S,
  part: unknown,
  path: string,
  head: Head,
  mean: (part: z.output<S>) => ParsedEvent,
): ParsedEvent {
  const read = z.safeParse(schema, part);
  return read.success
    ? mean(read.data)
    : unparseable(head, `${path && `${path}.`}${problemIn(schema, read.error, part)}`);
}

/** What a storefront's status of a subscription says. */
export type Standing = "subscription.resumed" | "subscription.paused" | "payment.failed" | "subscription.cancelled";

type Fact = Pick<Event, "id" | "occurredAt" | "customer">;

/**
 * The facts of an event that tells a whole subscription: all that it tells and not what changed, for the event before
 * may be lost. `setToEnd` has the time, where that is told.
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
