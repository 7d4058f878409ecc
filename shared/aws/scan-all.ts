import type { SharerOf } from "../intake/claims.ts";
import type { Key } from "../intake/message.ts";
import type { Operation } from "../licensing/operation.ts";
import { type Payment, type Subscription, withDefaults } from "../licensing/subscription.ts";
import type { Items, Page } from "./items.ts";
import type { StoredEvent } from "./table.ts";

/** A stored item of a subscription, a payment reference, or an event without a subscription, as its `key` says. */
export type StoredItem = { key: Key } & (
  | { kind: "subscription"; version: number; subscription: Subscription }
  | { kind: "event"; event: StoredEvent }
  | { kind: "operation"; operation: Operation }
  | { kind: "payment"; payment: Payment }
  | { kind: "link"; to: Key }
  | ({ kind: "sharer" } & SharerOf)
  | { kind: "line"; line: string; to: Key }
);

export type ScanAll = {
  /** One page of all stored items, unordered, without shared state and the search index. */
  scanAll(from?: Page): Promise<{ found: StoredItem[]; next?: Page }>;
};

export const scanAllIn = ({ scan }: Items): ScanAll => ({
  async scanAll(from) {
    const { rows, next } = await scan("pk <> :control", { ":control": "control" }, from);
    return { found: rows.flatMap(itemOf), ...(next && { next }) };
  },
});

/** Without what only the table needs. */
function itemOf(stored: Record<string, unknown>): StoredItem[] {
  const { pk, sk, schema, agenda, agendaAt, attention, attentionAt, expiresAt, ...item } = stored;
  const key = pk as Key;
  const [kind] = String(sk).split("#", 1);
  if (kind === "state") {
    const { version, subscription } = item as { version: number; subscription: Subscription };
    return [{ key, kind: "subscription", version, subscription: withDefaults(subscription) }];
  }
  if (kind === "event") return [{ key, kind: "event", event: item as StoredEvent }];
  if (kind === "operation") return [{ key, kind: "operation", operation: item as Operation }];
  if (kind === "payment") return [{ key, kind: "payment", payment: item.payment as Payment }];
  const to = item.to as Key;
  if (kind === "sharer") {
    const months = item.months as number | undefined;
    return [{ key, kind: "sharer", to, ...(months !== undefined && { months }) }];
  }
  if (kind === "line") return [{ key, kind: "line", line: item.line as string, to }];
  return kind === "link" ? [{ key, kind: "link", to }] : [];
}
