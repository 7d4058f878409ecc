import fc from "fast-check";
import { expect, test } from "vitest";
import type { Catalog, Policy } from "../../shared/licensing/catalog.ts";
import { decide } from "../../shared/licensing/decide.ts";
import { demandsOf } from "../../shared/licensing/demand.ts";
import { entitlement } from "../../shared/licensing/entitlement.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { type License, newSubscription, type Subscription } from "../../shared/licensing/subscription.ts";
import { addDays, addMonths, dayOf, daysBetween, type Instant, instantPlus } from "../../shared/licensing/time.ts";
import { histories, instants } from "../support/arbitraries.ts";
import { catalogWith } from "../support/events.ts";
import { PerfectBillmgr } from "../support/perfect-billmgr.ts";

const policies: fc.Arbitrary<Partial<Policy>> = fc.record({
  renew: fc.constantFrom("on_payment", "before_expiry"),
  onEnd: fc.constantFrom("suspend", "delete", "lapse"),
  graceDays: fc.constantFrom(0, 3, 10),
  retentionDays: fc.constantFrom(0, 14),
  renewAheadDays: fc.constantFrom(0, 2, 2.5),
  slackDays: fc.constantFrom(0, 3),
  late: fc.constantFrom("order", "prolong"),
});

/** A subscription of which some history was acted upon, at any moments, and the rest was folded in. */
const lives = fc.record({
  policy: policies,
  first: histories,
  later: histories,
  times: fc.tuple(instants, instants).map((times) => times.sort() as [Instant, Instant]),
});

type Life = typeof lives extends fc.Arbitrary<infer T> ? T : never;

function live({ policy, first, later, times: [before, now] }: Life) {
  const catalog = catalogWith(policy);
  const billmgr = new PerfectBillmgr(catalog);
  const begun = billmgr.convergeUntil(first.reduce(fold, newSubscription("standard", "shop-1")), before, now);
  return { billmgr, catalog, subscription: later.reduce(fold, begun), now };
}

test("from any history, at any moment, it settles, and again at each moment that it names for two years", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const { billmgr, catalog, subscription, now } = live(life);
      billmgr.convergeUntil(subscription, now, instantPlus(now, { days: 730 }), (settled) => {
        const { kind, attention } = settled.decision;
        if (kind === "settled" && attention.length === 0) expectAgreement(settled.subscription, catalog, settled.now);
      });
    }),
    { numRuns: 600 },
  );
});

test("while it is settled, nothing is wanted before the moment that it named", () => {
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(lives, fc.array(share, { minLength: 1, maxLength: 5 }), (life, shares) => {
      const { billmgr, catalog, subscription, now } = live(life);
      const { subscription: settled, decision } = billmgr.converge(subscription, now);
      fc.pre(decision.kind === "settled");
      const until = Date.parse(("until" in decision && decision.until) || instantPlus(now, { days: 1000 }));
      for (const part of shares) {
        const passed = Math.floor(part * (until - 1 - Date.parse(now)));
        const moment = instantPlus(now, { seconds: passed / 1000 });
        expect([moment, decide(settled, catalog, moment)]).toMatchObject([moment, { kind: "settled" }]);
      }
    }),
    { numRuns: 600 },
  );
});

test("each slot is ordered once in each generation", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const { billmgr, subscription, now } = live(life);
      billmgr.convergeUntil(subscription, now, instantPlus(now, { days: 400 }));
      const ordered = billmgr.ledger.flatMap(({ change }) =>
        change.kind === "order" ? [`${change.slot} in generation ${change.generation}`] : [],
      );
      expect(new Set(ordered).size).toBe(ordered.length);
    }),
    { numRuns: 500 },
  );
});

test("no prolong reaches a whole period beyond the paid time", () => {
  fc.assert(
    fc.property(lives, (life) => {
      const { billmgr, catalog, subscription, now } = live(life);
      const earlier = billmgr.ledger.length;
      const end = instantPlus(now, { days: 400 });
      billmgr.convergeUntil(subscription, now, end);
      const { through } = entitlement(subscription, catalog.policy, end);
      for (const { change, before, after } of billmgr.ledger.slice(earlier)) {
        if (change.kind !== "prolong") continue;
        const [from, to, paidTo] = [before ?? "", after ?? "", dayOf(through ?? "")];
        expect(to).toBe(addMonths(from, change.period));
        expect(daysBetween(paidTo, to)).toBeLessThan(daysBetween(from, to));
      }
    }),
    { numRuns: 500 },
  );
});

function expectAgreement(subscription: Subscription, { policy, ...catalog }: Catalog, now: Instant): void {
  const entitled = entitlement(subscription, policy, now);
  const licenses = subscription.slots.flatMap(({ license }) => license ?? []);
  const suspended = licenses.filter((license) => license.suspended);
  if (entitled.ended) {
    const { ended } = entitled;
    const over = licenses.filter(({ suspendedAt = "" }) => {
      const since = suspendedAt > ended ? suspendedAt : ended;
      return now >= instantPlus(since, { days: policy.retentionDays });
    });
    if (policy.onEnd === "delete") expect(licenses).toEqual([]);
    if (policy.onEnd === "suspend") expect(over).toEqual([]);
    if (policy.onEnd === "suspend") expect(suspended).toEqual(licenses);
    return;
  }
  if (entitled.withheld) {
    expect(suspended).toEqual(licenses);
    return;
  }

  const { demands } = demandsOf(subscription, { policy, ...catalog });
  if (entitled.through === undefined || entitled.through <= now) return;
  // An expired license does not resume, and a trial cannot be prolonged, nor is it worth it within the slack.
  if (suspended.some(({ expiry = "" }) => expiry <= dayOf(now))) return;
  // A license that lapses is not suspended either.
  if (policy.onEnd === "lapse") return;
  const serving = licenses.filter((license) => !license.suspended);
  expect(serving.map((one) => JSON.stringify(nonZero(one.addons))).sort()).toEqual(
    demands.map(({ addons }) => JSON.stringify(nonZero(addons))).sort(),
  );
  for (const license of serving) expectTime(license, entitled.until ?? "", entitled.setToEnd, policy, now);
}

function expectTime(license: License, until: Instant, setToEnd: boolean, policy: Policy, now: Instant): void {
  // With the policy "prolong" the days of a gap are lost.
  if (license.trial || policy.late === "prolong") return;
  const expiry = license.expiry ?? "";
  const ahead = daysBetween(expiry, dayOf(until));
  if (setToEnd && ahead <= policy.slackDays) return;
  if (ahead > 0) expect(dayOf(now) < addDays(expiry, -Math.ceil(policy.renewAheadDays))).toBe(true);
}

const nonZero = (addons: Record<string, number>) =>
  Object.entries(addons)
    .filter(([, value]) => value > 0)
    .sort();
