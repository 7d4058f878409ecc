import { isDeepStrictEqual } from "node:util";
import { haltRecheckSeconds } from "../../shared/aws/control.ts";
import type { Agenda, Stored, Table } from "../../shared/aws/table.ts";
import { type Billmgr, callTimeoutMs, readTimeoutMs } from "../../shared/billmgr/billmgr.ts";
import { readBack } from "../../shared/billmgr/readback.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { ReadError, VersionConflict } from "../../shared/errors.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { type Decision, decide } from "../../shared/licensing/decide.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { licensesAwaitingKey, nextKeyPoll, recordKey } from "../../shared/licensing/license-keys.ts";
import {
  type Balance,
  type Change,
  describe,
  isDone,
  isPurchase,
  type Operation,
  referenceOf,
} from "../../shared/licensing/operation.ts";
import * as progress from "../../shared/licensing/operation-lifecycle.ts";
import { newSubscription, type Slot, type Subscription } from "../../shared/licensing/subscription.ts";
import { earliest, type Instant, instantPlus, secondsBetween, toInstant } from "../../shared/licensing/time.ts";
import type { Log } from "../../shared/observability/log.ts";
import type { Metrics } from "../../shared/observability/metrics.ts";
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

/** A call that is answered at the last moment still has to be recorded. */
const recordMs = 10_000;
/** The readings before a call, of the license and of the balance, and the call, at their slowest. */
const minTimeLeftMs = 2 * readTimeoutMs + callTimeoutMs + recordMs;
const maxAttempts = 5;

/**
 * Brings one subscription's licenses into agreement with its entitlement: fold what arrived, then claim, call and record
 * until `next` is settled or waits. May be run by two workers at once: only one of them gets to claim.
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

/** A long list must not take the function's time to an end, or nothing of the look is recorded. */
async function withTimeout<T>(ms: number, reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new ReadError(`no clear sight within ${Math.round(ms / 1000)} s`));
    timer = setTimeout(give, Math.min(ms, 2 ** 31 - 1));
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

class Convergence {
  readonly #key: Key;
  readonly #world: ConvergeDependencies;
  #stored: Stored;
  #subscription: Subscription;
  /** The number of the operation that was last written to the log. */
  #logged = 0;

  constructor(key: Key, stored: Stored, deps: ConvergeDependencies) {
    this.#key = key;
    this.#world = deps;
    this.#stored = stored;
    this.#subscription = stored.subscription;
  }

