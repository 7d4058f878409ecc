import { type Event, type Item, type RevocationType, revocationTypes } from "./event.ts";
import type { Balance, Operation } from "./operation.ts";
import type { Day, Instant } from "./time.ts";

/** The latest fact told of one thing, with the event that told it. */
export type Register<T> = { value: T; at: Instant; event: string };

/** `id`: the event's type, with "#" and the part where it is about one charge alone. */
export type Revocation = { id: string; held: Register<boolean> };

export type Payment = {
  id: string;
  paid?: Register<Pick<Event & { type: "payment.succeeded" }, "covers" | "trial">>;
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
  /** The slot whose license this one was ordered to take the place of. */
  replaces?: Replaced;
};

export type Replaced = { n: number; generation: number };

/** Why a person is needed. It stays until an operator retries or resolves it. */
export type Attention = {
  reason: string;
  since: Instant;
  /** The operation that it is about, where that is still open. */
  operation?: number;
  /** It was for want of money, and ends by itself when the balance rises over this one, the first that was read. */
  funds?: { balance?: Balance };
};

/**
 * Nothing is called before `until`. `times` in a row it came to this, since the first of which nothing went well; in
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
  /** Absent where every payment tells what it covers. */
  renewals?: Renewal[];
  /** In the order of time. */
  intervals?: Interval[];
  /** Failed payments since the last good one, oldest first. */
  failures: Instant[];
  lastGood?: Instant;

  // What was done about it at billmgr: written by provisioning.
  slots: Slot[];
  /** The latest operation, open or finished. */
  operation?: Operation;
  attention?: Attention;
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
  slots: [],
});

export const revocationId = (type: RevocationType, part?: string): string =>
  part === undefined ? type : `${type}#${part}`;

/** Whether the payment counts: no reason holds against all of it, nor against each of its parts. */
export function stands({ parts = [], revocations = [] }: Payment): boolean {
  const holds = (id: string): boolean => revocations.some((one) => one.id === id && one.held.value);
  const isRevoked = (part?: string): boolean => revocationTypes.some((type) => holds(revocationId(type, part)));
  // A charge that was taken back may have been named before the payment knew that it has several.
  const known = [...new Set([...parts, ...revocations.flatMap(({ id }) => id.split("#").slice(1, 2))])];
  return !isRevoked() && !(known.length > 0 && known.every((part) => isRevoked(part)));
}
