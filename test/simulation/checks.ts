import { isDeepStrictEqual } from "node:util";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { LedgerEntry, License } from "../../infra/local/sandbox/index.ts";
import { claimsOf } from "../../shared/licensing/claims.ts";
import { entitlement } from "../../shared/licensing/entitlement.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import { referenceOf } from "../../shared/licensing/operation.ts";
import { newSubscription, type Subscription } from "../../shared/licensing/subscription.ts";
import { addDays, addMonths, dayOf, daysBetween, instantPlus, toInstant } from "../../shared/licensing/time.ts";
import { standard } from "../../shared/storefronts/standard.ts";
import type { State } from "./observer.ts";
import { bodyOf, day, type Fact, type Life, addMonths as monthsLater } from "./shop.ts";
import type { System } from "./system.ts";

const deleted = 4;
const trialPeriod = -100;

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
    this.#key = `subscription#standard/${life.subscription}`;
    this.#now = toInstant(system.scheduler.now);
    const prefix = referenceOf({ storefront: "standard", id: life.subscription }, { n: 0, generation: 0 }).slice(0, 19);
    this.#licenses = system.sandbox.licenses().filter(({ remoteid }) => remoteid.startsWith(prefix));
    const elids = new Set(this.#licenses.map(({ id }) => id));
    this.#ledger = system.sandbox.ledger().filter(({ elid }) => elids.has(elid));
    this.#state = system.observer.states().find(({ key }) => key === this.#key);
    const items = system.dynamo.items().filter(({ pk }) => pk?.S === this.#key);
    this.#operations = items
      .filter(({ sk }) => sk?.S?.startsWith("operation#"))
      .map((item) => unmarshall(item) as unknown as Operation);
    this.#facts = life.facts.flatMap(eventsOf).reduce(fold, newSubscription("standard", life.subscription));
  }

  all(): void {
    this.#boughtOnce();
    this.#eventsKept();
    this.#operationsLogged();
    if (this.attention === undefined) this.#agrees();
    else if (this.attention === "") this.#violated("is under attention without a reason");
    else if (/all carry/.test(this.attention)) this.#violated(`is not told apart: ${this.attention}`);
  }

  /** The reason for which a person is needed. */
  get attention(): string | undefined {
    return this.#state?.agenda === "attention" ? (this.#state.reason ?? "") : undefined;
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

  /** Invariant 1. */
  #boughtOnce(): void {
    const orders = this.#ledger.filter((entry) => entry.operation === "order");
    const references = orders.map((entry) => (entry.operation === "order" ? entry.remoteid : ""));
    for (const reference of new Set(references)) {
      const times = references.filter((one) => one === reference).length;
      if (times > 1) this.#violated(`was ordered ${times} times as ${reference}`);
    }
    for (const entry of this.#ledger) {
      if (entry.operation !== "prolong") continue;
      const through = dayOf(toInstant(paidThrough(this.#life.facts, Date.parse(entry.at))));
      const beyond = daysBetween(through, entry.expiry);
      if (beyond >= daysBetween(entry.expiryBefore, entry.expiry)) {
        this.#violated(`is prolonged from ${entry.expiryBefore} to ${entry.expiry}, paid through ${through}`);
      }
    }
    if (!this.#life.plain) return;
    const bought = this.#ledger.reduce(
      (sum, entry) => sum + (entry.operation === "order" || entry.operation === "prolong" ? entry.period : 0),
      0,
    );
    // After a gap, and after a month that lacks a day, the license ends before the paid time does: a period is bought for the
    // rest.
    const { facts, gapDays } = this.#life;
    const drifts = gapDays > 0 || new Date(facts[0]?.at ?? 0).getUTCDate() > 27;
    const paid = monthsPaid(facts) + (drifts ? 1 + Math.floor(gapDays / 28) : 0);
    if (bought > paid) this.#violated(`has ${bought} months bought, and ${paid} paid`);
  }

  /** Invariant 2: each webhook was answered 200 in the end, so each fact is there. */
  #eventsKept(): void {
    const items = this.#system.dynamo.items().filter(({ sk }) => sk?.S?.startsWith("event#"));
    for (const fact of this.#life.facts) {
      const kept = items.filter(({ sk }) => sk?.S?.endsWith(`#${fact.id}`));
      const became = kept.map((item) => unmarshall(item) as { became?: string; reason?: string });
      const isFact = eventsOf(fact).length > 0;
      const well = became.some((one) => (isFact ? one.became === "folded" : one.became !== "folded" && one.reason));
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

  /** Invariant 3: the licenses as they are, against what all facts together entitle to. */
  #agrees(): void {
    const state = this.#state?.subscription;
    if (!state) return;
    if (state.operation && state.operation.state !== "finished") {
      this.#violated(`has operation ${state.operation.n} open, ${state.operation.state}`);
      return;
    }
    const alive = this.#licenses.filter(({ status }) => status !== deleted);
    const known = state.slots.flatMap(({ license }) => license?.elid ?? []);
    if (!isDeepStrictEqual(known.sort(), alive.map(({ id }) => id).sort())) {
      this.#violated(`holds licenses ${known} where billmgr has ${alive.map(({ id }) => id)}`);
    }
    const { policy } = this.#system.catalog;
    const entitled = entitlement(this.#facts, policy, this.#now);
    const kept = alive.filter(({ suspendedByRequest }) => !suspendedByRequest);
    const serving = kept.filter(({ expiry }) => expiry > dayOf(this.#now));
    if (entitled.ended) {
      const retained = this.#now < instantPlus(entitled.ended, { days: policy.retentionDays });
      const gone = policy.onEnd === "delete" || (policy.onEnd === "suspend" && !retained);
      if (gone && alive.length > 0) this.#violated(`has ended, and still has ${shown(alive)}`);
      if (policy.onEnd === "suspend" && serving.length > 0) this.#violated(`has ended, and ${shown(serving)} serve`);
      return;
    }
    if (entitled.withheld) {
      if (serving.length > 0) this.#violated(`is ${entitled.withheld}, and ${shown(serving)} serve`);
      return;
    }
    const claimed = claimsOf(this.#facts, this.#system.catalog);
    if ("problem" in claimed) {
      this.#violated(`waits for nobody, yet ${claimed.problem}`);
      return;
    }
    if (entitled.through === undefined || entitled.through <= this.#now) return;
    const until = entitled.until ?? "";
    const { products } = this.#system.catalog;
    const wanted = claimed.claims.map(({ product, addons }) => shape(products[product]?.pricelist ?? 0, addons));
    const have = kept.map(({ pricelist, addons }) => shape(pricelist, addons));
    const missing = without(wanted, have);
    const excess = without(have, wanted);
    // What expired while it was withheld is prolonged before it serves again, unless what is left is not worth a period.
    const expired = alive.filter((one) => one.suspendedByRequest && one.expiry < dayOf(this.#now));
    if (missing.length > expired.length) this.#violated(`lacks ${missing.join()}, has ${shown(alive)}`);
    if (excess.length > 0 && policy.onEnd !== "lapse") this.#violated(`has ${excess.join()} beside ${wanted.join()}`);
    for (const license of kept) this.#hasTime(license, until, entitled.setToEnd, entitled.paidThrough);
  }

  #hasTime({ id, expiry, period }: License, until: string, setToEnd: boolean, paidThrough: string | undefined): void {
    const { policy } = this.#system.catalog;
    const today = dayOf(this.#now);
    if (period === trialPeriod) {
      if (paidThrough !== undefined && paidThrough > this.#now) this.#violated(`is paid, and ${id} is a trial`);
      return;
    }
    const ahead = daysBetween(expiry, dayOf(until));
    if (ahead <= 0 || policy.onEnd === "lapse") return;
    const near = today >= addDays(expiry, -Math.ceil(policy.renewAheadDays));
    const whole = policy.renew === "on_payment" && 2 * ahead >= daysBetween(expiry, addMonths(expiry, period));
    if (whole || (near && !(setToEnd && ahead <= policy.slackDays))) {
      this.#violated(`is paid through ${until}, and license ${id} ends ${expiry}`);
    }
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

export function eventsOf(fact: Fact): Event[] {
  const [told] = standard.events(JSON.parse(bodyOf(fact)), { "webhook-id": fact.id });
  return told?.says === "facts" ? told.events : [];
}

const isPayment = ({ type, data }: Fact): boolean => type === "payment.succeeded" && data.payment !== "";

/**
 * How far all that was paid by a moment can reach, counted by hand and on the safe side: nothing taken back, and months after
 * a gap both from the day of the payment and from where the paid time ended.
 */
function paidThrough(facts: readonly Fact[], by: number): number {
  const made = facts.filter((fact) => isPayment(fact) && fact.at <= by).sort((a, b) => a.at - b.at);
  return Math.max(...[0, 30 * day].map((gap) => reachOf(made, gap)));
}

function reachOf(payments: readonly Fact[], smallestGap: number): number {
  let counted = { since: 0, months: 0 };
  let through = 0;
  for (const { at, data } of payments) {
    if (data.paidThrough !== undefined) through = Math.max(through, Date.parse(String(data.paidThrough)));
    else {
      if (at > through + smallestGap || counted.months === 0) counted = { since: Math.max(at, through), months: 0 };
      counted.months += Number(data.months);
      through = Math.max(through, monthsLater(counted.since, counted.months));
    }
  }
  return through;
}

/** Of a plain life: each of its payments is for as many months as its plan's. */
const monthsPaid = (facts: readonly Fact[]): number =>
  facts.filter(isPayment).reduce((sum, { data }) => sum + (months[String(data.plan)] ?? 1), 0);

const months: Record<string, number> = { "vm-prepaid": 3, "vm-yearly": 12 };

const shape = (pricelist: number, addons: Record<string, number>): string =>
  JSON.stringify([
    pricelist,
    ...Object.entries(addons)
      .filter(([, value]) => value > 0)
      .sort(),
  ]);

const shown = (licenses: License[]): string =>
  licenses
    .map(({ id, status, expiry, pricelist, addons }) => `${id} ${shape(pricelist, addons)} ${status} ${expiry}`)
    .join(", ");

/** What is left of a list when another is taken from it, each thing once. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = [...list];
  for (const one of other) {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}
