import type { EventStatus, StoredEvent } from "../../shared/aws/table.ts";
import { unpack } from "../../shared/intake/body-codec.ts";
import type { Received } from "../../shared/intake/message.ts";
import { openOperations } from "../../shared/licensing/attention.ts";
import { type Decision, decide } from "../../shared/licensing/decide.ts";
import { type Entitlement, entitlement } from "../../shared/licensing/entitlement.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import { type RepairName, repairsFor } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Instant } from "../../shared/licensing/time.ts";
import { keyNamed, nowOf, type OperatorDependencies } from "./dependencies.ts";

/** An event without its body, which can be long. */
export type ShownEvent = Pick<StoredEvent, "events" | "resolution"> &
  EventStatus & { received: Omit<Received, "body" | "headers"> };

export type HistoryEntry = { at: Instant } & ({ event: ShownEvent } | { operation: Operation });

export type History = {
  name: string;
  /** The time of the read. */
  at: Instant;
  subscription: Subscription;
  entitled: Entitlement;
  /** In order of receipt and claim. */
  entries: HistoryEntry[];
  /** The decision that provision would take now. */
  next: Decision;
  /** When it is decided again. */
  due?: Instant;
  repairs: RepairName[];
};

/** Returns undefined for an unknown subscription. @throws PreconditionFailed for an invalid name */
export async function show(
  name: string,
  deps: Pick<OperatorDependencies, "table" | "catalog" | "now">,
): Promise<History | undefined> {
  const { table, catalog } = deps;
  const key = keyNamed("subscription", name);
  const [stored, events, operations] = await Promise.all([table.load(key), table.events(key), table.operations(key)]);
  if (!stored) return undefined;
  const { subscription, due } = stored;
  const now = nowOf(deps);
  const open = openOperations(subscription);
  const entries: HistoryEntry[] = [
    ...events.map(({ received: { body, headers, ...received }, ...event }) => ({
      at: received.receivedAt,
      event: { ...event, received },
    })),
    ...[...operations, ...open].map((operation) => ({ at: operation.claimedAt, operation })),
  ];
  return {
    name,
    at: now,
    subscription,
    entitled: entitlement(subscription, catalog.policy, now),
    entries: entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
    next: decide(subscription, catalog, now),
    ...(due !== undefined && { due }),
    repairs: subscription.attention ? repairsFor(subscription, catalog, now) : [],
  };
}

/** Events that are not linked to a subscription. `body` is the text as received. @throws PreconditionFailed */
export async function showEvent(
  name: string,
  { table }: Pick<OperatorDependencies, "table">,
): Promise<(StoredEvent & { body: string })[]> {
  const events = await table.events(keyNamed("event", name));
  return events.map((event) => ({ ...event, body: unpack(event.received.body) }));
}
