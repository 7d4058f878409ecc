import type { Catalog, Product } from "./catalog.ts";
import { type Assignment, assign, type Demand, demandsOf, type LicensedSlot } from "./demand.ts";
import { type Entitlement, entitlement } from "./entitlement.ts";
import { type Change, isOpen } from "./operation.ts";
import type { Slot, Subscription } from "./subscription.ts";
import { addDays, addMonths, dayOf, daysBetween, earliest, type Instant, instantPlus, startOf } from "./time.ts";

export type Decision =
  /** Find out by reading what the open operation did. */
  | { kind: "observe" }
  | { kind: "change"; change: Change; why: string }
  | { kind: "wait"; until: Instant; why: string }
  /** License and entitlement agree, until the clock alone changes that. */
  | { kind: "settled"; until?: Instant }
  | { kind: "attention"; reason: string };

/** The one billmgr call that brings the licenses nearer to the entitlement, or when to look again. */
export function decide(subscription: Subscription, catalog: Catalog, now: Instant): Decision {
  const { operation, attention, backoff } = subscription;
  if (isOpen(operation)) {
    return operation.due !== undefined && operation.due > now
      ? { kind: "wait", until: operation.due, why: `operation ${operation.n} is ${operation.state}` }
      : { kind: "observe" };
  }
  if (attention) return { kind: "attention", reason: attention.reason };

  const entitled = entitlement(subscription, catalog.policy, now);
  // What has ended is ended by its licenses alone, though its plan may have left the catalog long ago.
  const demanded = entitled.ended ? { claims: [] } : demandsOf(subscription, catalog);
  if ("problem" in demanded) return { kind: "attention", reason: demanded.problem };
  const trialsOver = entitled.paidThrough !== undefined && entitled.paidThrough > now;
  const { through } = entitled;
  if (through !== undefined && !entitled.ended && daysBetween(dayOf(now), dayOf(through)) > maxDaysAhead) {
    return { kind: "attention", reason: `paid through ${through}, which is too far ahead to be believed` };
  }
  const isExhausted = (slot: LicensedSlot) => (slot.license.trial && trialsOver) || hasLapsed(slot, entitled, catalog);
  const assignment = assign(subscription.slots, demanded.claims, isExhausted);

  const agenda = new Wakeups(now, entitled.changesAt);
  const wanted =
    order(assignment, entitled, catalog, trialsOver, now) ??
    end(assignment, entitled, catalog, agenda) ??
    suspend(subscription, entitled) ??
    keep(assignment, entitled, catalog, agenda, now);
  if (!wanted) {
    const until = agenda.next();
    return until === undefined ? { kind: "settled" } : { kind: "settled", until };
  }
  if ("reason" in wanted) return { kind: "attention", reason: wanted.reason };
  if (backoff && backoff.until > now) {
    const tooLong = instantPlus(backoff.since, { days: 1 }) <= now;
    if (tooLong) return { kind: "attention", reason: `since ${backoff.since} it cannot be done: ${backoff.why}` };
    return { kind: "wait", until: backoff.until, why: backoff.why };
  }
  return { kind: "change", ...wanted };
}

/** Five years: the longest period is three. Each period would be bought. */
const maxDaysAhead = 5 * 366;

/**
 * Prolonging counts from the old expiry. After a gap it would buy the time in which nobody paid, so a new license is
 * ordered instead, unless one period does for both.
 */
function hasLapsed({ license, plan }: LicensedSlot, { since, until }: Entitlement, catalog: Catalog): boolean {
  if (license.expiry === undefined || since === undefined || until === undefined) return false;
  const period = daysBetween(license.expiry, addMonths(license.expiry, catalog.plans[plan]?.period ?? 1));
  const gap = daysBetween(license.expiry, dayOf(since));
  return 2 * gap >= period && 2 * daysBetween(license.expiry, dayOf(until)) >= 3 * period;
}

type Wanted = { change: Change; why: string } | { reason: string } | undefined;

