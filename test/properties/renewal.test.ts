import fc from "fast-check";
import { expect, test } from "vitest";
import { fold } from "../../shared/licensing/fold.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import {
  addMonths,
  dayOf,
  daysBetween,
  type Instant,
  instantPlus,
  instantPlusMonths,
} from "../../shared/licensing/time.ts";
import { cancelScheduled, catalogWith, paid } from "../support/events.ts";
import { isPurchase, PerfectBillmgr } from "../support/perfect-billmgr.ts";

const planOfMonths = { 1: "vm-monthly", 3: "vm-quarterly", 12: "vm-yearly" } as const;

/** Starts at the ends of months, so that a license's months and the storefront's drift apart; a leap year is passed. */
const runs = fc.record({
  day: fc.oneof(
    fc.constantFrom("2027-01-29", "2027-01-30", "2027-01-31", "2027-08-31", "2028-02-29", "2027-11-30", "2028-01-31"),
    fc.integer({ min: 1, max: 28 }).map((day) => `2027-06-${String(day).padStart(2, "0")}`),
  ),
  time: fc.constantFrom("00:00", "09:30", "23:59"),
  paidMonths: fc.constantFrom(1 as const, 3 as const, 12 as const),
  lateHours: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 30, maxLength: 30 }),
  payments: fc.integer({ min: 1, max: 30 }),
  renew: fc.constantFrom("on_payment" as const, "before_expiry" as const),
  renewAheadDays: fc.constantFrom(0, 2, 5),
});
type Run = typeof runs extends fc.Arbitrary<infer T> ? T : never;

/** Payments on the storefront's own calendar, each a little late, and what billmgr did after each. */
function sell(run: Run, plan: string, then: (at: Instant, k: number, billmgr: PerfectBillmgr) => void = () => {}) {
  const { day, time, paidMonths, payments, renew, renewAheadDays, lateHours } = run;
  const start = `${day}T${time}:00.000Z`;
  const billmgr = new PerfectBillmgr(catalogWith({ renew, renewAheadDays }));
  const boundary = (k: number) => instantPlusMonths(start, k * paidMonths);
  let subscription = newSubscription("standard", "shop-1");
  let now = start;
  for (let k = 0; k < payments; k++) {
    now = instantPlus(boundary(k), { seconds: k === 0 ? 0 : (lateHours[k] ?? 0) * 3600 });
    if (k > 0) {
      const before = instantPlus(now, { seconds: -1 });
      subscription = billmgr.convergeUntil(subscription, instantPlus(boundary(k - 1), { seconds: 31 * 3600 }), before);
    }
    const items = k === 0 ? { items: [plan] } : {};
    subscription = fold(subscription, paid(now, { through: boundary(k + 1) }, items));
    subscription = billmgr.convergeUntil(subscription, now, now);
    then(now, k, billmgr);
  }
  const end = boundary(payments);
  return { billmgr, subscription, now, end, boundary };
}

const periodsBought = (billmgr: PerfectBillmgr) => billmgr.ledger.filter(isPurchase).length;

test("each payment of a period buys one period, on whatever day the storefront's months begin", () => {
  fc.assert(
    fc.property(runs, (run) => {
      sell(run, planOfMonths[run.paidMonths], (_, k, billmgr) => {
        // Before expiry the period just paid is bought later; near the expiry of drifted months the next one is bought early.
        const [least, most] = run.renew === "on_payment" ? [k + 1, k + 2] : [k, k + 2];
        expect(periodsBought(billmgr)).toBeGreaterThanOrEqual(least);
        expect(periodsBought(billmgr)).toBeLessThanOrEqual(most);
      });
    }),
    { numRuns: 100 },
  );
});

