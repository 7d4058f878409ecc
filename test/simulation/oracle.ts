import type { LedgerEntry, License } from "../../local/simulators/billmgr/index.ts";
import type { Life } from "./life.ts";
import { day, type Sold } from "./shop.ts";
import { dayNumber, daysCovered, type Rules, type Standing, Truth } from "./truth.ts";

/** A difference between the licenses at billmgr and the paid ones, and the kind of change that would correct it. */
export type Difference = { what: string; needs: "purchase" | "edit" | "service" | "end" };

type Purchase = Extract<LedgerEntry, { operation: "order" | "prolong" }>;

const trial = -100;
const status = { active: 2, deleted: 4, processing: 5 };
const longestMonth = 31;

const isPurchase = (entry: LedgerEntry): entry is Purchase =>
  (entry.operation === "order" || entry.operation === "prolong") && entry.period !== trial && !("unpaid" in entry);

const dateNumber = (date: string): number => dayNumber(Date.parse(`${date}T00:00:00Z`));
const daysBought = (entry: Purchase): number =>
  dateNumber(entry.expiry) -
  (entry.operation === "order" ? dayNumber(Date.parse(entry.at)) : dateNumber(entry.expiryBefore));

/** Returns purchases beyond the paid time. There must be none at any moment, even if something needs attention. */
export function overbought({ facts, isPlain }: Life, ledger: readonly LedgerEntry[], rules: Rules): string[] {
  const truth = new Truth(facts, rules);
  const purchases = ledger.filter(isPurchase);
  const peak = Math.max(1, ...truth.offers.map((items) => licensesFor(items).length));
  const longest = Math.max(1, ...purchases.map(({ period }) => period)) * longestMonth;
  const wrong = [...orderedTwice(ledger), ...twoAlive(ledger)];
  let bought = 0;
  for (const purchase of purchases) {
    const at = Date.parse(purchase.at);
    const known = truth.by(at);
    const paidEnd = dayNumber(known.moneyEnd());
    const before = purchase.operation === "prolong" ? dateNumber(purchase.expiryBefore) : dayNumber(at);
    if (paidEnd < before || (paidEnd === before && purchase.operation === "prolong")) {
      wrong.push(`${shown(purchase)}, though nothing is paid after ${dateOf(before)}`);
    }
    if (dateNumber(purchase.expiry) <= dayNumber(at)) wrong.push(`${shown(purchase)}, which was over by then`);
    bought += daysBought(purchase);
    const paid = daysCovered(known.moneySpans()) * peak;
    // A rest that is shorter than a period may be served by one whole period.
    const most = paid + (longest + (isPlain ? 0 : exchangedDays(truth, at, longest))) * peak;
    if (bought > most) wrong.push(`${bought} days were bought by ${purchase.at}, where ${paid} were paid`);
  }
  return wrong;
}

/** The days that exchanges may buy: each buys the remaining paid time, or a whole period. */
function exchangedDays(truth: Truth, by: number, longest: number): number {
  return truth.offerMoments
    .filter((at) => at <= by)
    .reduce((sum, at) => sum + Math.max(0, dayNumber(truth.by(at).moneyEnd()) - dayNumber(at)) + longest, 0);
}

function orderedTwice(ledger: readonly LedgerEntry[]): string[] {
  const standing = new Map<string, string>();
  return ledger.flatMap((entry) => {
    // After the loss of a table, the reference of a deleted license can be used again.
    if (entry.operation === "delete") {
      for (const [reference, elid] of standing) if (elid === entry.elid) standing.delete(reference);
    }
    if (entry.operation !== "order" || "unpaid" in entry) return [];
    const other = standing.get(entry.remoteid);
    standing.set(entry.remoteid, entry.elid);
    return other === undefined ? [] : [`was ordered twice as ${entry.remoteid}: ${other} and ${entry.elid}`];
  });
}

