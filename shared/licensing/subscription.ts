import type { Counted } from "./coverage.ts";
import { type Event, type Item, type RevocationType, revocationTypes } from "./event.ts";
import type { Balance, Block, Operation } from "./operation.ts";
import type { Reason } from "./reasons.ts";
import { type Day, type Instant, latest, startOf } from "./time.ts";

/** The latest stated value, with the event that contained it. */
export type Register<T> = { value: T; at: Instant; event: string };

type Stated = (Event & { type: "payment.succeeded" })["covers"];
/** `counted` is present on the base payment that stands for archived payments of whole months. */
type Covers = Exclude<Stated, { through: Instant }> | { from?: Instant; through: Instant; counted?: Counted };

/** `id` is the event's type. If the revocation is about one charge only, "#" and the id of the charge follow. */
export type Revocation = { id: string; held: Register<boolean> };

export type Payment = {
  id: string;
  /** The time of the first event about the payment. A later event may correct the covered time, but not this. */
  statedAt?: Instant;
  paid?: Register<{ covers: Covers; trial: boolean }>;
  /** The known charges that paid it. */
  parts?: string[];
  /** By reason, or by reason and part. */
  revocations?: Revocation[];
};

/** The end of a period, with the times of the first and the last event that stated it. */
export type Renewal = { id: Instant; first: Instant; last: Instant };

/** From the moment `id` on, one payment pays for this many months. */
export type Interval = { id: Instant; months: Register<number> };

export type End = { kind: "open" } | { kind: "scheduled"; endsAt?: Instant } | { kind: "ended" };

/** A license at billmgr, as last read. */
export type License = {
  elid: string;
  family: string;
  trial: boolean;
  suspended: boolean;
  suspendedAt?: Instant;
  /** By addon code. */
  addons: Record<string, number>;
  /** Absent until the first read after the order. */
  expiry?: Day;
  /** The activation key, if billmgr shows one. */
  key?: string;
  /** Since when billmgr shows an empty activation key, which may still be filled. */
  keyAwaited?: Instant;
  /** The license was bought by other means, so it may lack our reference. */
  imported?: true;
};

/** A subscription's place for one license. Its number never changes. Each deletion begins a new generation. */
export type Slot = {
  n: number;
  generation: number;
  product: string;
  plan: string;
  license?: License;
  /** The paid time up to this moment was spent on licenses of this slot. */
  spentThrough?: Instant;
  /** The license was bought for time that was already spent on another license. */
  exchanged?: true;
  /** The slot whose license this slot's license was ordered to replace. */
  replaces?: Replaced;
};

export type Replaced = { n: number; generation: number };

/**
 * An attention item. Its fields decide when it ends:
 * - with `operation`: when that open operation ends
 * - with `blocks`: when the change is no longer wanted, or at a retry. Until then the outcome blocks the change
 * - with neither: when the facts that it follows from change
 */
export type Attention = {
  reason: Reason;
  since: Instant;
  /** The open operation that the item is about. */
  operation?: number;
  blocks?: Block;
  /** The item ends at this time. */
  until?: Instant;
  /** Present if money was lacking. The item ends when the balance is higher than this one, the first that was read. */
  funds?: { balance?: Balance };
};

/**
 * Blocks calls before `until`. `times` counts the consecutive failures, and `since` is the time of the first. In
 * `absences` of them a call was made and had no effect.
 */
export type Backoff = { since: Instant; until: Instant; why: string; times: number; absences?: number };

export type Subscription = {
  storefront: string;
  id: string;

  // The storefront's facts. Only `fold` and compaction write these fields.
  customerId?: Register<string>;
  email?: Register<string>;
  items?: Register<Item[]>;
  /** The latest stated quantity of each item, by the item's first name. */
  quantities: { id: string; register: Register<number> }[];
  end?: Register<End>;
  paused?: Register<boolean>;
  payments: Payment[];
  /** How many payments were archived because their time is over. */
  archivedCount?: number;
  /** Absent if every payment states the time that it covers. */
  renewals?: Renewal[];
  /** Oldest first. */
  intervals?: Interval[];
  /** Failed payments since the last good one, oldest first. */
  failures: Instant[];
  lastGood?: Instant;

  // The licenses and operations at billmgr. Provisioning and repairs write these fields.
  slots: Slot[];
  /** The number of operations so far, which is also the number of the latest one. */
  operationCount: number;
  /** The latest operation, open or finished. */
  operation?: Operation;
  /** Older operations that are still open. Each has an attention item, and blocks only changes that depend on it. */
  parked?: Operation[];
  /** Oldest first. */
  attention?: Attention[];
  /** The times of the latest exchanges: orders that no new payment paid for (another product, a lost license). */
  exchanges?: Instant[];
  backoff?: Backoff;
};

/** Completes a subscription that earlier code stored. Missing fields get the values of a new subscription. */
export const withDefaults = (stored: Subscription): Subscription => ({
  ...newSubscription(stored.storefront, stored.id),
  ...stored,
});

export const newSubscription = (storefront: string, id: string): Subscription => ({
  storefront,
  id,
  quantities: [],
  payments: [],
  failures: [],
  operationCount: 0,
  slots: [],
});

export const revocationId = (type: RevocationType, part?: string): string =>
  part === undefined ? type : `${type}#${part}`;

/** Whether the payment belongs to another subscription. Then it does not count here, nor did it ever. */
export const isUnlinked = ({ revocations = [] }: Payment): boolean =>
  revocations.some(({ id, held }) => id === "payment.unlinked" && held.value);

/** Whether the payment counts: no revocation applies to all of it, nor to every one of its parts. */
export function stands({ parts = [], revocations = [] }: Payment): boolean {
  const holds = (id: string): boolean => revocations.some((one) => one.id === id && one.held.value);
  const isRevoked = (part?: string): boolean => revocationTypes.some((type) => holds(revocationId(type, part)));
  // A charge's refund can arrive before the event that names the charge as a part.
  const known = [...new Set([...parts, ...revocations.flatMap(({ id }) => id.split("#").slice(1, 2))])];
  return !isRevoked() && !(known.length > 0 && known.every((part) => isRevoked(part)));
}

/** The end of the paid time that is spent on the slot, by our purchases or as shown by the license's expiry. */
export const spentTime = ({ spentThrough, license }: Slot): Instant | undefined =>
  latest([spentThrough, license?.expiry === undefined || license.trial ? undefined : startOf(license.expiry)]);
