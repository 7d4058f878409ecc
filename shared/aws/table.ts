import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { digestOf } from "../digest.ts";
import type { Key, Received } from "../intake/message.ts";
import type { Event } from "../licensing/event.ts";
import { type ChangeKind, isDone, type Operation } from "../licensing/operation.ts";
import type { ReasonCode } from "../licensing/reasons.ts";
import { type Payment, type Subscription, withDefaults } from "../licensing/subscription.ts";
import { type Day, dayOf, type Instant, latest } from "../licensing/time.ts";
import { type Control, controlIn } from "./control.ts";
import { itemsIn, type Page } from "./items.ts";
import { type ScanAll, scanAllIn } from "./scan-all.ts";
import { normalizeSearchTerm, searchTermsOf } from "./search-terms.ts";
import { type SharedReferences, sharedReferencesIn } from "./shared-references.ts";

/** The schedule reads each shard separately, so that no single index partition carries everything due at midnight. */
export const agendaShards = 8;

/** Ignored events expire after this time. Applied events never expire. */
const ignoredKeptDays = 90;

/** Code of an attention item: the reason's for a subscription, `not_understood` for an event. */
export type AttentionCode = ReasonCode | "not_understood";

/** `searchTerms`: the terms that are already written to the search index. */
export type Stored = { subscription: Subscription; version: number; due?: Instant; searchTerms?: string[] };

/** The result of processing a received event. */
export type EventStatus = { status: "applied" } | { status: "ignored" | "unparseable"; reason: string };

/** An operator's later decision about an event. `why`: how it was understood, or why it needs no attention. */
export type EventResolution = { as: "replayed" | "ignored" | "dismissed"; at: Instant; why: string };

export type StoredEvent = { received: Received; events: Event[]; resolution?: EventResolution } & EventStatus;

/** A finished operation, as far as the keys of the index contain it. */
export type JournalEntry = {
  key: Key;
  n: number;
  at: Instant;
  kind: ChangeKind;
  outcome: NonNullable<Operation["outcome"]>;
  /** Time from the payment to the license. */
  seconds?: number;
};

type StateItem = { subscription: Subscription; version: number; agendaAt?: Instant; searchTerms?: string[] };

type Parts = Control & ScanAll & SharedReferences;

/** The database. It uses only conditional writes of single items. */
export type Table = Parts & {
  load(key: Key): Promise<Stored | undefined>;
  /** Overwrites only the version that was loaded. @returns the new state; undefined on a version conflict */
  save(key: Key, stored: Stored): Promise<Stored | undefined>;
  /** Overwrites an earlier state of the same operation, but never the call of another one. */
  putOperation(key: Key, operation: Operation): Promise<void>;
  /** Stores an event as received. A second delivery changes nothing. */
  putEvent(key: Key, received: Received, events: readonly Event[], status: EventStatus): Promise<void>;
  events(key: Key): Promise<StoredEvent[]>;
  /** Removes the event from the attention list; `events` are its facts as parsed now. False if the event is unknown. */
  resolveEvent(key: Key, received: Received, events: readonly Event[], resolution: EventResolution): Promise<boolean>;
  operations(key: Key): Promise<Operation[]>;
  operation(key: Key, n: number): Promise<Operation | undefined>;
  /** One page of a shard's completed operations that are not published yet, ordered by their end. */
  unpublished(shard: number, from?: Page): Promise<{ operations: { key: Key; n: number }[]; next?: Page }>;
  /** One of those; undefined if it was published in the meantime, because the index is eventually consistent. */
  unpublishedOperation(key: Key, n: number): Promise<Operation | undefined>;
  /** Moves the operation to the journal, unless it changed since it was published. */
  markPublished(key: Key, operation: Operation): Promise<void>;
  /** One page of the operations that finished on a day, latest first. Completed ones appear once they are published. */
  journal(day: Day, from?: Page, maxEntries?: number): Promise<{ entries: JournalEntry[]; next?: Page }>;
  /** Whether the attention item was published. */
  isAttentionPublished(key: Key, id: string): Promise<boolean>;
  markAttentionPublished(key: Key, id: string): Promise<void>;
  /** The subscriptions with exactly this id, customer id, e-mail address, license, or reference, ignoring case. */
  find(text: string): Promise<Key[]>;
  /** A payment that was moved out of the state because its time is over. */
  archivedPayment(key: Key, id: string): Promise<Payment | undefined>;
  putArchivedPayment(key: Key, payment: Payment): Promise<void>;
  putLink(key: Key, to: Key): Promise<void>;
  link(key: Key): Promise<Key | undefined>;
  /** One page of all subscriptions, unordered. */
  subscriptions(from?: Page): Promise<SubscriptionPage>;
  /** One page of a shard's entries that are due, earliest first. */
  due(shard: number, now: Instant, from?: Page, maxEntries?: number): Promise<DuePage>;
  /** One page of the subscriptions and events that need attention, oldest first. */
  attention(from?: Page, maxEntries?: number): Promise<AttentionPage>;
};