  async run(events: readonly Event[]): Promise<void> {
    this.#subscription = events.reduce(fold, this.#subscription);
    for (;;) {
      await this.#retryAfterTopUp();
      const decision = decide(this.#subscription, this.#world.catalog, this.#now());
      if (decision.kind !== "change" && decision.kind !== "observe") {
        await this.#pollKeys();
        return this.#schedule(decision);
      }
      if (this.#world.timeLeft() < minTimeLeftMs) return this.#save(this.#agenda(this.#now()));
      if (await this.#world.table.halt()) {
        return this.#save(this.#agenda(instantPlus(this.#now(), { seconds: haltRecheckSeconds })));
      }
      if (decision.kind === "observe") await this.#observe();
      else await this.#execute(decision);
    }
  }

  #now(): Instant {
    return toInstant(this.#world.now());
  }

  /** Nothing to do now: only the agenda says when again. */
  async #schedule(decision: Exclude<Decision, { kind: "change" | "observe" }>): Promise<void> {
    const { attention } = this.#subscription;
    if (attention) return this.#save({ attention: attention.since, reason: attention.reason });
    if (decision.kind === "attention") {
      const { reason } = decision;
      const before = this.#stored.agenda;
      if (before && "attention" in before && before.reason === reason) return this.#save(before);
      return this.#save({ attention: this.#now(), reason });
    }
    const due = earliest([decision.until, nextKeyPoll(this.#subscription, this.#now())]);
    return this.#save(due === undefined ? undefined : { due });
  }

  /** A key that is made after the license works. It is no reason to fail, nor to hold up anything else. */
  async #pollKeys(): Promise<void> {
    const { table, billmgr, timeLeft } = this.#world;
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
    const { table, billmgr, catalog, log } = this.#world;
    if (isPurchase(change)) await this.#recordBalance();
    const before = await preflight(change, this.#subscription, billmgr);
    if ("attention" in before) return this.#escalate(before.attention);
    if ("wait" in before) return this.#backOff(before.wait);
    if ("moved" in before) {
      const { elid, expiry } = before.moved;
      this.#subscription = progress.withExpiry(this.#subscription, elid, expiry);
      return;
    }
    if ("already" in before) return this.#recordAlreadyDone({ change, why, before: before.already });
    if (change.kind === "order" && !this.#isUnsent(change)) {
      const taken = await table.takeOrder(this.#now(), catalog.limits);
      if (taken !== true) return this.#escalate(`the limit of ${taken} is reached; ${describe(change)} waits`);
    }

    const intent = { change, why, before: before.read };
    const reference = this.#referenceFor(change);
    const request = requestOf(change, reference);
    const deadline = instantPlus(this.#now(), { seconds: (callTimeoutMs + recordMs) / 1000 });
    this.#subscription = progress.claim(this.#subscription, intent, { params: request, now: this.#now(), deadline });
    const claimed = this.#subscription.operation as Operation;
    await this.#save({ due: deadline });

    const outcome = await billmgr.call(change.kind, request);
    if (outcome.outcome === "unknown") this.#world.metrics.put("UnknownOutcomes", 1);
    log.info("called", { key: this.#key, operation: claimed.n, change: describe(change), ...outcome });
    await this.#record((latest) =>
      latest.operation?.n === claimed.n ? progress.record(latest, outcome, this.#now()) : latest,
    );
    // Now: what is topped up before an absence is proved is to count.
    const balance = "funds" in outcome && outcome.funds ? await this.#balance() : undefined;
    if (balance) this.#subscription = progress.recordBalance(this.#subscription, balance);
  }

  /** Claimed as well, though nothing is called: an operation's number, and its place in the log, are one worker's. */
  async #recordAlreadyDone(intent: progress.Intent): Promise<void> {
    const now = this.#now();
    this.#subscription = progress.claim(this.#subscription, intent, { now, deadline: now });
    await this.#save({ due: now });
    this.#subscription = progress.alreadyDone(this.#subscription, now);
    return this.#log();
  }

  async #observe(): Promise<void> {
    const { table, billmgr } = this.#world;
    const operation = this.#subscription.operation as Operation;
    const { change } = operation;
    // Whoever made the call has died before it could say what came of it.
    if (operation.state === "claimed") this.#world.metrics.put("UnknownOutcomes", 1);
    try {
      const reference = this.#referenceFor(change);
      const elid = this.#slotOf(change)?.license?.elid;
      const knownLicenses = () => table.knownLicenses(change.family);
      const reading = readBack(operation, { reference, elid, knownLicenses }, billmgr);
      const result = await withTimeout(this.#world.timeLeft() - recordMs, reading);
      this.#subscription = progress.recordObservation(this.#subscription, { at: this.#now(), ...result });
      // A license that was found is known before anything else is asked.
      if (result.elid !== undefined) await this.#save(this.#agenda(this.#now()));
      await this.#log();
      const finished = this.#subscription.operation?.state === "finished" && result.verdict === "achieved";
      if (finished && change.kind === "order" && elid !== undefined) {
        await table.addKnownLicense(change.family, { elid, reference });
      }
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      const result = { at: this.#now(), verdict: "pending" as const, evidence: error.message };
      this.#subscription = progress.recordObservation(this.#subscription, result);
    }
    if (this.#subscription.operation?.state === "unknown") {
      this.#world.metrics.put("UnknownOutcomeAge", secondsBetween(operation.claimedAt, this.#now()));
    }
  }

  /** Warns early. A balance that cannot be read is no reason not to buy: whether it suffices is billmgr's to say. */
  async #recordBalance(): Promise<void> {
    const { table, catalog, log } = this.#world;
    const { minimumBalance } = catalog.limits;
    if (minimumBalance === undefined) return;
    const balance = await this.#balance();
    if (!balance) return;
    const low = balance.amount < minimumBalance;
    if (low) log.warn("the balance is low", { ...balance, minimumBalance });
    await table.putBalance({ ...balance, at: this.#now(), low });
  }

  async #retryAfterTopUp(): Promise<void> {
    if (!this.#subscription.attention?.funds || this.#world.timeLeft() < minTimeLeftMs) return;
    const balance = await this.#balance();
    if (balance) this.#subscription = progress.retryAfterTopUp(this.#subscription, balance);
  }

  async #balance(): Promise<Balance | undefined> {
    try {
      return await this.#world.billmgr.balance();
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return undefined;
    }
  }

  /** The same order was claimed before and never left: it has had its place under the limit. */
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
    this.#subscription = progress.backOff(this.#subscription, this.#now(), why);
  }

  #escalate(reason: string): void {
    this.#subscription = { ...this.#subscription, attention: { reason, since: this.#now() } };
  }

  /**
   * Writes what the call came to. It must not be lost to another worker's write, so it is put onto whatever is stored
   * by then.
   */
  async #record(onto: (latest: Subscription) => Subscription): Promise<void> {
    this.#subscription = onto(this.#subscription);
    for (let attempts = 1; ; attempts++) {
      try {
        return await this.#save(this.#agenda(this.#now()));
      } catch (error) {
        if (!(error instanceof VersionConflict) || attempts === maxAttempts) throw error;
        const latest = await this.#world.table.load(this.#key);
        if (!latest) throw error;
        this.#stored = latest;
        this.#subscription = onto(latest.subscription);
      }
    }
  }

  /**
   * Writes a finished operation to the log. That comes before the state that says so, which the next save writes: whoever
   * dies between the two leaves an open operation, to be looked at and logged again.
   */
  async #log(): Promise<void> {
    const { operation } = this.#subscription;
    const stored = this.#stored.subscription.operation;
    if (operation?.state !== "finished" || operation.n === this.#logged) return;
    if (operation.n === stored?.n && stored.state === "finished") return;
    await this.#world.table.putOperation(this.#key, operation);
    this.#logged = operation.n;
    this.#measure(operation);
  }

  #measure({ outcome, change, secondsFromPayment }: Operation): void {
    const { metrics } = this.#world;
    if (outcome === "refused") metrics.put("Refusals", 1);
    if (!isDone(outcome)) return;
    metrics.put(change.kind === "order" ? "Orders" : change.kind === "prolong" ? "Prolongs" : "OtherChanges", 1);
    if (secondsFromPayment !== undefined) metrics.put("PaymentToLicense", secondsFromPayment);
  }

  /** Stores the subscription, if anything changed. */
  async #save(agenda: Agenda | undefined): Promise<void> {
    await this.#log();
    const before = this.#stored;
    if (isDeepStrictEqual([this.#subscription, agenda], [before.subscription, before.agenda])) return;
    const { agenda: _, ...kept } = before;
    const next = { ...kept, subscription: this.#subscription, ...(agenda && { agenda }) };
    const saved = await this.#world.table.save(this.#key, next);
    if (!saved) throw new VersionConflict(`${this.#key} was changed meanwhile`);
    this.#stored = saved;
    if (agenda && "attention" in agenda && !isDeepStrictEqual(agenda, before.agenda)) {
      this.#world.log.warn("needs attention", { key: this.#key, reason: agenda.reason });
    }
  }

  /**
   * While work goes on: due soon, so that a crash is taken up by the next sweep; an open operation not before its own time.
   */
  #agenda(soon: Instant): Agenda {
    const { attention, operation } = this.#subscription;
    if (attention) return { attention: attention.since, reason: attention.reason };
    const due = operation?.state !== "finished" ? operation?.due : undefined;
    return { due: due !== undefined && due > soon ? due : soon };
  }
}