test("until its end, a subscription buys as many periods as were paid", () => {
  fc.assert(
    fc.property(runs, (run) => {
      const { billmgr, subscription, now, end } = sell(run, planOfMonths[run.paidMonths]);
      const ending = fold(subscription, cancelScheduled(now, end));
      billmgr.convergeUntil(ending, now, instantPlus(end, { days: 60 }));
      expect(Math.abs(periodsBought(billmgr) - run.payments)).toBeLessThanOrEqual(1);
      expect(billmgr.ledger.filter(({ change }) => change.kind === "order")).toHaveLength(1);
    }),
    { numRuns: 100 },
  );
});

test("a longer payment buys monthly licenses: all on payment, or one by one before expiry", () => {
  fc.assert(
    fc.property(runs, (run) => {
      const months = run.payments * run.paidMonths;
      fc.pre(months <= 48);
      const { billmgr, subscription, now, end } = sell(run, "vm-monthly");
      if (run.renew === "before_expiry") {
        for (const { at, before, change } of billmgr.ledger) {
          if (change.kind === "prolong") {
            expect(daysBetween(dayOf(at), before ?? "")).toBeLessThanOrEqual(run.renewAheadDays);
          }
        }
      }
      billmgr.convergeUntil(fold(subscription, cancelScheduled(now, end)), now, instantPlus(end, { days: 60 }));
      expect(Math.abs(periodsBought(billmgr) - months)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 100 },
  );
});

test("no purchase reaches a whole period beyond the paid time", () => {
  fc.assert(
    fc.property(runs, fc.constantFrom("vm-monthly", "vm-quarterly", "vm-yearly"), (run, plan) => {
      fc.pre(run.payments * run.paidMonths <= 48);
      const { billmgr, boundary } = sell(run, plan);
      for (const { at, change, before, after } of billmgr.ledger) {
        if (change.kind !== "prolong") continue;
        const paidTo = dayOf(
          Array.from({ length: run.payments }, (_, k) => k)
            .filter((k) => at >= boundary(k))
            .map((k) => boundary(k + 1))
            .at(-1) ?? "",
        );
        expect(after).toBe(addMonths(before ?? "", change.period));
        expect(daysBetween(paidTo, after ?? "")).toBeLessThan(daysBetween(before ?? "", after ?? ""));
      }
    }),
    { numRuns: 100 },
  );
});

test("F5: payments that are on time, or later than the grace, buy no more periods than they are", () => {
  const lateDays = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 4, max: 26 })), { minLength: 1, maxLength: 14 });
  const coverages: Record<string, (at: Instant) => Parameters<typeof paid>[1]> = {
    months: () => ({ months: 1 }),
    through: (at) => ({ through: instantPlusMonths(at, 1) }),
    "from and through": (at) => ({ from: at, through: instantPlusMonths(at, 1) }),
  };
  const late = fc.constantFrom("order" as const, "prolong" as const);
  fc.assert(
    fc.property(lateDays, fc.constantFrom(...Object.values(coverages)), late, (all, coverageOf, policy) => {
      const billmgr = new PerfectBillmgr(catalogWith({ late: policy }));
      let subscription = newSubscription("standard", "shop-1");
      let now: Instant = "2027-01-05T09:00:00.000Z";
      all.forEach((days, k) => {
        const due = k === 0 ? now : instantPlusMonths(now, 1);
        const at = instantPlus(due, { days: k === 0 ? 0 : days });
        subscription = billmgr.convergeUntil(subscription, now, instantPlus(at, { seconds: -1 }));
        subscription = fold(subscription, paid(at, coverageOf(at), k === 0 ? { items: ["vm-monthly"] } : {}));
        subscription = billmgr.convergeUntil(subscription, at, at);
        now = at;
        expect(periodsBought(billmgr)).toBeLessThanOrEqual(k + 1);
      });
      billmgr.convergeUntil(subscription, now, instantPlus(now, { days: 90 }));
      expect(periodsBought(billmgr)).toBeLessThanOrEqual(all.length);
    }),
    { numRuns: 100 },
  );
});
