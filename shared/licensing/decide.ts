import { blockedTargets, isBlocked, openOperations } from "./attention.ts";
import type { Catalog, Product } from "./catalog.ts";
import { type Assignment, assign, type Demand, demandsOf, isSameSlot, type LicensedSlot } from "./demand.ts";
import { type Entitlement, entitlement } from "./entitlement.ts";
import type { Block, Change, Span } from "./operation.ts";
import type { Reason } from "./reasons.ts";
import { type Slot, type Subscription, spentTime } from "./subscription.ts";
import {
  addDays,
  addMonths,
  type Day,
  dayOf,
  daysBetween,
  earliest,
  type Instant,
  instantPlus,
  instantPlusMonths,
  latest,
  startOf,
} from "./time.ts";

/**
 * The next step for a subscription. `attention` contains the reasons for attention that follow from the facts. They
 * block no other changes. `blocked` contains the wanted changes that an earlier outcome blocks.
 */
export type Decision = { attention: Reason[]; blocked: Block[] } & (
  | { kind: "observe"; operation: number }
  | { kind: "change"; change: Change; why: string }
  | { kind: "wait"; until: Instant; why: string }
  /** Licenses and entitlement agree as far as possible. The clock can change that at `until`. */
  | { kind: "settled"; until?: Instant }
);

/** Returns the next change that brings the licenses closer to the entitlement, or when to decide again. */
export function decide(subscription: Subscription, catalog: Catalog, now: Instant): Decision {
  const { backoff } = subscription;
  const { wanted, problems, wakeups } = wantedChanges(subscription, catalog, now);
  const free = wanted.filter(({ change }) => !isBlocked(subscription, change, now));
  const blocked = blockedTargets(subscription, wanted, now);
  const isTooLong = backoff !== undefined && free.length > 0 && instantPlus(backoff.since, { days: 1 }) <= now;
  const attention: Reason[] = isTooLong
    ? [...problems, { code: "backing_off", since: backoff.since, why: backoff.why }]
    : problems;
  const facts = { attention, blocked };

  const open = openOperations(subscription);
  const due = open.find((operation) => operation.due === undefined || operation.due <= now);
  if (due) return { ...facts, kind: "observe", operation: due.n };
  const pending = open.find(({ n }) => !subscription.attention?.some((item) => item.operation === n));
  if (pending?.due !== undefined) {
    return { ...facts, kind: "wait", until: pending.due, why: `operation ${pending.n} is ${pending.state}` };
  }

  const [first] = free;
  if (first && !(backoff && backoff.until > now)) return { ...facts, kind: "change", ...first };
  if (first && backoff) return { ...facts, kind: "wait", until: backoff.until, why: backoff.why };
  const until = earliest([
    ...wakeups.moments,
    ...open.map((operation) => operation.due),
    ...(subscription.attention ?? []).map((item) => item.until),
  ]);
  return until === undefined ? { ...facts, kind: "settled" } : { ...facts, kind: "settled", until };
}

/** A DynamoDB item has at most 400 KB. The difference is reserved for an operation and further events. */
const maxStateBytes = 300_000;

/** Five years. The longest period of a plan is three. A mistyped year would buy every period up to it. */
const maxDaysAhead = 5 * 366;

type Wanted = { change: Change; why: string };

/** Collects the moments at which only the clock can change the decision. */
class Wakeups {
  readonly #now: Instant;
  readonly moments: Instant[];
  constructor(now: Instant, moments: Instant[]) {
    this.#now = now;
    this.moments = [...moments];
  }
  /** Whether the moment is in the past. A future moment is collected. */
  hasCome(moment: Instant): boolean {
    if (moment > this.#now) this.moments.push(moment);
    return moment <= this.#now;
  }
}

/** The inputs for the changes of one decision. */
type Context = {
  assignment: Assignment;
  entitled: Entitlement;
  catalog: Catalog;
  subscription: Subscription;
  now: Instant;
  wakeups: Wakeups;
  /** The present is paid with money, so a trial is over. */
  isTrialOver: boolean;
  /** Some of the items are not understood. */
  isPartial: boolean;
  exchanges: Exchanges;
};

/** Purchases that no new payment pays for: another product within the paid time, or a license that was lost. */
class Exchanges {
  readonly #limit: number;
  #count: number;
  problem: Reason | undefined;