/** A slot has one license at a time: the next generation is ordered after the previous one was deleted. */
function twoAlive(ledger: readonly LedgerEntry[]): string[] {
  const alive = new Map<string, string>();
  const slotOf = new Map<string, string>();
  return ledger.flatMap((entry) => {
    if (entry.operation === "order" && !("unpaid" in entry)) {
      const slot = entry.remoteid.split("-").slice(0, 3).join("-");
      const other = alive.get(slot);
      alive.set(slot, entry.elid);
      slotOf.set(entry.elid, slot);
      return other === undefined ? [] : [`has ${other} and ${entry.elid} at a time as ${slot}`];
    }
    const slot = slotOf.get(entry.elid);
    if (entry.operation === "delete" && slot !== undefined && alive.get(slot) === entry.elid) alive.delete(slot);
    return [];
  });
}

const shown = (entry: Purchase): string =>
  `${entry.operation} of ${entry.elid} to ${entry.expiry} at ${entry.at.slice(0, 16)}`;
const dateOf = (number: number): string => new Date(number * day).toISOString().slice(0, 10);

/** A license that the customer should have. */
type Wanted = { pricelist: number; addons: Record<string, number> };

/** The licenses for the sold items, or none if the catalog omits one of them. */
function licensesFor(items: readonly Sold[]): Wanted[] {
  return wantedFor(items) ?? [];
}

function wantedFor(items: readonly Sold[]): Wanted[] | undefined {
  const wanted: Wanted[] = [];
  let nodes = 0;
  for (const { plan, quantity } of items) {
    if (plan === "not-sold-here") return undefined;
    if (quantity === 0 || plan === "support") continue;
    if (plan === "vm-monthly") wanted.push({ pricelist: 55163, addons: { 55165: quantity } });
    if (plan === "vm-prepaid") wanted.push({ pricelist: 55163, addons: { 55165: 1, 55164: 10 * quantity } });
    if (plan === "vm-yearly") wanted.push({ pricelist: 55163, addons: { 55165: 2 + quantity } });
    if (plan === "isp-monthly") wanted.push({ pricelist: 55228, addons: {} });
    if (plan === "dci-trial") wanted.push({ pricelist: 55161, addons: {} });
    if (plan === "dci-each") wanted.push(...Array.from({ length: quantity }, () => ({ pricelist: 55161, addons: {} })));
    if (plan === "vm-node") nodes = quantity;
  }
  for (const one of wanted.filter(({ pricelist }) => pricelist === 55163).slice(0, 1)) {
    one.addons[55165] = (one.addons[55165] ?? 0) + nodes;
  }
  return wanted;
}

/** A license with the moment of its last suspension. */
export type Alive = License & { suspendedAt?: number };

const serves = (license: License, now: number): boolean =>
  [status.active, status.processing].includes(license.status) &&
  !license.suspendedByRequest &&
  !license.deleting &&
  dateNumber(license.expiry) > dayNumber(now);

/** Compares the licenses at billmgr with the ones that the customer should have now. */
export function differences(
  { facts }: Life,
  licenses: readonly License[],
  ledger: readonly LedgerEntry[],
  rules: Rules,
  now: number,
): Difference[] {
  const standing = new Truth(facts, rules).standing(now);
  const alive = licenses
    .filter(({ status: shows }) => shows !== status.deleted)
    .map((license): Alive => {
      const last = ledger.findLast(({ elid, operation }) => elid === license.id && operation === "suspend");
      return { ...license, ...(last && { suspendedAt: Date.parse(last.at) }) };
    });
  const serving = alive.filter((license) => serves(license, now));
  if (standing.endedAt !== undefined) return afterTheEnd(standing.endedAt, alive, serving, rules, now);
  if (standing.withheld) {
    return serving.length > 0
      ? [{ what: `is ${standing.withheld}, and ${list(serving)} serves`, needs: "service" }]
      : [];
  }
  // billmgr counts days: on the last paid day a license has expired.
  if (standing.until === undefined || dayNumber(standing.until) <= dayNumber(now)) return [];
  return whilePaid(standing, alive, rules, now);
}

