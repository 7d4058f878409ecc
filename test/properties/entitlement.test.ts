import fc from "fast-check";
import { expect, test } from "vitest";
import { coverage, type Run } from "../../shared/licensing/coverage.ts";
import { entitlement } from "../../shared/licensing/entitlement.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { type Instant, instantPlus, instantPlusMonths } from "../../shared/licensing/time.ts";
import { histories, instants } from "../support/arbitraries.ts";
import { catalogWith, paid, subscriptionOf } from "../support/events.ts";

const months = fc.integer({ min: 1, max: 24 });

test("payments of months, each made before the last ended, reach to calendar months from the first", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(instants, fc.array(fc.tuple(months, share), { minLength: 1, maxLength: 12 }), (first, rest) => {
      let at: Instant = first;
      let sum = 0;
      const events = rest.map(([count, when], k) => {
        const reached = instantPlusMonths(first, sum);
        const wait = Math.floor((when * (Date.parse(reached) - Date.parse(at))) / 1000);
        at = k === 0 ? first : instantPlus(at, { seconds: Math.max(0, wait) });
        sum += count;
        return paid(at, { months: count }, { payment: `payment ${String(k).padStart(2, "0")}` });
      });
      expect(coverage(subscriptionOf(...events).payments, { graceDays: 0, late: "order" }).at(-1)).toEqual({
        through: instantPlusMonths(first, sum),
        since: first,
      });
    }),
    { numRuns: 1000 },
  );
});

test("one more payment never shortens the paid time", () => {
  fc.assert(
    fc.property(histories, instants, months, (events, at, count) => {
      const { payments } = subscriptionOf(...events);
      const more = subscriptionOf(...events, paid(at, { months: count }, { payment: "one more" })).payments;
      expect(
        (coverage(more, { graceDays: 0, late: "order" }).at(-1)?.through ?? "") >=
          (coverage(payments, { graceDays: 0, late: "order" }).at(-1)?.through ?? ""),
      ).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("the covered time does not depend on the order in which payments are listed", () => {
  const shuffled = histories.chain((events) => {
    const { payments } = subscriptionOf(...events);
    return fc.tuple(fc.constant(payments), fc.shuffledSubarray(payments, { minLength: payments.length }));
  });
  fc.assert(
    fc.property(shuffled, fc.constantFrom(0, 3), ([payments, others], graceDays) => {
      expect(coverage(others, { graceDays, late: "order" })).toEqual(coverage(payments, { graceDays, late: "order" }));
    }),
    { numRuns: 1000 },
  );
});

test("months lose nothing to the periods that they overlap", () => {
  const lengthOf = (runs: readonly Run[]) =>
    runs.reduce((sum, { since, through }) => sum + Date.parse(through) - Date.parse(since), 0);
  const spans = fc.array(fc.tuple(instants, fc.integer({ min: 1, max: 60 })), { maxLength: 5 });
  fc.assert(
    fc.property(spans, instants, months, (periods, at, count) => {
      const of = (events: Event[]) => coverage(subscriptionOf(...events).payments, { graceDays: 0, late: "order" });
      const others = periods.map(([from, days], i) =>
        paid(from, { from, through: instantPlus(from, { days }) }, { payment: `p${i}` }),
      );
      // Months count from the payment, or from the end of the period in which it was made.
      const from = of(others).findLast(({ since, through }) => since <= at && at <= through)?.through ?? at;
      const more = Date.parse(instantPlusMonths(from, count)) - Date.parse(from);
      expect(lengthOf(of([...others, paid(at, { months: count })]))).toBe(lengthOf(of(others)) + more);
    }),
    { numRuns: 1000 },
  );
});

test("payments count in the order in which they were made, whatever their ids", () => {
  fc.assert(
    fc.property(fc.uniqueArray(instants, { minLength: 2, maxLength: 5 }), months, fc.nat(), (moments, count, seed) => {
      const made = [...moments].sort();
      const named = (names: string[]) =>
        subscriptionOf(...made.map((at, i) => paid(at, { months: count }, { payment: names[i] ?? "" }))).payments;
      const names = made.map((_, i) => String(i));
      const turned = names.map((_, i) => String((i + seed) % names.length));
      expect(coverage(named(turned), { graceDays: 0, late: "order" })).toEqual(
        coverage(named(names), { graceDays: 0, late: "order" }),
      );
    }),
    { numRuns: 300 },
  );
});

test("between the moments that it names, the entitlement stays as it is", () => {
  fc.assert(
    fc.property(histories, instants, fc.integer({ min: 0, max: 500_000 }), (events, now, minutes) => {
      const subscription = subscriptionOf(...events);
      const { changesAt: _, ...entitled } = entitlement(subscription, catalogWith().policy, now);
      const { changesAt } = entitlement(subscription, catalogWith().policy, now);
      const later = instantPlus(now, { seconds: minutes * 60 });
      fc.pre(changesAt.every((moment) => moment > later));
      const { changesAt: __, ...then } = entitlement(subscription, catalogWith().policy, later);
      const known = entitled.withheld === "taken_back" ? { ...then, withheld: entitled.withheld } : then;
      expect(known).toEqual(entitled);
    }),
    { numRuns: 1000 },
  );
});
