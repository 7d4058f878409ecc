import { isDeepStrictEqual } from "node:util";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { LedgerEntry, License } from "../../local/simulators/billmgr/index.ts";
import { entitlement } from "../../shared/licensing/entitlement.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { type Operation, referenceOf } from "../../shared/licensing/operation.ts";
import { formatReason } from "../../shared/licensing/reasons.ts";
import { newSubscription, type Subscription } from "../../shared/licensing/subscription.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { type Alive, disagreements } from "./agreement.ts";
import type { Life } from "./life.ts";
import type { State } from "./observer.ts";
import { overbought } from "./paid.ts";
import { day, eventsOf } from "./shop.ts";
import type { System } from "./system.ts";

const deleted = 4;

/** All that is to hold of one life once everything has come to rest, against what billmgr really did. */
export class Checks {
  readonly #system: System;
  readonly #life: Life;
  readonly #key: string;
  readonly #now: string;
  readonly #ledger: LedgerEntry[];
  readonly #licenses: License[];
  readonly #state: State | undefined;
  readonly #operations: Operation[];
  /** Folded from scratch, of all facts in the order in which they happened. */
  readonly #facts: Subscription;

  constructor(system: System, life: Life) {
    this.#system = system;
    this.#life = life;
    const { storefront, subscription: id } = life;
    this.#key = `subscription#${storefront}/${id}`;
    this.#now = toInstant(system.scheduler.now);
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
    this.#violatedAll(overbought(this.#life, this.#ledger));
    this.#eventsKept();
    this.#operationsLogged();
    if (this.attention === undefined) this.#agrees();
    else if (/all carry/.test(this.attention)) this.#violated(`is not told apart: ${this.attention}`);
  }

  /** The reason for which a person is needed. */
  get attention(): string | undefined {
    const items = this.#state?.subscription.attention;
    return items?.map(({ reason }) => formatReason(reason)).join(" ");
  }

  /** How it stands in the end, in a word. */
  get standing(): string {
    if (this.attention !== undefined) return "needs a person";
    const { ended, withheld, through } = entitlement(this.#facts, this.#system.catalog.policy, this.#now);
    if (ended) return "has ended";
    if (withheld) return "is suspended";
    return through !== undefined && through > this.#now ? "is served" : "is not paid";
  }

  #violated(what: string): void {
    this.#system.observer.violated(`${this.#life.subscription} ${what}`);
  }

  #violatedAll(whats: readonly string[]): void {
    for (const what of whats) this.#violated(what);
  }

  /** Invariant 2: each webhook was answered 200 in the end, so each fact is there. */
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
    for (const told of toldFields) {
      const [held, true_] = [this.#state.subscription[told], this.#facts[told]];
      if (!isDeepStrictEqual(held, true_)) {
        this.#violated(`holds ${told} ${JSON.stringify(held)} where the facts tell ${JSON.stringify(true_)}`);
      }
    }
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

  /** Invariant 3. */
  #agrees(): void {
    const { operation, slots } = this.#state?.subscription ?? this.#facts;
    if (operation && operation.state !== "finished") {
      this.#violated(`has operation ${operation.n} open, ${operation.state}`);
      return;
    }
    const alive = this.#licenses
      .filter(({ status }) => status !== deleted)
      .map((license): Alive => {
        const suspended = this.#ledger.findLast(
          ({ elid, operation }) => elid === license.id && operation === "suspend",
        );
        return { ...license, ...(suspended && { suspendedAt: suspended.at }) };
      });
    const known = slots.flatMap(({ license }) => license?.elid ?? []);
    if (!isDeepStrictEqual(known.sort(), alive.map(({ id }) => id).sort())) {
      this.#violated(`holds licenses ${known} where billmgr has ${alive.map(({ id }) => id)}`);
    }
    this.#violatedAll(disagreements(this.#facts, alive, this.#system.catalog, this.#now));
  }
}

/** The counters, and what they are to bound: in any hour, which can begin in one of the clock's and end in the next. */
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

/** What only the storefront tells. */
const toldFields = [
  "customerId",
  "email",
  "items",
  "quantities",
  "end",
  "paused",
  "payments",
  "failures",
  "lastGood",
] as const;