/** `since`: of the oldest item of the subscription or event. */
/** `since` is the time of the oldest item of a key, `latest` that of the newest. */
export type AttentionPage = {
  keys: { key: Key; since: Instant; latest: Instant; codes: AttentionCode[] }[];
  next?: Page;
};

export type DuePage = { keys: { key: Key; due: Instant }[]; next?: Page };

export type SubscriptionPage = { found: { key: Key; subscription: Subscription }[]; next?: Page };

const forever = "9999";

const shardOf = (key: Key): number => Number.parseInt(digestOf(key).slice(0, 8), 16) % agendaShards;

const dueAgenda = (key: Key): string => `due#${shardOf(key)}`;

export function createTable(client: Pick<DynamoDBClient, "send">, name: string): Table {
  const items = itemsIn(client, name);
  const { get, put, collect } = items;

  function agendaPage(agenda: string, until: Instant, from?: Page, maxEntries?: number, ScanIndexForward = true) {
    const KeyConditionExpression = "agenda = :agenda AND agendaAt <= :until";
    const values = { ":agenda": agenda, ":until": until };
    const input = {
      IndexName: agendaIndex,
      KeyConditionExpression,
      ScanIndexForward,
      ...(maxEntries && { Limit: maxEntries }),
    };
    return items.query(input, values, from);
  }

  async function getOperation(key: Key, n: number): Promise<StoredOperation | undefined> {
    const item = await get(key, skOf(n));
    if (!item) return undefined;
    const { pk, sk, ...stored } = item;
    return stored as StoredOperation;
  }

  async function duePage(agenda: string, until: Instant, from?: Page, maxEntries?: number): Promise<DuePage> {
    const { rows, next } = await agendaPage(agenda, until, from, maxEntries);
    return {
      keys: rows.map(({ pk, agendaAt }) => ({ key: pk as Key, due: agendaAt as Instant })),
      ...(next && { next }),
    };
  }

  return {
    ...controlIn(items),
    ...scanAllIn(items),
    ...sharedReferencesIn(items, dueAgenda),

    async load(key) {
      const item = await get(key, "state");
      if (!item) return undefined;
      const { subscription, version, agendaAt, searchTerms = [] } = item as StateItem;
      return {
        subscription: withDefaults(subscription),
        version,
        searchTerms,
        ...(agendaAt !== undefined && { due: agendaAt }),
      };
    },

    async save(key, stored) {
      const { subscription, due, searchTerms = [] } = stored;
      const version = stored.version + 1;
      const saved = await put(
        {
          pk: key,
          sk: "state",
          version,
          subscription,
          searchTerms,
          ...(due !== undefined && { agenda: dueAgenda(key), agendaAt: due }),
          ...attentionOf(subscription.attention ?? []),
        },
        stored.version === 0
          ? { if: "attribute_not_exists(pk)" }
          : { if: "version = :version", with: { ":version": stored.version } },
      );
      if (!saved) return undefined;
      // The state comes first, because it may contain an outcome. The next save writes each term that fails now.
      const newTerms = searchTermsOf(subscription).filter((term) => !searchTerms.includes(term));
      const writes = await Promise.allSettled(newTerms.map((term) => put({ pk: `find#${term}`, sk: key })));
      const written = newTerms.filter((_, i) => writes[i]?.status === "fulfilled");
      return { ...stored, version, searchTerms: [...searchTerms, ...written] };
    },

    async putOperation(key, operation) {
      // A worker that lost a race may use a number under which another worker has made a call since.
      await put(
        { pk: key, sk: skOf(operation.n), ...operation, ...indexKeysOf(key, operation) },
        {
          if: "attribute_not_exists(attempt) OR claimedAt = :claimedAt",
          with: { ":claimedAt": operation.claimedAt },
        },
      );
    },

    async putEvent(key, received, events, status) {
      const { occurredAt, receivedAt } = received;
      const attention =
        status.status === "unparseable" && attentionOf([{ since: receivedAt, reason: { code: "not_understood" } }]);
      const expiresAt = status.status === "ignored" && {
        expiresAt: Math.floor(Date.parse(receivedAt) / 1000) + ignoredKeptDays * 86_400,
      };
      await put(
        {
          pk: key,
          sk: `event#${occurredAt}#${received.id}`,
          received,
          events,
          ...status,
          ...attention,
          ...expiresAt,
        },
        { if: "attribute_not_exists(pk)" },
      );
    },

    events: (key) => collect<StoredEvent>(key, "event#"),

    resolveEvent: (key, { occurredAt, id }, events, resolution) =>
      items.update(
        key,
        `event#${occurredAt}#${id}`,
        // An event that an operator has handled must not expire.
        "SET events = :events, resolution = :resolution REMOVE attention, attentionAt, expiresAt",
        { if: "attribute_exists(pk)", with: { ":events": events, ":resolution": resolution } },
      ),

    operations: async (key) => (await collect<StoredOperation>(key, "operation#")).map(withoutIndexKeys),

    async operation(key, n) {
      const stored = await getOperation(key, n);
      return stored && withoutIndexKeys(stored);
    },

    async unpublished(shard, from) {
      const { rows, next } = await agendaPage(`publish#${shard}`, forever, from);
      return { operations: rows.map(({ pk, sk }) => ({ key: pk as Key, n: nOf(sk) })), ...(next && { next }) };
    },

    async unpublishedOperation(key, n) {
      const stored = await getOperation(key, n);
      return stored?.agenda?.startsWith("publish#") ? withoutIndexKeys(stored) : undefined;
    },

    async markPublished(key, operation) {
      const [from, to] = [indexKeysOf(key, operation), journalKeysOf(operation)];
      await items.update(key, skOf(operation.n), "SET agenda = :agenda, agendaAt = :agendaAt", {
        if: "agenda = :from AND agendaAt = :fromAt",
        with: { ":agenda": to.agenda, ":agendaAt": to.agendaAt, ":from": from.agenda, ":fromAt": from.agendaAt },
      });
    },

    async journal(day, from, maxEntries) {
      const { rows, next } = await agendaPage(`journal#${day}`, forever, from, maxEntries, false);
      return { entries: rows.map(entryOf), ...(next && { next }) };
    },

    isAttentionPublished: async (key, id) => (await get(key, `published#${id}`)) !== undefined,

    async markAttentionPublished(key, id) {
      await put({ pk: key, sk: `published#${id}` });
    },

    async find(text) {
      const { rows } = await items.query(
        { KeyConditionExpression: "pk = :pk", ConsistentRead: true },
        { ":pk": `find#${normalizeSearchTerm(text)}` },
      );
      return rows.map(({ sk }) => sk as Key);
    },

    async archivedPayment(key, id) {
      return (await get(key, `payment#${id}`))?.payment as Payment | undefined;
    },

    async putArchivedPayment(key, payment) {
      await put({ pk: key, sk: `payment#${payment.id}`, payment });
    },

    async putLink(key, to) {
      await put({ pk: key, sk: "link", to });
    },

    async link(key) {
      return (await get(key, "link"))?.to as Key | undefined;
    },

    async subscriptions(from) {
      const { rows, next } = await items.scan("sk = :state", { ":state": "state" }, from);
      const found = rows.map(({ pk, subscription }) => ({
        key: pk as Key,
        subscription: withDefaults(subscription as Subscription),
      }));
      return { found, ...(next && { next }) };
    },

    due: (shard, now, from, maxEntries) => duePage(`due#${shard}`, now, from, maxEntries),

    async attention(from, maxEntries) {
      const { rows, next } = await items.query(
        {
          IndexName: attentionIndex,
          KeyConditionExpression: "attention = :attention",
          ...(maxEntries && { Limit: maxEntries }),
        },
        { ":attention": attentionPartition },
        from,
      );
      const keys = rows.map(({ pk, attentionAt }) => {
        const [since = "", newest = since, ...codes] = String(attentionAt).split("#");
        return { key: pk as Key, since, latest: newest, codes: codes as AttentionCode[] };
      });
      return { keys, ...(next && { next }) };
    },
  };
}