  constructor({ exchanges = [] }: Subscription, { limits }: Catalog, now: Instant) {
    this.#limit = limits.exchangesPerMonth;
    this.#count = exchanges.filter((at) => at > instantPlus(now, { days: -31 })).length;
  }

  /** Takes one of those that the limit allows. */
  take(change: Change): boolean {
    if (this.#count >= this.#limit) this.problem ??= { code: "exchange_limit", limit: this.#limit, change };
    else this.#count += 1;
    return this.problem === undefined;
  }
}

function wantedChanges(
  subscription: Subscription,
  catalog: Catalog,
  now: Instant,
): { wanted: Wanted[]; problems: Reason[]; wakeups: Wakeups } {
  const entitled = entitlement(subscription, catalog.policy, now);
  const { through, paidThrough } = entitled;
  const isPaid = through !== undefined && through > now;
  // After the end only the licenses count. The plan may have left the catalog long ago.
  const found = entitled.ended ? { demands: [], problems: [] } : demandsOf(subscription, catalog);
  const problems = found.problems.filter(({ code }) => code !== "nothing_sold" || isPaid);
  const isTrialOver = paidThrough !== undefined && paidThrough > now;
  const isExhausted = (slot: LicensedSlot) =>
    isReplaced(slot, subscription) || (slot.license.trial && isTrialOver) || hasLapsed(slot, entitled, catalog, now);
  const assignment = assign(subscription.slots, found.demands, isExhausted);
  const wakeups = new Wakeups(now, entitled.changesAt);
  const context: Context = {
    assignment,
    entitled,
    catalog,
    subscription,
    now,
    wakeups,
    isTrialOver,
    isPartial: found.problems.some(({ code }) => code !== "nothing_sold" && code !== "period_not_stated"),
    exchanges: new Exchanges(subscription, catalog, now),
  };
  const purchases: Wanted[] = [];
  if (!entitled.ended && isPaid && daysBetween(dayOf(now), dayOf(through)) > maxDaysAhead) {
    problems.push({ code: "paid_too_far_ahead", through });
  } else {
    const { orders, problem } = ordersOf(context);
    if (problem) problems.push(problem);
    purchases.push(...orders);
  }
  const kept = changesToKeep(context, problems);
  if (context.exchanges.problem) problems.push(context.exchanges.problem);
  const wanted = [...purchases, ...ends(context), ...suspensions(context), ...kept];
  return { wanted, problems, wakeups };
}

/**
 * Whether a license of the same product has been ordered to replace this one. A payment that is stated again, with other
 * dates, must not buy for both.
 */
function isReplaced(slot: LicensedSlot, subscription: Subscription): boolean {
  const orders = openOperations(subscription).flatMap(({ change }) => (change.kind === "order" ? change : []));
  const successors = [...subscription.slots.filter(({ license }) => license), ...orders];
  return successors.some(({ product, replaces }) => product === slot.product && isSameSlot(replaces, slot));
}

/**
 * Whether a new license has to replace this one. billmgr prolongs from the old expiry: after a gap in the payments,
 * that would buy unpaid time and leave paid days without a license. `policy.late` selects the rule.
 */
function hasLapsed(
  { license, plan }: LicensedSlot,
  { since, until }: Entitlement,
  catalog: Catalog,
  now: Instant,
): boolean {
  const { expiry } = license;
  if (expiry === undefined || since === undefined || until === undefined) return false;
  const { late, graceDays, slackDays } = catalog.policy;
  const period = catalog.plans[plan]?.period ?? 1;
  // A period that would be over by now serves nobody, also without a gap: the license may not have been wanted meanwhile.
  if (!license.trial && until > now && addMonths(expiry, period) <= dayOf(now)) return true;
  return late === "order" && daysBetween(expiry, dayOf(since)) > Math.max(graceDays, slackDays);
}

const spanFrom = (from: Instant, months: number): Span => ({ from, to: instantPlusMonths(from, months) });

function ordersOf(context: Context): { orders: Wanted[]; problem?: Reason } {
  const { assignment, entitled, catalog, subscription, now, isTrialOver, exchanges } = context;
  const { vacant, surplus } = assignment;
  const { through, ended, withheld } = entitled;
  if (vacant.length === 0 || ended || withheld || through === undefined || through <= now) return { orders: [] };
  const bytes = Buffer.byteLength(JSON.stringify(subscription));
  if (bytes > maxStateBytes) return { orders: [], problem: { code: "too_large", bytes } };
  const replaceable = surplus.filter(({ replacement }) => !replacement).map((one) => one.slot);
  const orders = vacant.flatMap(({ slot, demand }): Wanted[] => {
    const at = Math.max(
      0,
      replaceable.findIndex((one) => one.product === slot.product),
    );
    const [replaces] = replaceable.splice(at, 1);
    const { terms } = demand;
    const product = catalog.products[demand.product] as Product;
    const trial = isTrialOver ? undefined : terms.trial;
    const spent = latest([slot.spentThrough, replaces && spentTime(replaces)]);
    const from = latest([spent, now]) ?? now;
    // Time that was spent on the license before is exchanged: the next payment's would be served that much less.
    const isSpent = spent !== undefined && dayOf(spent) > dayOf(now);
    const spends = !trial && !isSpent && from < through ? spanFrom(from, terms.period) : undefined;
    const change: Change & { kind: "order" } = {
      kind: "order",
      slot: slot.n,
      generation: slot.generation,
      plan: demand.plan,
      product: demand.product,
      family: product.family,
      pricelist: product.pricelist,
      period: trial ? trial.period : terms.period,
      addons: demand.addons,
      autoprolong: trial ? null : terms.autoprolong,
      trial: trial !== undefined,
      ...(replaces && { replaces: { n: replaces.n, generation: replaces.generation } }),
      ...(spends && { spends }),
    };
    if (spends || trial) return [{ change, why: `paid through ${through}` }];
    return exchanges.take(change) ? [{ change, why: `exchanged within the time paid through ${through}` }] : [];
  });
  return { orders };
}

/** Ends licenses: all of them after the end of the subscription, before it those that no item entitles to. */
function ends({ assignment, entitled, catalog, wakeups, isPartial }: Context): Wanted[] {
  const { surplus, vacant } = assignment;
  const { ended } = entitled;
  // An old license ends only after every order is done, and only if no item that is not understood could mean it.
  if (ended === undefined && (vacant.length > 0 || isPartial)) return [];
  const { onEnd, retentionDays } = catalog.policy;
  return surplus.flatMap(({ slot, replacement }): Wanted[] => {
    // The new license must work before the old one ends.
    if (replacement?.license.suspended && ended === undefined) return [];
    const isReplaced = replacement !== undefined && ended === undefined;
    const why = ended ? `ended ${ended}` : isReplaced ? "another license replaced it" : "no item entitles to it";
    if (isReplaced || onEnd === "delete") return [{ change: changeOf("delete", slot), why }];
    if (onEnd === "lapse") return [];
    if (!slot.license.suspended) return [{ change: changeOf("suspend", slot), why }];
    // Retention counts from the later of the two: a late cancellation event still leaves time to withdraw it.
    const since = latest([ended, slot.license.suspendedAt]);
    if (since === undefined || !wakeups.hasCome(instantPlus(since, { days: retentionDays }))) return [];
    return [{ change: changeOf("delete", slot), why: `${why}, kept for ${retentionDays} days` }];
  });
}

function suspensions({ entitled, subscription }: Context): Wanted[] {
  const { withheld, unpaidSince, ended } = entitled;
  // After the end no payment is expected, so `policy.onEnd` decides. A payment that was taken back still suspends.
  if (!withheld || (ended && withheld === "unpaid")) return [];
  const why = { paused: "paused", taken_back: "its payment was taken back", unpaid: `unpaid since ${unpaidSince}` };
  return licensedSlots(subscription)
    .filter(({ license }) => !license.suspended)
    .map((slot) => ({ change: changeOf("suspend", slot), why: why[withheld] }));
}

/** The changes for licenses that the customer is entitled to: first prolong, then resume, then edit. */
function changesToKeep(context: Context, problems: Reason[]): Wanted[] {
  const { assignment, entitled, isPartial, now } = context;
  if (entitled.ended || entitled.withheld) return [];
  return assignment.filled.flatMap(({ slot, demand }) =>
    [
      prolongation(slot, demand, context, problems),
      resumption(slot, entitled, now),
      edition(slot, demand, entitled, isPartial),
    ].flatMap((wanted) => wanted ?? []),
  );
}

function prolongation(slot: LicensedSlot, demand: Demand, context: Context, problems: Reason[]): Wanted | undefined {
  const { entitled, catalog, wakeups, now, exchanges } = context;
  const { license } = slot;
  const { until, since, setToEnd } = entitled;
  // Time in the past is not bought.
  if (license.trial || until === undefined || until <= now) return undefined;
  const { expiry, elid, family } = license;
  if (expiry === undefined) {
    problems.push({ code: "expiry_not_shown", elid });
    return undefined;
  }
  if (daysBetween(dayOf(now), dayOf(until)) > maxDaysAhead) return undefined;
  const { renew, renewAheadDays, slackDays } = catalog.policy;
  const paidTo = dayOf(until);
  const spent = latest([spentTime(slot), since]) ?? until;
  const unserved = daysBetween(expiry, paidTo);
  const unspent = daysBetween(dayOf(spent), paidTo);
  // The time was spent on a license that this one replaced, and this one was bought for a part of it.
  const isExchange = unspent <= 0 && slot.exchanged === true;
  const ahead = isExchange ? unserved : Math.min(unserved, unspent);
  if (ahead <= 0) return undefined;

  const { period } = demand.terms;
  const target: Day = addMonths(expiry, period);
  const why = `paid through ${paidTo}, licensed until ${expiry}`;
  const change: Change = {
    kind: "prolong",
    slot: slot.n,
    elid,
    family,
    plan: demand.plan,
    period,
    expiry: target,
    ...(!isExchange && { spends: spanFrom(spent, period) }),
  };
  // Months drift: Jan 31, Feb 28, Mar 28, while a storefront has Mar 31. So a period counts as paid from half of it on.
  const isWholePeriod = 2 * ahead >= daysBetween(expiry, target);
  if (renew === "on_payment" && isWholePeriod && !isExchange) return { change, why };
  const isWorthIt = !setToEnd || ahead > slackDays;
  if (!isWorthIt || !wakeups.hasCome(startOf(addDays(expiry, -Math.ceil(renewAheadDays))))) return undefined;
  return isExchange && !exchanges.take(change) ? undefined : { change, why: `${why}, which is near` };
}

function resumption(slot: LicensedSlot, { through }: Entitlement, now: Instant): Wanted | undefined {
  const { license } = slot;
  // Within the grace a license is neither suspended nor resumed.
  if (!license.suspended || through === undefined || through <= now) return undefined;
  // An expired license cannot resume. ISPsystem does not document at which time of its last day a license expires, so
  // the start of the day counts.
  if (license.expiry !== undefined && license.expiry <= dayOf(now)) return undefined;
  return { change: changeOf("resume", slot), why: "entitled again" };
}

function edition(
  { n, license }: LicensedSlot,
  demand: Demand,
  entitled: Entitlement,
  isPartial: boolean,
): Wanted | undefined {
  // Addons of a removed extra are set to 0, unless an item that is not understood may be that extra.
  const none = isPartial ? {} : Object.fromEntries(Object.keys(license.addons).map((code) => [code, 0]));
  const addons = { ...none, ...demand.addons };
  const differs = Object.entries(addons).some(([code, value]) =>
    isPartial ? (license.addons[code] ?? 0) < value : (license.addons[code] ?? 0) !== value,
  );
  if (!differs || license.suspended || entitled.through === undefined) return undefined;
  const { elid, family } = license;
  return {
    change: { kind: "edit", slot: n, elid, family, plan: demand.plan, addons },
    why: "the plan or its quantity changed",
  };
}

const changeOf = (kind: "suspend" | "resume" | "delete", { n, license }: LicensedSlot): Change => ({
  kind,
  slot: n,
  elid: license.elid,
  family: license.family,
});

const licensedSlots = ({ slots }: Subscription): LicensedSlot[] =>
  slots.filter((slot: Slot): slot is LicensedSlot => slot.license !== undefined);