function afterTheEnd(
  endedAt: number,
  alive: readonly Alive[],
  serving: readonly License[],
  { onEnd, retentionDays }: Rules,
  now: number,
): Difference[] {
  if (onEnd === "lapse") return [];
  // One day is added, because the retention counts from the observation of the suspension.
  const isRetained = ({ suspendedAt = endedAt }: Alive) =>
    onEnd === "suspend" && now < Math.max(suspendedAt, endedAt) + (retentionDays + 1) * day;
  const left = alive.filter((one) => !isRetained(one));
  return [
    ...(serving.length > 0 ? [{ what: `has ended, and ${list(serving)} serves`, needs: "service" as const }] : []),
    ...(left.length > 0 ? [{ what: `has ended, and ${list(left)} is there`, needs: "end" as const }] : []),
  ];
}

function whilePaid(standing: Standing, alive: readonly Alive[], rules: Rules, now: number): Difference[] {
  const wanted = wantedFor(standing.items);
  if (wanted === undefined) return [{ what: "sells something unknown", needs: "edit" }];
  const found: Difference[] = [];
  const left = [...alive];
  for (const one of wanted) {
    const isOfProduct = (has: License) => has.pricelist === one.pricelist;
    const exact = left.findIndex((has) => isOfProduct(has) && serves(has, now) && hasAddons(has, one));
    const at = exact >= 0 ? exact : left.findIndex(isOfProduct);
    const [license] = at < 0 ? [] : left.splice(at, 1);
    if (!license) found.push({ what: `is paid, and has no license of ${one.pricelist}`, needs: "purchase" });
    else found.push(...lacking(license, one, standing, rules, now));
  }
  const extra = left.filter((license) => serves(license, now));
  if (extra.length > 0 && rules.onEnd !== "lapse") found.push({ what: `has ${list(extra)} too much`, needs: "end" });
  return found;
}

function lacking(license: Alive, wanted: Wanted, standing: Standing, rules: Rules, now: number): Difference[] {
  const { until = 0, isSetToEnd, moneyTo = 0, isSteady, graceServedDays } = standing;
  const what = list([license]);
  // Month ends differ (January 31, February 28, March 28), and no period is bought for a rest of a few days.
  // If a license replaced another one shortly before its end, it was bought for the next payment.
  const exchangedDays = isSteady ? 0 : (license.period * longestMonth) / 2;
  const rest = dayNumber(until) - dateNumber(license.expiry) - graceServedDays - rules.slackDays - exchangedDays;
  const isSlack = isSetToEnd && rest <= 0;
  if (license.period === trial && moneyTo > now)
    return [{ what: `is paid, and ${what} is a trial`, needs: "purchase" }];
  const isExpired = dateNumber(license.expiry) <= dayNumber(now);
  if (!serves(license, now) && license.period !== trial && !(isExpired && (isSlack || rest <= 0))) {
    return [{ what: `is paid, and ${what} does not serve`, needs: isExpired ? "purchase" : "service" }];
  }
  const found: Difference[] = [];
  const isServing = serves(license, now);
  if (isServing && !hasAddons(license, wanted))
    found.push({ what: `has ${what}, not ${list([wanted])}`, needs: "edit" });
  if (license.period === trial || rest <= 0) return found;
  const isNear = dayNumber(now) >= dateNumber(license.expiry) - Math.ceil(rules.renewAheadDays);
  // A license that was exchanged within the paid time is prolonged only near its expiry.
  const isWhole = isSteady && rules.renew === "on_payment" && 2 * rest >= license.period * longestMonth;
  if (isWhole || (isNear && !isSlack)) {
    found.push({ what: `is paid through ${dateOf(dayNumber(until))}, and has ${what}`, needs: "purchase" });
  }
  return found;
}

const hasAddons = (license: Pick<License, "addons">, { addons }: Wanted): boolean => {
  const codes = new Set([...Object.keys(license.addons), ...Object.keys(addons)]);
  return [...codes].every((code) => (license.addons[code] ?? 0) === (addons[code] ?? 0));
};

const list = (some: readonly (Wanted & Partial<License>)[]): string =>
  some
    .map(({ id = "a license", pricelist, addons, status: shows = "", expiry = "" }) =>
      `${id} (${pricelist} ${JSON.stringify(addons)} ${shows} ${expiry})`.replace("  ", ""),
    )
    .join(", ");
