import type { LedgerEntry } from "../../local/simulators/billmgr/index.ts";
import { dayOf, daysBetween, toInstant } from "../../shared/licensing/time.ts";
import type { Life } from "./life.ts";
import { addMonths, day, type Fact } from "./shop.ts";

/** What billmgr sold more of than was paid for, by arithmetic of our own. */
export function overbought(life: Life, all: readonly LedgerEntry[]): string[] {
  // What billmgr put down and nobody paid for is not bought.
  const ledger = all.filter((entry) => !("unpaid" in entry));
  return [...twice(ledger), ...beyond(life, ledger), ...(life.plain ? tooMany(life, ledger) : [])];
}

function twice(ledger: readonly LedgerEntry[]): string[] {
  const references = ledger.flatMap((entry) => (entry.operation === "order" ? [entry.remoteid] : []));
  return [...new Set(references)].flatMap((reference) => {
    const times = references.filter((one) => one === reference).length;
    return times > 1 ? [`was ordered ${times} times as ${reference}`] : [];
  });
}

/** No license is prolonged to a whole period after what was paid by then. */
function beyond({ facts }: Life, ledger: readonly LedgerEntry[]): string[] {
  return ledger.flatMap((entry) => {
    if (entry.operation !== "prolong") return [];
    const { expiryBefore, expiry, at } = entry;
    const through = dayOf(toInstant(paidThrough(facts, Date.parse(at))));
    if (daysBetween(through, expiry) < daysBetween(expiryBefore, expiry)) return [];
    return [`is prolonged from ${expiryBefore} to ${expiry}, paid through ${through}`];
  });
}

/**
 * After a gap, and after a month that lacks a day, the license ends before the paid time does: a period is bought for the
 * rest. Otherwise there are as many months as were paid.
 */
function tooMany({ facts, gapDays }: Life, ledger: readonly LedgerEntry[]): string[] {
  const bought = ledger.reduce(
    (sum, entry) => sum + (entry.operation === "order" || entry.operation === "prolong" ? entry.period : 0),
    0,
  );
  const drifts = gapDays > 0 || new Date(facts[0]?.at ?? 0).getUTCDate() > 27;
  const paid = monthsPaid(facts) + (drifts ? 1 + Math.floor(gapDays / 28) : 0);
  return bought > paid ? [`has ${bought} months bought, and ${paid} paid`] : [];
}

/**
 * How far all that was paid by a moment can reach, counted by hand and on the safe side: nothing taken back, and months after
 * a gap both from the day of the payment and from where the paid time ended.
 */
function paidThrough(facts: readonly Fact[], by: number): number {
  const made = facts.filter(({ pays, at }) => pays && at <= by).sort((a, b) => a.at - b.at);
  return Math.max(...[0, 30 * day].map((gap) => reachOf(made, gap)));
}

function reachOf(payments: readonly Fact[], smallestGap: number): number {
  let counted = { since: 0, months: 0 };
  let through = 0;
  for (const { at, pays } of payments) {
    if (pays?.through !== undefined) through = Math.max(through, pays.through);
    else {
      if (at > through + smallestGap || counted.months === 0) counted = { since: Math.max(at, through), months: 0 };
      counted.months += pays?.months ?? 0;
      through = Math.max(through, addMonths(counted.since, counted.months));
    }
  }
  return through;
}

const monthsPaid = (facts: readonly Fact[]): number => facts.reduce((sum, { pays }) => sum + (pays?.months ?? 0), 0);