/** Collects the moments at which the clock alone could make another line of the decision apply. */
class Wakeups {
  readonly #now: Instant;
  readonly #moments: Instant[];
  constructor(now: Instant, moments: Instant[]) {
    this.#now = now;
    this.#moments = [...moments];
  }
  /** True when the moment has come; otherwise it is noted. */
  hasCome(moment: Instant): boolean {
    if (moment > this.#now) this.#moments.push(moment);
    return moment <= this.#now;
  }
  next(): Instant | undefined {
    return earliest(this.#moments);
  }
}

function order(
  { vacant, surplus }: Assignment,
  entitled: Entitlement,
  catalog: Catalog,
  trialsOver: boolean,
  now: Instant,
): Wanted {
  const [first] = vacant;
  if (!first || entitled.ended || entitled.withheld) return undefined;
  if (entitled.through === undefined || entitled.through <= now) return undefined;
  const { slot, demand } = first;
  const { terms } = demand;
  const product = catalog.products[demand.product] as Product;
  const trial = trialsOver ? undefined : terms.trial;
  const replaceable = surplus.filter(({ replacement }) => !replacement).map((one) => one.slot);
  const replaces = replaceable.find((one) => one.product === slot.product) ?? replaceable[0];
  return {
    why: `paid through ${entitled.through}`,
    change: {
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
    },
  };
}

/** Licenses whose time is over: all of them when the subscription has ended, else those that no item stands for. */
function end({ surplus, vacant }: Assignment, { ended }: Entitlement, catalog: Catalog, agenda: Wakeups): Wanted {
  // An old license goes only when the one that takes its place is there.
  if (ended === undefined && vacant.length > 0) return undefined;
  const { onEnd, retentionDays } = catalog.policy;
  for (const { slot, replacement } of surplus) {
    // The new license serves before the old one goes.
    if (replacement?.license.suspended && ended === undefined) continue;
    const replaced = replacement !== undefined && ended === undefined;
    const why = ended ? `ended ${ended}` : replaced ? "another license replaced it" : "it is not sold any more";
    if (replaced || onEnd === "delete") return { change: changeOf("delete", slot), why };
    if (onEnd === "lapse") continue;
    if (!slot.license.suspended) return { change: changeOf("suspend", slot), why };
    // From the later one: an end that is told late still leaves its time for a withdrawal.
    const since = [ended, slot.license.suspendedAt]
      .filter((moment) => moment !== undefined)
      .sort()
      .at(-1);
    if (since && agenda.hasCome(instantPlus(since, { days: retentionDays }))) {
      return { change: changeOf("delete", slot), why: `${why}, kept for ${retentionDays} days` };
    }
  }
  return undefined;
}

function suspend(subscription: Subscription, { withheld, unpaidSince, ended }: Entitlement): Wanted {
  // What has ended and is left to lapse is unpaid by intention; a payment taken back still counts.
  if (!withheld || (ended && withheld === "unpaid")) return undefined;
  const slot = licensedSlots(subscription).find(({ license }) => !license.suspended);
  const why = { paused: "paused", taken_back: "its payment was taken back", unpaid: `unpaid since ${unpaidSince}` };
  return slot && { change: changeOf("suspend", slot), why: why[withheld] };
}

/** What a license needs while the customer is entitled to it: time, then service, then the right addons. */
function keep({ filled }: Assignment, entitled: Entitlement, catalog: Catalog, agenda: Wakeups, now: Instant): Wanted {
  if (entitled.ended || entitled.withheld) return undefined;
  for (const { slot, demand } of filled) {
    const wanted =
      prolong(slot, demand, entitled, catalog, agenda) ?? resume(slot, entitled, now) ?? edit(slot, demand, entitled);
    if (wanted) return wanted;
  }
  return undefined;
}

function prolong(slot: LicensedSlot, demand: Demand, entitled: Entitlement, catalog: Catalog, agenda: Wakeups): Wanted {
  const { license } = slot;
  if (license.trial || entitled.until === undefined) return undefined;
  if (license.expiry === undefined) return { reason: `billmgr tells no expiry of license ${license.elid}` };
  const { renew, renewAheadDays, slackDays } = catalog.policy;
  const paidTo = dayOf(entitled.until);
  const ahead = daysBetween(license.expiry, paidTo);
  if (ahead <= 0) return undefined;

  const expiry = addMonths(license.expiry, demand.terms.period);
  const why = `paid through ${paidTo}, licensed until ${license.expiry}`;
  const change: Change = {
    kind: "prolong",
    slot: slot.n,
    elid: license.elid,
    family: license.family,
    plan: demand.plan,
    period: demand.terms.period,
    expiry,
  };
  // Months drift (Jan 31, Feb 28, Mar 28 against a storefront's Mar 31), so a period counts as paid from its half on.
  const wholePeriod = 2 * ahead >= daysBetween(license.expiry, expiry);
  if (renew === "on_payment" && wholePeriod) return { change, why };
  const worthIt = !entitled.setToEnd || ahead > slackDays;
  const dueAt = startOf(addDays(license.expiry, -Math.ceil(renewAheadDays)));
  return worthIt && agenda.hasCome(dueAt) ? { change, why: `${why}, which is near` } : undefined;
}

function resume(slot: LicensedSlot, { through }: Entitlement, now: Instant): Wanted {
  const { license } = slot;
  // Within the grace a license is neither suspended nor taken up again.
  if (!license.suspended || through === undefined || through <= now) return undefined;
  // An expired one does not resume. On which moment of its last day it ends is not documented: taken for its first.
  if (license.expiry !== undefined && license.expiry <= dayOf(now)) return undefined;
  return { change: changeOf("resume", slot), why: "entitled again" };
}

function edit({ n, license }: LicensedSlot, demand: Demand, entitled: Entitlement): Wanted {
  // An addon that came from an extra goes with it.
  const none = Object.fromEntries(Object.keys(license.addons).map((code) => [code, 0]));
  const addons = { ...none, ...demand.addons };
  const differs = Object.entries(addons).some(([code, value]) => (license.addons[code] ?? 0) !== value);
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

const licensedSlots = (subscription: Subscription): LicensedSlot[] =>
  subscription.slots.filter((slot: Slot): slot is LicensedSlot => slot.license !== undefined);
