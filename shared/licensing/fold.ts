import type { Event } from "./event.ts";
import { type End, type Register, revocationId, type Subscription } from "./subscription.ts";
import type { Instant } from "./time.ts";

/**
 * Applies one fact to a subscription. Folding is commutative and idempotent: the same events in any order, each any
 * number of times, give the same subscription. Payments are a set by id. Most other fields are registers, which keep
 * their latest fact.
 */
export function fold(subscription: Subscription, event: Event): Subscription {
  const at = event.occurredAt;
  const register = <T>(value: T): Register<T> => ({ value, at, event: event.id });
  const folded: Subscription = { ...subscription };
  if (event.customer?.id !== undefined) folded.customerId = later(folded.customerId, register(event.customer.id));
  if (event.customer?.email !== undefined) folded.email = later(folded.email, register(event.customer.email));
  if (event.renewsAt !== undefined) {
    folded.renewals = withEntry(folded.renewals ?? [], event.renewsAt, ({ id, first = at, last = at }) => ({
      id,
      first: at < first ? at : first,
      last: at > last ? at : last,
    }));
  }
  const { interval } = event;
  if (interval !== undefined) {
    folded.intervals = withEntry(folded.intervals ?? [], at, ({ id, months }) => ({
      id,
      months: later(months, register(interval)),
    }));
  }
  if (event.items) {
    const { asOf, list } = event.items;
    folded.items = later(folded.items, { ...register(list), at: asOf });
    for (const { names, quantity } of list) {
      if (quantity === undefined) continue;
      folded.quantities = withEntry(folded.quantities, names[0] ?? "", (entry) => ({
        id: names[0] ?? "",
        register: later(entry.register, { ...register(quantity), at: asOf }),
      }));
    }
  }

  switch (event.type) {
    case "payment.succeeded": {
      const { covers, trial } = event;
      folded.payments = withEntry(folded.payments, event.payment, (payment) => ({
        ...payment,
        statedAt: payment.statedAt !== undefined && payment.statedAt < at ? payment.statedAt : at,
        paid: later(payment.paid, register({ covers, trial })),
      }));
      return inGoodStanding(folded, at);
    }
    case "payment.part":
      folded.payments = withEntry(folded.payments, event.payment, (payment) => ({
        ...payment,
        parts: [...new Set([...(payment.parts ?? []), event.part])].sort(),
      }));
      return folded;
    case "payment.refunded":
    case "payment.disputed":
    case "payment.voided":
    case "payment.unlinked": {
      const id = revocationId(event.type, event.part);
      folded.payments = withEntry(folded.payments, event.payment, (payment) => ({
        ...payment,
        revocations: withEntry(payment.revocations ?? [], id, ({ held }) => ({
          id,
          held: later(held, register(!event.reversed), Number),
        })),
      }));
      return folded;
    }
    case "payment.failed":
      return withFailures(folded, [...folded.failures, at]);
    case "subscription.paused":
      folded.paused = later(folded.paused, register(true), Number);
      return folded;
    case "subscription.resumed":
      folded.paused = later(folded.paused, register(false), Number);
      return inGoodStanding(folded, at);
    case "subscription.cancelled":
      folded.end = later(folded.end, register<End>({ kind: "ended" }), finality);
      return folded;
    case "subscription.cancel_scheduled": {
      const { endsAt } = event;
      folded.end = later(folded.end, register<End>({ kind: "scheduled", ...(endsAt && { endsAt }) }), finality);
      return folded;
    }
    case "subscription.cancel_withdrawn":
      folded.end = later(folded.end, register<End>({ kind: "open" }), finality);
      return folded;
    case "subscription.changed":
      return folded;
  }
}

const finality = (end: End): number => ["open", "scheduled", "ended"].indexOf(end.kind);

/** The later of two facts. At the same moment, the more final one wins, then the one with the greater event id. */
function later<T>(held: Register<T> | undefined, candidate: Register<T>, finalityOf: (value: T) => number = () => 0) {
  if (!held) return candidate;
  const order =
    compare(candidate.at, held.at) ||
    finalityOf(candidate.value) - finalityOf(held.value) ||
    compare(candidate.event, held.event) ||
    // One event can state a value twice, such as two refunds of one payment. Any fixed choice works.
    compare(JSON.stringify(candidate.value), JSON.stringify(held.value));
  return order > 0 ? candidate : held;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The list, sorted by id, with one entry changed or added. */
function withEntry<T extends { id: string }>(
  entries: readonly T[],
  id: string,
  change: (entry: Partial<T> & { id: string }) => T,
): T[] {
  const others = entries.filter((entry) => entry.id !== id);
  const changed = change(entries.find((entry) => entry.id === id) ?? ({ id } as Partial<T> & { id: string }));
  return [...others, changed].sort((a, b) => compare(a.id, b.id));
}

function inGoodStanding(subscription: Subscription, at: Instant): Subscription {
  const { lastGood } = subscription;
  return withFailures({ ...subscription, lastGood: lastGood && lastGood > at ? lastGood : at }, subscription.failures);
}

/** Keeps the failures since the last good fact. Storefronts retry for weeks; the grace counts from the first failure. */
function withFailures(subscription: Subscription, failures: Instant[]): Subscription {
  const { lastGood } = subscription;
  const open = [...new Set(failures)].filter((at) => lastGood === undefined || at > lastGood).sort();
  return { ...subscription, failures: open };
}
