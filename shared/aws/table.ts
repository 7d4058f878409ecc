import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { digestOf } from "../digest.ts";
import type { Key, Received } from "../intake/message.ts";
import type { Event } from "../licensing/event.ts";
import { type ChangeKind, isDone, type Operation } from "../licensing/operation.ts";
import type { ReasonCode } from "../licensing/reasons.ts";
import { type Payment, type Subscription, withDefaults } from "../licensing/subscription.ts";
import { type Day, dayOf, type Instant } from "../licensing/time.ts";
import { type Control, controlIn } from "./control.ts";
import { itemsIn, type Page } from "./items.ts";
import { type ScanAll, scanAllIn } from "./scan-all.ts";
import { normalizeSearchTerm, searchTermsOf } from "./search-terms.ts";

/** Renew reads each shard by itself, so that one partition of the index need not carry all that is due at midnight. */
export const agendaShards = 8;

/** Events that meant nothing are kept this long; what was folded is kept for good. */
const ignoredKeptDays = 90;

/** Code of an attention item: of a subscription its reason's, of an event that it was not understood. */
export type AttentionCode = ReasonCode | "not_understood";

/** `found`: by what it has been made findable. */
export type Stored = { subscription: Subscription; version: number; due?: Instant; searchTerms?: string[] };

/** What became of a received event. */
export type EventStatus = { status: "applied" } | { status: "ignored" | "unparseable"; reason: string };

/** What an operator made of an event later. `why` says as what it was understood, or why it needs no person any more. */
export type EventResolution = { as: "replayed" | "ignored" | "dismissed"; at: Instant; why: string };

export type StoredEvent = { received: Received; events: Event[]; resolution?: EventResolution } & EventStatus;

/** A finished operation, as far as the agenda alone tells. */
export type JournalEntry = {
  key: Key;
  n: number;
  at: Instant;
  kind: ChangeKind;
  outcome: NonNullable<Operation["outcome"]>;
  /** From the payment to the license. */
  seconds?: number;
};

type StateItem = { subscription: Subscription; version: number; agendaAt?: Instant; searchTerms?: string[] };

type Parts = Control & ScanAll;

/** All that is remembered. Single-item conditional writes only. */
export type Table = Parts & {
  load(key: Key): Promise<Stored | undefined>;
  /** Writes only over the version that was loaded. @returns it as it is stored now; undefined when it has changed since */
  save(key: Key, stored: Stored): Promise<Stored | undefined>;
  /** Over an earlier state of the same operation; never over another one's call. */
  putOperation(key: Key, operation: Operation): Promise<void>;
  /** Keeps an event as received, for good; a second delivery changes nothing. */
  putEvent(key: Key, received: Received, events: readonly Event[], reception: EventStatus): Promise<void>;
  events(key: Key): Promise<StoredEvent[]>;
  /** Takes the event off the agenda, for good; `events` is what it is read as by then. False when it is not there. */
  resolveEvent(key: Key, received: Received, events: readonly Event[], resolution: EventResolution): Promise<boolean>;
  operations(key: Key): Promise<Operation[]>;
  operation(key: Key, n: number): Promise<Operation | undefined>;
  /** One page of a shard's operations that are done and were not told to others yet, in the order of their end. */
  unpublished(shard: number, from?: Page): Promise<{ operations: { key: Key; n: number }[]; next?: Page }>;
  /** One of those, unless it was told meanwhile: the index is late. */
  unpublishedOperation(key: Key, n: number): Promise<Operation | undefined>;
  /** Takes it off, as it was when it was told. */
  markPublished(key: Key, operation: Operation): Promise<void>;
  /** One page of what was finished on a day, the last first. What is done comes in once it was told to others. */
  journal(day: Day, from?: Page, most?: number): Promise<{ entries: JournalEntry[]; next?: Page }>;
  /** Whether the attention item was published. */
  isAttentionPublished(key: Key, id: string): Promise<boolean>;
  markAttentionPublished(key: Key, id: string): Promise<void>;
  /** The subscriptions that have this id, customer id, e-mail address, license or reference; exactly, but for upper case. */
  find(text: string): Promise<Key[]>;
  /** A payment that left the state because its time is over. */
  archivedPayment(key: Key, id: string): Promise<Payment | undefined>;
  putArchivedPayment(key: Key, payment: Payment): Promise<void>;
  putLink(key: Key, to: Key): Promise<void>;
  link(key: Key): Promise<Key | undefined>;
  /** One page of all subscriptions, in no order. */
  subscriptions(from?: Page): Promise<SubscriptionPage>;
  /** One page of what is due in a shard, soonest first; of at most so many, where that is said. */
  due(shard: number, now: Instant, from?: Page, most?: number): Promise<DuePage>;
  /** One page of the subscriptions and events that need attention, oldest first. */
  attention(from?: Page, most?: number): Promise<AttentionPage>;
};

