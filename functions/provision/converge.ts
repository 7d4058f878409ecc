import { isDeepStrictEqual } from "node:util";
import { haltRecheckSeconds } from "../../shared/aws/control.ts";
import type { Stored, Table } from "../../shared/aws/table.ts";
import { type Billmgr, callTimeoutMs, type Listing, readTimeoutMs } from "../../shared/billmgr/billmgr.ts";
import { readBack } from "../../shared/billmgr/readback.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { ReadError, VersionConflict } from "../../shared/errors.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import { addAttention, openOperations, withAttention } from "../../shared/licensing/attention.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { compact, foldArchived } from "../../shared/licensing/compaction.ts";
import { type Decision, decide } from "../../shared/licensing/decide.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { licensesAwaitingKey, nextKeyPoll, recordKey } from "../../shared/licensing/license-keys.ts";
import {
  anyOrder,
  type Balance,
  type Block,
  blockOf,
  type Change,
  describe,
  isDone,
  isPurchase,
  type Operation,
  referenceOf,
} from "../../shared/licensing/operation.ts";
import * as lifecycle from "../../shared/licensing/operation-lifecycle.ts";
import { formatReason, keyOfReason, type Reason } from "../../shared/licensing/reasons.ts";
import { newSubscription, type Slot, type Subscription } from "../../shared/licensing/subscription.ts";
import {
  addDays,
  dayOf,
  earliest,
  type Instant,
  instantPlus,
  secondsBetween,
  startOf,
  toInstant,
} from "../../shared/licensing/time.ts";
import type { Log } from "../../shared/observability/log.ts";
import type { Metrics } from "../../shared/observability/metrics.ts";
import type { Match } from "./order-guard.ts";
import { preflight } from "./preflight.ts";

export type ConvergeDependencies = {
  table: Table;
  billmgr: Billmgr;
  catalog: Catalog;
  now: () => Date;
  log: Log;
  metrics: Metrics;
  /** Milliseconds that the function may still run. */
  timeLeft: () => number;
};

/** The time to record a call that billmgr answers at the last moment. */
const recordMs = 10_000;
/** The longest time for the reads before a call (license and balance), the call, and its record. */
const minTimeLeftMs = 2 * readTimeoutMs + callTimeoutMs + recordMs;
const maxAttempts = 5;
const nextHour = (now: Instant): Instant => instantPlus(`${now.slice(0, 13)}:00:00.000Z`, { seconds: 3600 });

/**
 * Brings the licenses of one subscription into agreement with its entitlement. It folds the new events, then decides,
 * claims, calls, and records until the decision is to wait or the subscription is settled. Two workers may run it at
 * the same time, because only one of them can claim.
 */
export async function converge(key: Key, events: readonly Event[], deps: ConvergeDependencies): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    const { storefront, id } = partsOf(key);
    const stored = (await deps.table.load(key)) ?? { subscription: newSubscription(storefront, id), version: 0 };
    try {
      return await new Convergence(key, stored, deps).run(events);
    } catch (error) {
      if (!(error instanceof VersionConflict) || attempts === maxAttempts) throw error;
    }
  }
}

/** Limits the time of an observation, so that enough is left to record it. A long list could use up all of it. */
async function withTimeout<T>(ms: number, reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new ReadError(`no observation within ${Math.round(ms / 1000)} s`));
    timer = setTimeout(give, Math.min(ms, 2 ** 31 - 1));
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

class Convergence {
  readonly #key: Key;
  readonly #deps: ConvergeDependencies;
  #stored: Stored;
  #subscription: Subscription;
  /** The numbers of the operations that this run wrote to the log. */
  readonly #logged = new Set<number>();
  /** Parked operations that finished and are not logged yet. */
  readonly #finished: Operation[] = [];
  /** The licenses of a family, as read before the first order of this run. */
  readonly #listings = new Map<string, Listing>();

  constructor(key: Key, stored: Stored, deps: ConvergeDependencies) {
    this.#key = key;
    this.#deps = deps;
    this.#stored = stored;
    this.#subscription = stored.subscription;
  }

