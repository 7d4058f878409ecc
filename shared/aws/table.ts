import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Event } from "../licensing/event.ts";
import type { Operation } from "../licensing/operation.ts";
import type { Subscription } from "../licensing/subscription.ts";
import type { Instant } from "../licensing/time.ts";
import { digestOf, type Key, type Received } from "../message.ts";
import { type Control, controlIn } from "./control.ts";
import { itemsIn, type Page } from "./items.ts";

/** Raised by whoever reads an older item: what is stored outlives the code that stored it. */
const schema = 1;

/** Renew reads each shard by itself, so that one partition of the index need not carry all that is due at midnight. */
export const agendaShards = 8;

/** Events that meant nothing are kept this long; what was folded is kept for good. */
const ignoredKeptDays = 90;

/** Where a subscription stands in the agenda: due at a moment, or waiting for a person since one. */
export type Agenda = { due: Instant } | { attention: Instant; reason: string };

export type Stored = { subscription: Subscription; version: number; agenda?: Agenda };

/** What became of a received event. */
export type Reception = { became: "folded" } | { became: "ignored" | "unclear"; reason: string };

/** What an operator made of an event later. `why` says as what it was understood, or why it needs no person any more. */
export type Settled = { as: "replayed" | "ignored" | "dismissed"; at: Instant; why: string };

export type StoredEvent = { received: Received; events: Event[]; settled?: Settled } & Reception;

/** All that is remembered. Single-item conditional writes only. */
export type Table = Control & {
  load(key: Key): Promise<Stored | undefined>;
  /** Writes only over the version that was loaded; false when it has changed since. */
  save(key: Key, stored: Stored): Promise<boolean>;
  /** Over an earlier state of the same operation; never over another one's call. */
  putOperation(key: Key, operation: Operation): Promise<void>;
  /** Keeps an event as received, for good; a second delivery changes nothing. */
  putEvent(key: Key, received: Received, events: readonly Event[], reception: Reception): Promise<void>;
  events(key: Key): Promise<StoredEvent[]>;
  /** Takes the event off the agenda, for good; `events` is what it is read as by then. False when it is not there. */
  settleEvent(key: Key, received: Received, events: readonly Event[], settled: Settled): Promise<boolean>;
  operations(key: Key): Promise<Operation[]>;
  putLink(key: Key, to: Key): Promise<void>;
  link(key: Key): Promise<Key | undefined>;
  /** One page of all subscriptions, in no order. */
  subscriptions(from?: Page): Promise<SubscriptionPage>;
  /** One page of what is due in a shard. */
  due(shard: number, now: Instant, from?: Page): Promise<DuePage>;
  /** One page of what waits for a person, longest first. */
  attention(from?: Page): Promise<DuePage>;
};

/** `due`: since when, of what waits for a person. */
export type DuePage = { keys: { key: Key; due: Instant }[]; next?: Page };

export type SubscriptionPage = { found: { key: Key; subscription: Subscription }[]; next?: Page };

const shardOf = (key: Key): number => Number.parseInt(digestOf(key).slice(0, 8), 16) % agendaShards;

export function createTable(client: Pick<DynamoDBClient, "send">, name: string): Table {
  const items = itemsIn(client, name);
  const { get, put, collect } = items;

  async function agendaPage(agenda: string, until: Instant, from?: Page): Promise<DuePage> {
    const KeyConditionExpression = "agenda = :agenda AND agendaAt <= :until";
    const values = { ":agenda": agenda, ":until": until };
    const { rows, next } = await items.query({ IndexName: agendaIndex, KeyConditionExpression }, values, from);
    return {
      keys: rows.map(({ pk, agendaAt }) => ({ key: pk as Key, due: agendaAt as Instant })),
      ...(next && { next }),
    };
  }

  return {
    ...controlIn(items),

    async load(key) {
      const item = await get(key, "state");
      if (!item) return undefined;
      const {
        subscription,
        version,
        agenda,
        agendaAt,
        reason = "",
      } = item as {
        subscription: Subscription;
        version: number;
        agenda?: string;
        agendaAt?: Instant;
        reason?: string;
      };
      if (agenda === undefined || agendaAt === undefined) return { subscription, version };
      return {
        subscription,
        version,
        agenda: agenda === "attention" ? { attention: agendaAt, reason } : { due: agendaAt },
      };
    },

    save: (key, { subscription, version, agenda }) =>
      put(
        { pk: key, sk: "state", schema, version: version + 1, subscription, ...agendaOf(key, agenda) },
        version === 0
          ? { if: "attribute_not_exists(pk)" }
          : { if: "version = :version", with: { ":version": version } },
      ),

    async putOperation(key, operation) {
      // A worker that was overtaken may bring something else under the number that another one has called for since.
      await put(
        { pk: key, sk: `operation#${String(operation.n).padStart(6, "0")}`, schema, ...operation },
        {
          if: "attribute_not_exists(attempt) OR claimedAt = :claimedAt",
          with: { ":claimedAt": operation.claimedAt },
        },
      );
    },

    async putEvent(key, received, events, reception) {
      const { occurredAt, receivedAt } = received;
      const attention = reception.became === "unclear" && { agenda: "attention", agendaAt: receivedAt };
      const expiresAt = reception.became === "ignored" && {
        expiresAt: Math.floor(Date.parse(receivedAt) / 1000) + ignoredKeptDays * 86_400,
      };
      await put(
        {
          pk: key,
          sk: `event#${occurredAt}#${received.id}`,
          schema,
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

    settleEvent: (key, { occurredAt, id }, events, settled) =>
      items.update(
        key,
        `event#${occurredAt}#${id}`,
        // What somebody looked at must not go after a while.
        "SET events = :events, settled = :settled REMOVE agenda, agendaAt, expiresAt",
        { if: "attribute_exists(pk)", with: { ":events": events, ":settled": settled } },
      ),

    operations: (key) => collect<Operation>(key, "operation#"),

    async putLink(key, to) {
      await put({ pk: key, sk: "link", schema, to });
    },

    async link(key) {
      return (await get(key, "link"))?.to as Key | undefined;
    },

    async subscriptions(from) {
      const { rows, next } = await items.scan("sk = :state", { ":state": "state" }, from);
      const found = rows.map(({ pk, subscription }) => ({
        key: pk as Key,
        subscription: subscription as Subscription,
      }));
      return { found, ...(next && { next }) };
    },

    due: (shard, now, from) => agendaPage(`due#${shard}`, now, from),
    attention: (from) => agendaPage("attention", "9999", from),
  };
}

export const agendaIndex = "agenda";

function agendaOf(key: Key, agenda: Agenda | undefined): Record<string, string> {
  if (!agenda) return {};
  if ("attention" in agenda) return { agenda: "attention", agendaAt: agenda.attention, reason: agenda.reason };
  return { agenda: `due#${shardOf(key)}`, agendaAt: agenda.due };
}