/** The index by time: due subscriptions, finished operations to publish, and the journal. */
export const agendaIndex = "agenda";
/** The index of subscriptions and events that need attention. */
export const attentionIndex = "attention";
const attentionPartition = "attention";

/** The table's indexes, each with its hash and range key. They contain keys only. */
export const tableIndexes = [
  { name: agendaIndex, keys: ["agenda", "agendaAt"] },
  { name: attentionIndex, keys: ["attention", "attentionAt"] },
] as const;

/**
 * The place in the index of what needs attention. Its key contains the codes, so counting them reads no item, and the time
 * of the newest item, so it shows each new one.
 */
function attentionOf(items: readonly { since: Instant; reason: { code: AttentionCode } }[]): Record<string, string> {
  const [oldest] = items;
  if (!oldest) return {};
  const newest = latest(items.map(({ since }) => since));
  const codes = new Set(items.map(({ reason }) => reason.code));
  return { attention: attentionPartition, attentionAt: [oldest.since, newest, ...codes].join("#") };
}

const skOf = (n: number): string => `operation#${String(n).padStart(6, "0")}`;
const nOf = (sk: unknown): number => Number(String(sk).replace("operation#", ""));

type IndexKeys = { agenda: string; agendaAt: string };
type StoredOperation = Operation & Partial<IndexKeys>;

const withoutIndexKeys = ({ agenda, agendaAt, ...operation }: StoredOperation): Operation => operation;

/** A completed operation is published before it enters the journal. */
const indexKeysOf = (key: Key, operation: Operation): IndexKeys =>
  isDone(operation.outcome)
    ? { agenda: `publish#${shardOf(key)}`, agendaAt: operation.finishedAt ?? operation.claimedAt }
    : journalKeysOf(operation);

/** The index contains only keys, so the sort key carries the fields that lists and counts need. */
function journalKeysOf({ finishedAt, claimedAt, change, outcome, secondsFromPayment }: Operation): IndexKeys {
  const at = finishedAt ?? claimedAt;
  return { agenda: `journal#${dayOf(at)}`, agendaAt: [at, change.kind, outcome, secondsFromPayment].join("#") };
}

function entryOf({ pk, sk, agendaAt }: Record<string, unknown>): JournalEntry {
  const [at = "", kind, outcome, seconds] = String(agendaAt).split("#");
  return {
    key: pk as Key,
    n: nOf(sk),
    at,
    kind: kind as JournalEntry["kind"],
    outcome: outcome as JournalEntry["outcome"],
    ...(seconds && { seconds: Number(seconds) }),
  };
}