  async run(events: readonly Event[]): Promise<void> {
    for (const event of events) await this.#fold(event);
    for (;;) {
      await this.#retryAfterTopUp();
      const decision = decide(this.#subscription, this.#deps.catalog, this.#now());
      if (decision.kind !== "change" && decision.kind !== "observe") {
        await this.#pollKeys();
        return this.#schedule(decision);
      }
      if (this.#deps.timeLeft() < minTimeLeftMs) return this.#save(this.#nextDue(this.#now()));
      if (await this.#deps.table.halt()) {
        return this.#save(this.#nextDue(instantPlus(this.#now(), { seconds: haltRecheckSeconds })));
      }
      if (decision.kind === "observe") await this.#observe(decision.operation);
      else await this.#execute(decision);
    }
  }

  /** Folds an event. A fact about an archived payment is stored with that payment, and the rest is folded as usual. */
  async #fold(event: Event): Promise<void> {
    const { table } = this.#deps;
    const payment = "payment" in event ? event.payment : undefined;
    const isNew = payment !== undefined && !this.#subscription.payments.some(({ id }) => id === payment);
    const archived =
      isNew && this.#subscription.archivedCount ? await table.archivedPayment(this.#key, payment) : undefined;
    if (!archived) {
      this.#subscription = fold(this.#subscription, event);
      return;
    }
    const { payment: corrected, rest } = foldArchived(archived, event);
    if (!isDeepStrictEqual(corrected, archived)) await table.putArchivedPayment(this.#key, corrected);
    this.#subscription = fold(this.#subscription, rest);
  }

  #now(): Instant {
    return toInstant(this.#deps.now());
  }

  /** Stores the attention items, and when to decide again. */
  async #schedule(decision: Exclude<Decision, { kind: "change" | "observe" }>): Promise<void> {
    const now = this.#now();
    const { policy } = this.#deps.catalog;
    const { subscription, archived } = compact(withAttention(this.#subscription, decision, now), policy, now);
    for (const payment of archived) await this.#deps.table.putArchivedPayment(this.#key, payment);
    this.#subscription = subscription;
    return this.#save(earliest([decision.until, nextKeyPoll(this.#subscription, now)]));
  }

  /** Reads activation keys that billmgr creates late. A failed read blocks nothing else. */
  async #pollKeys(): Promise<void> {
    const { table, billmgr, timeLeft } = this.#deps;
    for (const { family, elid } of licensesAwaitingKey(this.#subscription, this.#now())) {
      if (timeLeft() < minTimeLeftMs || (await table.halt())) return;
      try {
        const { key } = (await billmgr.license(family, elid)) ?? {};
        this.#subscription = recordKey(this.#subscription, elid, key, this.#now());
      } catch (error) {
        if (!(error instanceof ReadError)) throw error;
      }
    }
  }

  async #execute({ change, why }: { change: Change; why: string }): Promise<void> {
    const { billmgr, catalog, log } = this.#deps;
    if (isPurchase(change)) await this.#recordBalance();
    const found = await preflight(change, this.#subscription, {
      billmgr,
      catalog,
      listing: (family) => this.#listing(family),
    });
    switch (found.kind) {
      case "attention":
        return this.#escalate(found.reason, blockOf(change));
      case "wait":
        return this.#backOff(found.why);
      case "moved":
        this.#subscription = lifecycle.withExpiry(this.#subscription, found.elid, found.expiry);
        return;
      case "already":
        return this.#recordAlreadyDone({ change, why, before: found.before });
      case "adopt":
        return this.#adopt(found.match, why);
      case "clear":
        break;
    }
    if (change.kind === "order" && !(await this.#takeOrder(change))) return;
    lifecycle.assertUnspent(this.#subscription, change);

    const intent = { change, why, before: found.before };
    const request = requestOf(change, this.#referenceFor(change));
    const deadline = instantPlus(this.#now(), { seconds: (callTimeoutMs + recordMs) / 1000 });
    this.#subscription = lifecycle.claim(this.#subscription, intent, { params: request, now: this.#now(), deadline });
    const claimed = this.#subscription.operation as Operation;
    await this.#save(deadline);

    const outcome = await billmgr.call(change.kind, request);
    if (outcome.outcome === "unknown") this.#deps.metrics.put("UnknownOutcomes", 1);
    log.info("called", { key: this.#key, operation: claimed.n, change: describe(change), ...outcome });
    await this.#record((latest) =>
      latest.operation?.n === claimed.n ? lifecycle.record(latest, outcome, this.#now()) : latest,
    );
    // The balance is read now, so that a top-up before the absence is proved counts as a rise.
    const balance = "funds" in outcome && outcome.funds ? await this.#balance() : undefined;
    if (balance) this.#subscription = lifecycle.recordBalance(this.#subscription, balance);
  }

  /** Takes one of the orders that the limits allow. If none is left, the subscription needs attention. */
  async #takeOrder(change: Change): Promise<boolean> {
    const { table, catalog } = this.#deps;
    if (this.#isUnsent(change)) return true;
    const now = this.#now();
    const taken = await table.takeOrder(now, catalog.limits);
    if (taken === true) return true;
    const until = taken.endsWith("hour") ? nextHour(now) : startOf(addDays(dayOf(now), 1));
    this.#escalate({ code: "order_limit", limit: taken, change }, anyOrder, until);
    return false;
  }

  /** Claims without a call, because only one worker may use an operation's number and its place in the log. */
  async #recordAlreadyDone(intent: lifecycle.Intent): Promise<void> {
    const now = this.#now();
    this.#subscription = lifecycle.claim(this.#subscription, intent, { now, deadline: now });
    await this.#save(now);
    this.#subscription = lifecycle.alreadyDone(this.#subscription, now);
    return this.#log();
  }

  /** Adopts the license of an earlier order that the table does not contain. It is confirmed like a new license. */
  async #adopt({ change, elid, adopted }: Match, why: string): Promise<void> {
    const now = this.#now();
    const intent = { change, why, before: { evidence: `license ${elid} was ordered before` } };
    const claimed = lifecycle.claim(this.#subscription, intent, { now, deadline: now });
    const operation = { ...(claimed.operation as Operation), elid, adopted };
    this.#subscription = lifecycle.scheduleObservation({ ...claimed, operation }, "unconfirmed", now);
    this.#deps.log.warn("license adopted instead of ordered", { key: this.#key, elid });
    await this.#save(now);
  }

  async #observe(n: number): Promise<void> {
    const { table, billmgr, metrics } = this.#deps;
    const operation = openOperations(this.#subscription).find((one) => one.n === n);
    if (!operation) return;
    const { change } = operation;
    // The worker that made the call died before it could record the outcome.
    if (operation.state === "claimed") metrics.put("UnknownOutcomes", 1);
    // If this proves an absence, the guard of the next order has to read again.
    this.#listings.clear();
    const reference = this.#referenceFor(change);
    const target = {
      reference,
      knownLicenses: () => table.knownLicenses(change.family),
      holderOf: (elid: string) => this.#otherHolderOf(elid, change.slot),
    };
    const result = await withTimeout(this.#deps.timeLeft() - recordMs, readBack(operation, target, billmgr)).catch(
      (error: unknown) => {
        if (error instanceof ReadError) return { verdict: "pending" as const, evidence: error.message };
        throw error;
      },
    );
    const after = this.#recordOn(n, { at: this.#now(), ...result });
    // A license that was found is stored before any further request.
    if (after?.elid !== operation.elid) await this.#save(this.#nextDue(this.#now()));
    await this.#log();
    if (after?.state === "finished" && after.elid !== undefined && result.verdict === "achieved") {
      await table.addKnownLicense(change.family, { elid: after.elid, reference });
    }
    if (after?.state === "unknown") metrics.put("UnknownOutcomeAge", secondsBetween(operation.claimedAt, this.#now()));
  }

  /** @returns the operation after the observation. A parked operation that finished is logged at the next save. */
  #recordOn(n: number, observation: lifecycle.FreshObservation): Operation | undefined {
    let after: Operation | undefined;
    this.#subscription = lifecycle.onOperation(this.#subscription, n, (focused) => {
      const observed = lifecycle.recordObservation(focused, observation);
      after = observed.operation;
      return observed;
    });
    if (after?.state === "finished" && after.n !== this.#subscription.operation?.n) this.#finished.push(after);
    return after;
  }

  /** The subscription that has the license in another slot. If there is one, the license is not the one that was ordered. */
  async #otherHolderOf(elid: string, slot: number): Promise<string | undefined> {
    const { table } = this.#deps;
    for (const key of await table.find(elid)) {
      const isOwn = key === this.#key;
      const { subscription } = isOwn ? { subscription: this.#subscription } : ((await table.load(key)) ?? {});
      const isHeld = subscription?.slots.some(({ n, license }) => license?.elid === elid && !(isOwn && n === slot));
      if (isHeld) return key.replace("subscription#", "");
    }
    return undefined;
  }

  async #listing(family: string): Promise<Listing> {
    const listing = this.#listings.get(family) ?? (await this.#deps.billmgr.licenses(family));
    this.#listings.set(family, listing);
    return listing;
  }

  /** Warns of a low balance before a purchase. An unreadable balance does not stop it: billmgr checks the money. */
  async #recordBalance(): Promise<void> {
    const { table, catalog, log } = this.#deps;
    const { minimumBalance } = catalog.limits;
    if (minimumBalance === undefined) return;
    const balance = await this.#balance();
    if (!balance) return;
    const low = balance.amount < minimumBalance;
    if (low) log.warn("the balance is low", { ...balance, minimumBalance });
    await table.putBalance({ ...balance, at: this.#now(), low });
  }

  async #retryAfterTopUp(): Promise<void> {
    const needsMoney = this.#subscription.attention?.some(({ funds }) => funds);
    if (!needsMoney || this.#deps.timeLeft() < minTimeLeftMs) return;
    const balance = await this.#balance();
    if (balance) this.#subscription = lifecycle.retryAfterTopUp(this.#subscription, balance);
  }

  async #balance(): Promise<Balance | undefined> {
    try {
      return await this.#deps.billmgr.balance();
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return undefined;
    }
  }

  /** Whether the same order was claimed before and not sent. Then it is already counted under the limit. */
  #isUnsent(change: Change): boolean {
    const { operation } = this.#subscription;
    return (
      operation?.outcome === "not_sent" && operation.change.kind === "order" && operation.change.slot === change.slot
    );
  }

  #slotOf(change: Change): Slot | undefined {
    return this.#subscription.slots.find(({ n }) => n === change.slot);
  }

  #referenceFor(change: Change): string {
    const generation = this.#slotOf(change)?.generation ?? (change.kind === "order" ? change.generation : 1);
    return referenceOf(this.#subscription, { n: change.slot, generation });
  }

  #backOff(why: string): void {
    this.#subscription = lifecycle.backOff(this.#subscription, this.#now(), why);
  }

  #escalate(reason: Reason, blocks: Block, until?: Instant): void {
    const item = { reason, since: this.#now(), blocks, ...(until && { until }) };
    this.#subscription = addAttention(this.#subscription, item);
  }

  /**
   * Records the outcome of the call. If another worker wrote meanwhile, the outcome is applied to the newer state, so
   * that it cannot be lost.
   */
  async #record(onto: (latest: Subscription) => Subscription): Promise<void> {
    this.#subscription = onto(this.#subscription);
    for (let attempts = 1; ; attempts++) {
      try {
        return await this.#save(this.#nextDue(this.#now()));
      } catch (error) {
        if (!(error instanceof VersionConflict) || attempts === maxAttempts) throw error;
        const latest = await this.#deps.table.load(this.#key);
        if (!latest) throw error;
        this.#stored = latest;
        this.#subscription = onto(latest.subscription);
      }
    }
  }

  /**
   * Writes finished operations to the log, before the next save stores the finished state. If the worker dies between
   * the two writes, the operation is still open, and is observed and logged again.
   */
  async #log(): Promise<void> {
    const { operation } = this.#subscription;
    const stored = this.#stored.subscription.operation;
    const isNew = operation?.state === "finished" && !(operation.n === stored?.n && stored.state === "finished");
    for (const finished of [...this.#finished.splice(0), ...(isNew ? [operation] : [])]) {
      if (this.#logged.has(finished.n)) continue;
      await this.#deps.table.putOperation(this.#key, finished);
      this.#logged.add(finished.n);
      this.#measure(finished);
    }
  }

  #measure({ outcome, change, secondsFromPayment }: Operation): void {
    const { metrics } = this.#deps;
    if (outcome === "refused") metrics.put("Refusals", 1);
    if (!isDone(outcome)) return;
    metrics.put(change.kind === "order" ? "Orders" : change.kind === "prolong" ? "Prolongs" : "OtherChanges", 1);
    if (secondsFromPayment !== undefined) metrics.put("PaymentToLicense", secondsFromPayment);
  }

  /** Stores the subscription, if anything changed. @throws VersionConflict */
  async #save(due: Instant | undefined): Promise<void> {
    await this.#log();
    const { due: dueBefore, ...before } = this.#stored;
    if (isDeepStrictEqual([this.#subscription, due], [before.subscription, dueBefore])) return;
    const next = { ...before, subscription: this.#subscription, ...(due !== undefined && { due }) };
    const saved = await this.#deps.table.save(this.#key, next);
    if (!saved) throw new VersionConflict(`${this.#key} was changed meanwhile`);
    this.#stored = saved;
    const known = new Set((before.subscription.attention ?? []).map(({ reason }) => keyOfReason(reason)));
    for (const { reason } of this.#subscription.attention ?? []) {
      if (known.has(keyOfReason(reason))) continue;
      this.#deps.log.warn("needs attention", { key: this.#key, code: reason.code, reason: formatReason(reason) });
    }
  }

  /** The due time while work continues: `soon` (a sweep resumes after a crash), or an open operation's later due time. */
  #nextDue(soon: Instant): Instant {
    const { operation } = this.#subscription;
    const due = operation?.state !== "finished" ? operation?.due : undefined;
    return due !== undefined && due > soon ? due : soon;
  }
}
