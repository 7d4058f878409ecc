import fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../../shared/licensing/decide.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { type FreshObservation, recordObservation } from "../../shared/licensing/operation-lifecycle.ts";
import { follow } from "../../shared/licensing/preview.ts";
import { refold, retry } from "../../shared/licensing/repair.ts";
import { newSubscription, type Subscription } from "../../shared/licensing/subscription.ts";
import { instantPlus } from "../../shared/licensing/time.ts";
import { histories, instants } from "../support/arbitraries.ts";
import { catalogWith, licensed, operation, orderOf, paid, slot, utc } from "../support/events.ts";

const catalog = catalogWith();
const start = utc("2027-01-01T10:00");
const bought = paid("2027-01-01T10:00", { through: "2027-06-01" }, { items: ["vm-monthly"] });
const called = { startedAt: start, endedAt: start, params: {}, outcome: "unknown" as const, response: "no answer" };
const unknown = { state: "unknown" as const, attempt: called, claimedAt: start, due: start };

const lostOrder: Subscription = {
  ...licensed([{ n: 1, generation: 1, product: "vmmanager6", plan: "vm-monthly" }], bought),
  operation: operation({ change: orderOf(), ...unknown }),
  operationCount: 1,
};
const prolong = { kind: "prolong" as const, slot: 1, elid: "101", family: "platform", plan: "vm-monthly", period: 1 };
const lostProlong: Subscription = {
  ...licensed([slot()], bought),
  operation: operation({ change: { ...prolong, expiry: "2027-03-01" }, before: { expiry: "2027-02-01" }, ...unknown }),
  operationCount: 1,
};

const results = fc.record({
  verdict: fc.constantFrom("absent" as const, "absent" as const, "absent" as const, "pending" as const),
  provesAbsence: fc.boolean(),
});
/** The turns of a run. In each, time passes, an operator may retry, and a due operation is observed. */
const turns = fc.array(
  fc.record({ seconds: fc.constantFrom(0, 1, 10, 59, 61, 600, 1500), retried: fc.boolean(), result: results }),
  { minLength: 1, maxLength: 40 },
);

test.each([
  ["order", lostOrder],
  ["prolong", lostProlong],
])(
  "a lost %s is bought again only after three proofs of absence over half an hour, however often it is retried",
  (_, lost) => {
    fc.assert(
      fc.property(turns, (all) => {
        let subscription = lost;
        let now = start;
        for (const { seconds, retried, result } of all) {
          now = instantPlus(now, { seconds });
          if (retried) subscription = retry(subscription, now);
          const decision = decide(subscription, catalog, now);
          if (decision.kind === "observe") {
            subscription = recordObservation(subscription, {
              at: now,
              evidence: "",
              ...result,
            } satisfies FreshObservation);
          }
          if (subscription.operation?.state !== "finished") {
            expect(decide(subscription, catalog, now).kind).not.toBe("change");
            continue;
          }
          const { observations, change } = subscription.operation;
          const proofs = observations.filter(
            (observation) => observation.verdict === "absent" && (change.kind !== "order" || observation.provesAbsence),
          );
          const times = proofs.slice(-3).map(({ at }) => Date.parse(at));
          expect(times).toHaveLength(3);
          expect((times[2] ?? 0) - Date.parse(start)).toBeGreaterThanOrEqual(30 * 60_000);
          expect(Math.min((times[1] ?? 0) - (times[0] ?? 0), (times[2] ?? 0) - (times[1] ?? 0))).toBeGreaterThanOrEqual(
            60_000,
          );
          return;
        }
      }),
      { numRuns: 2000 },
    );
  },
);

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}

test("a preview changes nothing, and returns the same result each time", () => {
  fc.assert(
    fc.property(histories, instants, (events, now) => {
      const subscription = frozen(events.reduce(fold, newSubscription("standard", "shop-1")));
      const elid = (step: number) => String(step);
      const first = follow(subscription, catalog, now, elid);
      expect(follow(subscription, catalog, now, elid)).toEqual(first);
      // A second preview, from the result of the first, has no steps.
      expect(follow(first.subscription, catalog, now, elid).steps).toEqual([]);
    }),
  );
});

test("refolding the stored events in any order gives the same subscription", () => {
  fc.assert(
    fc.property(histories, (events) => {
      const folded = events.reduce(fold, newSubscription("standard", "shop-1"));
      const held = { ...folded, slots: [slot()] };
      expect(refold(held, [...events].reverse())).toEqual(held);
    }),
  );
});