/** `since`: of the oldest item of the subscription or event. */
export type AttentionPage = { keys: { key: Key; since: Instant; codes: AttentionCode[] }[]; next?: Page };

export type DuePage = { keys: { key: Key; due: Instant }[]; next?: Page };

export type SubscriptionPage = { found: { key: Key; subscription: Subscription }[]; next?: Page };

const forever = "9999";

const shardOf = (key: Key): number => Number.parseInt(digestOf(key).slice(0, 8), 16) % agendaShards;

export function createTable(client: Pick<DynamoDBClient, "send">, name: string): Table {
  const items = itemsIn(client, name);
  const { get, put, collect } = items;

  function agendaPage(agenda: string, until: Instant, from?: Page, most?: number, ScanIndexForward = true) {
    const KeyConditionExpression = "agenda = :agenda AND agendaAt <= :until";
    const values = { ":agenda": agenda, ":until": until };
    const input = { IndexName: agendaIndex, KeyConditionExpression, ScanIndexForward, ...(most && { Limit: most }) };
    return items.query(input, values, from);
  }

  async function placedAt(key: Key, n: number): Promise<Placed | undefined> {
    const item = await get(key, skOf(n));
    if (!item) return undefined;
    const { pk, sk, ...placed } = item;
    return placed as Placed;
  }

  async function duePage(agenda: string, until: Instant, from?: Page, most?: number): Promise<DuePage> {
    const { rows, next } = await agendaPage(agenda, until, from, most);
    return {
      keys: rows.map(({ pk, agendaAt }) => ({ key: pk as Key, due: agendaAt as Instant })),
      ...(next && { next }),
    };
  }

  return {
    ...controlIn(items),
    ...scanAllIn(items),

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
          ...(due !== undefined && { agenda: `due#${shardOf(key)}`, agendaAt: due }),
          ...attentionOf(subscription.attention ?? []),
        },
        stored.version === 0
          ? { if: "attribute_not_exists(pk)" }
          : { if: "version = :version", with: { ":version": stored.version } },
      );
      if (!saved) return undefined;
      // After the state, which may hold an answer of billmgr's. What is not written now, or not known to be, the next
      // save writes.
      const more = searchTermsOf(subscription).filter((text) => !searchTerms.includes(text));
      const written = await Promise.allSettled(more.map((text) => put({ pk: `find#${text}`, sk: key })));
      return {
        ...stored,
        version,
        searchTerms: [...searchTerms, ...more.filter((_, i) => written[i]?.status === "fulfilled")],
      };
    },

    async putOperation(key, operation) {
      // A worker that was overtaken may bring something else under the number that another one has called for since.
      await put(
        { pk: key, sk: skOf(operation.n), ...operation, ...placeOf(key, operation) },
        {
          if: "attribute_not_exists(attempt) OR claimedAt = :claimedAt",
          with: { ":claimedAt": operation.claimedAt },
        },
      );
    },

    async putEvent(key, received, events, reception) {
      const { occurredAt, receivedAt } = received;
      const attention =
        reception.status === "unparseable" && attentionOf([{ since: receivedAt, reason: { code: "not_understood" } }]);
      const expiresAt = reception.status === "ignored" && {
        expiresAt: Math.floor(Date.parse(receivedAt) / 1000) + ignoredKeptDays * 86_400,
      };
      await put(
        {
          pk: key,
          sk: `event#${occurredAt}#${received.id}`,
          received,
          events,
          ...reception,
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
        // What somebody looked at must not go after a while.
        "SET events = :events, resolution = :resolution REMOVE attention, attentionAt, expiresAt",
        { if: "attribute_exists(pk)", with: { ":events": events, ":resolution": resolution } },
      ),

    operations: async (key) => (await collect<Placed>(key, "operation#")).map(unplaced),

    async operation(key, n) {
      const placed = await placedAt(key, n);
      return placed && unplaced(placed);
    },

    async unpublished(shard, from) {
      const { rows, next } = await agendaPage(`publish#${shard}`, forever, from);
      return { operations: rows.map(({ pk, sk }) => ({ key: pk as Key, n: nOf(sk) })), ...(next && { next }) };
    },

    async unpublishedOperation(key, n) {
      const placed = await placedAt(key, n);
      return placed?.agenda?.startsWith("publish#") ? unplaced(placed) : undefined;
    },

    async markPublished(key, operation) {
      const [from, to] = [placeOf(key, operation), journalPlaceOf(operation)];
      await items.update(key, skOf(operation.n), "SET agenda = :agenda, agendaAt = :agendaAt", {
        if: "agenda = :from AND agendaAt = :fromAt",
        with: { ":agenda": to.agenda, ":agendaAt": to.agendaAt, ":from": from.agenda, ":fromAt": from.agendaAt },
      });
    },

    async journal(day, from, most) {
      const { rows, next } = await agendaPage(`journal#${day}`, forever, from, most, false);
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

    due: (shard, now, from, most) => duePage(`due#${shard}`, now, from, most),

    async attention(from, most) {
      const { rows, next } = await items.query(
        {
          IndexName: attentionIndex,
          KeyConditionExpression: "attention = :attention",
          ...(most && { Limit: most }),
        },
        { ":attention": attentionPartition },
        from,
      );
      const keys = rows.map(({ pk, attentionAt }) => {
        const [since = "", ...codes] = String(attentionAt).split("#");
        return { key: pk as Key, since, codes: codes as AttentionCode[] };
      });
      return { keys, ...(next && { next }) };
    },
  };
}

/** What is scheduled: due subscriptions, finished operations to publish, and the journal. */
export const agendaIndex = "agenda";
/** What needs attention. */
export const attentionIndex = "attention";
const attentionPartition = "attention";

/** The table's indexes, each with its hash and range key. They contain keys only. */
export const tableIndexes = [
  { name: agendaIndex, keys: ["agenda", "agendaAt"] },
  { name: attentionIndex, keys: ["attention", "attentionAt"] },
] as const;

/** The place on the list of what needs attention: its key contains the codes, so that counting them reads no item. */
function attentionOf(items: readonly { since: Instant; reason: { code: AttentionCode } }[]): Record<string, string> {
  const [oldest] = items;
  if (!oldest) return {};
  const codes = [...new Set(items.map(({ reason }) => reason.code))];
  return { attention: attentionPartition, attentionAt: [oldest.since, ...codes].join("#") };
}

const skOf = (n: number): string => `operation#${String(n).padStart(6, "0")}`;
const nOf = (sk: unknown): number => Number(String(sk).replace("operation#", ""));

type Place = { agenda: string; agendaAt: string };
type Placed = Operation & Partial<Place>;

const unplaced = ({ agenda, agendaAt, ...operation }: Placed): Operation => operation;

/** What is done is told to others first. */
const placeOf = (key: Key, operation: Operation): Place =>
  isDone(operation.outcome)
    ? { agenda: `publish#${shardOf(key)}`, agendaAt: operation.finishedAt ?? operation.claimedAt }
    : journalPlaceOf(operation);

/** The index holds keys only, so the key tells what a list and a count of them need. */
function journalPlaceOf({ finishedAt, claimedAt, change, outcome, secondsFromPayment }: Operation): Place {
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
