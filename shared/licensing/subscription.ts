import type { Counted } from "./coverage.ts";
import { type Event, type Item, type RevocationType, revocationTypes } from "./event.ts";
import type { Balance, Block, Operation } from "./operation.ts";
import type { Reason } from "./reasons.ts";
import { type Day, type Instant, latest, startOf } from "./time.ts";

/** The latest fact told of one thing, with the event that told it. */
export type Register<T> = { value: T; at: Instant; event: string };

type Stated = (Event & { type: "payment.succeeded" })["covers"];
/** `counted`: what stands for archived payments that counted months. */
type Covers = Exclude<Stated, { through: Instant }> | { from?: Instant; through: Instant; counted?: Counted };

/** `id`: the event's type, with "#" and the part where it is about one charge alone. */
export type Revocation = { id: string; held: Register<boolean> };

export type Payment = {
  id: string;
  /** When it was stated first. A later statement may correct what it covers, and never moves it. */
  statedAt?: Instant;
  paid?: Register<{ covers: Covers; trial: boolean }>;
  /** The charges that paid it, as far as they were named. */
  parts?: string[];
  /** By reason, or by reason and part. */
  revocations?: Revocation[];
};

/** The end of a period, with when it was told first and last. */
export type Renewal = { id: Instant; first: Instant; last: Instant };

/** From that moment on, one payment pays for so many months. */
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
  /** Absent until the first reading after the order. */
  expiry?: Day;
  /** What activates the software, as far as billmgr shows it. */
  key?: string;
  /** Since when it was seen to have a key that is not there yet. */
  keyAwaited?: Instant;
  /** It was bought by other means, so it need not show our reference. */
  imported?: true;
};

/** The subscription's claim to one license. Its number never changes; each deleted license begins a new generation. */
export type Slot = {
  n: number;
  generation: number;
  product: string;
  plan: string;
  license?: License;
  /** The paid time up to this moment was spent on licenses of this slot. */
  spentThrough?: Instant;
  /** Its license was bought for time that had been spent on another one. */
  exchanged?: true;
  /** The slot whose license this one was ordered to take the place of. */
  replaces?: Replaced;
};

export type Replaced = { n: number; generation: number };

/**
 * Something that an operator has to look at. `blocks`: the change that an outcome holds up until a retry or a resolution.
 * Without it the item follows from the facts, and ends with them.
 */
export type Attention = {
  reason: Reason;
  since: Instant;
  /** The open operation that it is about. */
  operation?: number;
  blocks?: Block;
  /** It ends by then. */
  until?: Instant;
  /** It was for want of money, and ends when the balance rises over this one, the first that was read. */
  funds?: { balance?: Balance };
};

/**
 * Nothing is called before `until`. `times` in a row it failed, since the first of which nothing succeeded; in
 * `absences` of them a call was made and had no effect.
 */
export type Backoff = { since: Instant; until: Instant; why: string; times: number; absences?: number };

export type Subscription = {
  storefront: string;
  id: string;

  // What the storefront told: written by `fold` alone.
  customerId?: Register<string>;
  email?: Register<string>;
  items?: Register<Item[]>;
  /** What was told last of the quantity of each thing sold, by its first name. */
  quantities: { id: string; register: Register<number> }[];
  end?: Register<End>;
  paused?: Register<boolean>;
  payments: Payment[];
  /** How many payments were archived because their time is over. */
  archivedCount?: number;
  /** Absent where every payment tells what it covers. */
  renewals?: Renewal[];
  /** In the order of time. */
  intervals?: Interval[];
  /** Failed payments since the last good one, oldest first. */
  failures: Instant[];
  lastGood?: Instant;

  // What was done about it at billmgr: written by provisioning.
  slots: Slot[];
  /** How many operations were begun: the number of the latest. */
  operationCount: number;
  /** The latest operation, open or finished. */
  operation?: Operation;
  /** Older operations that are still open. Each has an attention item, and holds up only what it concerns. */
  parked?: Operation[];
  /** Oldest first. */
  attention?: Attention[];
  /** When licenses were bought that no new payment paid for (another product, one that was lost), in the last month. */
  exchanges?: Instant[];
  backoff?: Backoff;
};

/** One that earlier code has stored: what that did not know is as in a new one. */
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

/** It belongs to another subscription: here it never was. */
export const isUnlinked = ({ revocations = [] }: Payment): boolean =>
  revocations.some(({ id, held }) => id === "payment.unlinked" && held.value);

/** Whether the payment counts: no reason holds against all of it, nor against each of its parts. */
export function stands({ parts = [], revocations = [] }: Payment): boolean {
  const holds = (id: string): boolean => revocations.some((one) => one.id === id && one.held.value);
  const isRevoked = (part?: string): boolean => revocationTypes.some((type) => holds(revocationId(type, part)));
  // A charge that was taken back may have been named before the payment knew that it has several.
  const known = [...new Set([...parts, ...revocations.flatMap(({ id }) => id.split("#").slice(1, 2))])];
  return !isRevoked() && !(known.length > 0 && known.every((part) => isRevoked(part)));
}

/** Up to when paid time was spent on the slot: by our purchases, and by whoever bought the license as it is. */
export const spentTime = ({ spentThrough, license }: Slot): Instant | undefined =>
  latest([spentThrough, license?.expiry === undefined || license.trial ? undefined : startOf(license.expiry)]);
