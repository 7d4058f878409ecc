import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { histories } from "../support/arbitraries.ts";

const folded = (events: readonly Event[]) => events.reduce(fold, newSubscription("standard", "shop-1"));

const shuffledWithRepeats = histories.chain((events) =>
  fc.record({
    events: fc.constant(events),
    order: fc
      .array(events.length > 0 ? fc.constantFrom(...events) : fc.constant(undefined), { maxLength: 12 })
      .chain((repeats) => {
        const all = [...events, ...repeats.filter((one) => one !== undefined)];
        return fc.shuffledSubarray(all, { minLength: all.length });
      }),
  }),
);

test("the same facts in any order, each any number of times, give the same subscription", () => {
  fc.assert(
    fc.property(shuffledWithRepeats, ({ events, order }) => {
      expect(folded(order)).toStrictEqual(folded(events));
    }),
    { numRuns: 3000 },
  );
});

test("folding changes neither the subscription nor the event that it is given", () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 0, max: 11 }), (events, at) => {
      const before = folded(events.slice(0, at));
      const copies = structuredClone([before, events]);
      folded(events);
      events.slice(at).reduce(fold, before);
      expect([before, events]).toStrictEqual(copies);
    }),
    { numRuns: 300 },
  );
});
