import { isDeepStrictEqual } from "node:util";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { LedgerEntry, License } from "../../local/simulators/billmgr/index.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { type Operation, referenceOf } from "../../shared/licensing/operation.ts";
import { formatReason } from "../../shared/licensing/reasons.ts";
import { newSubscription, type Subscription } from "../../shared/licensing/subscription.ts";
import { excuses } from "./excuses.ts";
import { unservedMoments } from "./history.ts";
import type { Life } from "./life.ts";
import type { State } from "./observer.ts";
import { differences, overbought } from "./oracle.ts";
import { day, eventsOf } from "./shop.ts";
import type { System } from "./system.ts";
import { Truth } from "./truth.ts";

const deleted = 4;

/** Checks one life at the end of a run, when no work is left, against billmgr's ledger. */
export class Checks {
  readonly #system: System;
  readonly #life: Life;
  readonly #key: string;
  readonly #ledger: LedgerEntry[];
  readonly #licenses: License[];
  readonly #state: State | undefined;
  readonly #operations: Operation[];
  /** All facts, folded from scratch in the order in which they happened. */
  readonly #facts: Subscription;

  constructor(system: System, life: Life) {
    this.#system = system;
    this.#life = life;
    const { storefront, subscription: id } = life;
    this.#key = `subscription#${storefront}/${id}`;
    const prefix = referenceOf({ storefront, id }, { n: 0, generation: 0 }).slice(0, 19);
    this.#licenses = system.sandbox.licenses().filter(({ remoteid }) => remoteid.startsWith(prefix));
    const elids = new Set(this.#licenses.map(({ id }) => id));
    this.#ledger = system.sandbox.ledger().filter(({ elid }) => elids.has(elid));
    this.#state = system.observer.states().find(({ key }) => key === this.#key);
    const items = system.dynamo.items().filter(({ pk }) => pk?.S === this.#key);
    this.#operations = items
      .filter(({ sk }) => sk?.S?.startsWith("operation#"))
      .map((item) => unmarshall(item) as unknown as Operation);
    this.#facts = life.facts.flatMap(eventsOf).reduce(fold, newSubscription(storefront, id));
  }

  all(): void {
    const { observer, catalog, profile, scheduler } = this.#system;
    this.#violatedAll(overbought(this.#life, this.#ledger, catalog.policy));
    this.#eventsKept();
    // A lost table does not contain earlier calls.
    if (!this.#system.wasTableLost) this.#operationsLogged();
    this.#isServed();
    if (this.attention === undefined) this.#agrees();
    else if (/all carry/.test(this.attention)) this.#violated(`cannot distinguish licenses: ${this.attention}`);
    const isBillmgrWell = profile.change === 0 && profile.reading === 0;
    for (const { reason } of this.#state?.subscription.attention ?? []) {
      if (isBillmgrWell && refusals.includes(reason.code)) {
        this.#violated(`needs attention where billmgr executes every call: ${formatReason(reason)}`);
      }
    }
    const isCalm = profile.change === 0 && profile.edge === 0 && profile.lateHours <= 1;
    if (!isCalm || observer.hadAttention.has(this.#key)) return;
    this.#violatedAll(unservedMoments(this.#life, this.#ledger, catalog.policy, scheduler.now));
  }

  /** The reasons of the attention items. */
  get attention(): string | undefined {
    const items = this.#state?.subscription.attention;
    return items?.map(({ reason }) => formatReason(reason)).join(" ");
  }

  /** The standing of the subscription at the end. */
  get standing(): string {
    if (this.attention !== undefined) return "needs attention";
    const { scheduler, catalog } = this.#system;
    const { endedAt, withheld, paidTo } = new Truth(this.#life.facts, catalog.policy).standing(scheduler.now);
    if (endedAt !== undefined) return "has ended";
    if (withheld) return "is suspended";
    return paidTo !== undefined && paidTo > scheduler.now ? "is served" : "is not paid";
  }

  #violated(what: string): void {
    this.#system.observer.violated(`${this.#life.subscription} ${what}`);
  }

  #violatedAll(whats: readonly string[]): void {
    for (const what of whats) this.#violated(what);
  }

  /** Invariant 2: each webhook was finally answered 200, so each fact is stored. */
  #eventsKept(): void {
    const items = this.#system.dynamo.items().filter(({ sk }) => sk?.S?.startsWith("event#"));
    for (const fact of this.#life.facts) {
      const kept = items.filter(({ sk }) => sk?.S?.endsWith(`#${fact.id}`));
      const became = kept.map((item) => unmarshall(item) as { status?: string; reason?: string });
      const isFact = eventsOf(fact).length > 0;
      const well = became.some((one) => (isFact ? one.status === "applied" : one.status !== "applied" && one.reason));
      if (!well) this.#violated(`lacks the event ${fact.id} ${fact.type}: ${JSON.stringify(became)}`);
    }
    if (!this.#state) {
      if (this.#life.facts.some((fact) => eventsOf(fact).length > 0)) this.#violated("is not stored");
      return;
    }
    const { subscription } = this.#state;
    for (const name of factFields) {
      // A fact about an archived payment is stored only with that payment.
      if (subscription.archivedCount && name === "lastGood") continue;
      const [held, true_] = [subscription[name], this.#facts[name]];
      if (!isDeepStrictEqual(held, true_)) {
        this.#violated(`holds ${name} ${JSON.stringify(held)} where the facts give ${JSON.stringify(true_)}`);
      }
    }
    for (const payment of this.#facts.payments) {
      const kept = subscription.payments.find(({ id }) => id === payment.id) ?? this.#archived(payment.id);
      if (!isDeepStrictEqual(kept, payment)) {
        this.#violated(`holds the payment ${JSON.stringify(kept)} where the facts give ${JSON.stringify(payment)}`);
      }
    }
    const known = new Set(this.#facts.payments.map(({ id }) => id));
    for (const { id } of subscription.payments) {
      if (!known.has(id) && id !== "#archived") this.#violated(`holds the payment ${id}, which was never made`);
    }
  }

  #archived(id: string): unknown {
    const item = this.#system.dynamo.get(this.#key, `payment#${id}`);
    return item && unmarshall(item).payment;
  }

  /** Invariant 4. */
  #operationsLogged(): void {
    const open = this.#state?.subscription.operation;
    const logged = [...this.#operations, ...(open && open.state !== "finished" ? [open] : [])];
    const left = new Map(logged.map((operation) => [operation.n, operation.attempt?.params]));
    for (const call of this.#system.observer.calls) {
      if (call.key !== this.#key || !call.arrived) continue;
      const [n] = [...left].find(([, params]) => isDeepStrictEqual(params, call.params)) ?? [];
      if (n === undefined) this.#violated(`has a call in no operation: ${JSON.stringify(call.params)}`);
      else left.delete(n);
    }
    const finished = this.#state?.subscription.operation?.n ?? 0;
    const numbers = new Set(logged.map(({ n }) => n));
    for (let n = 1; n <= finished; n++) if (!numbers.has(n)) this.#violated(`lacks operation ${n} in its log`);
  }

  /** Invariant 3: billmgr has the licenses that the customer paid for, or the missing change needs attention. */
  #isServed(): void {
    const { catalog, scheduler } = this.#system;
    const reasons = (this.#state?.subscription.attention ?? []).map(({ reason }) => reason);
    const found = differences(this.#life, this.#licenses, this.#ledger, catalog.policy, scheduler.now);
    for (const { what, needs } of found) {
      // A lost license is adopted before the next order. One that is to end is left to `ops reconcile`.
      if (this.#system.wasTableLost && (needs === "end" || needs === "service")) continue;
      if (!reasons.some((reason) => excuses(reason, needs))) {
        this.#violated(`${what}${reasons.length > 0 ? `, and only ${JSON.stringify(reasons)} needs attention` : ""}`);
      }
    }
  }

  /** Checks that the stored licenses are the ones that billmgr has. */
  #agrees(): void {
    const { operation, slots } = this.#state?.subscription ?? this.#facts;
    if (operation && operation.state !== "finished") {
      this.#violated(`has operation ${operation.n} open, ${operation.state}`);
      return;
    }
    const alive = this.#licenses.filter(({ status }) => status !== deleted);
    if (this.#system.wasTableLost) return;
    const known = slots.flatMap(({ license }) => license?.elid ?? []);
    if (!isDeepStrictEqual(known.sort(), alive.map(({ id }) => id).sort())) {
      this.#violated(`holds licenses ${known} where billmgr has ${alive.map(({ id }) => id)}`);
    }
  }
}

/** Checks the counters of orders, and the orders in any hour and day. An interval can span two counters. */
export function checkLimits({ observer, dynamo, catalog: { limits } }: System): void {
  for (const { sk, orders } of dynamo.items()) {
    if (!orders || !sk?.S?.startsWith("orders#")) continue;
    const limit = sk.S.includes("T") ? limits.ordersPerHour : limits.ordersPerDay;
    if (Number(orders.N) > limit) observer.violated(`${sk.S} counts ${orders.N} orders, more than ${limit}`);
  }
  const orders = observer.calls.filter(({ kind, arrived }) => kind === "order" && arrived).map(({ at }) => at);
  for (const [ms, limit] of [
    [day / 24, limits.ordersPerHour],
    [day, limits.ordersPerDay],
  ] as const) {
    for (const at of orders) {
      const within = orders.filter((other) => other >= at && other < at + ms).length;
      if (within > 2 * limit) observer.violated(`${within} orders within ${ms / 3_600_000} hours, limited to ${limit}`);
    }
  }
}

/** Reasons that cannot occur with a billmgr without faults. */
const refusals: readonly string[] = ["refused", "conflicting", "no_effect", "unresolved", "not_confirmed"];

/** The fields that come only from the storefront. */
const factFields = ["customerId", "email", "items", "quantities", "end", "paused", "failures", "lastGood"] as const;
