import fc from "fast-check";
import type { Event } from "../../shared/licensing/event.ts";
import { addDays, instantPlus, startOf } from "../../shared/licensing/time.ts";

/** Few days and few times of day, so that facts clash; month ends and a leap day among them. */
export const instants = fc
  .record({
    month: fc.constantFrom("2027-12-29", "2028-01-31", "2028-02-28", "2028-03-01"),
    day: fc.integer({ min: 0, max: 45 }),
    seconds: fc.constantFrom(0, 0, 1, 43_200),
  })
  .map(({ month, day, seconds }) => instantPlus(startOf(addDays(month, day)), { seconds }));

const soldThings = [
  "vm-monthly",
  "vm-quarterly",
  "vm-yearly",
  "vm-trial",
  "vm-each",
  "dci-monthly",
  "extra-node",
  "extra-machines",
  "support",
] as const;

const itemLists = fc.array(
  fc.record(
    { names: fc.constantFrom(...soldThings).map((name) => [name]), quantity: fc.integer({ min: 0, max: 3 }) },
    { requiredKeys: ["names"], noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 3 },
);

const fact = fc.record(
  {
    id: fc.constantFrom("a", "b", "c", "d", "e"),
    occurredAt: instants,
    customer: fc.record(
      { id: fc.constantFrom("c1", "c2"), email: fc.constantFrom("a@example.com", "b@example.com") },
      { requiredKeys: [], noNullPrototype: true },
    ),
    items: fc.record({ asOf: instants, list: itemLists }, { noNullPrototype: true }),
    renewsAt: instants,
    interval: fc.constantFrom(1, 3, 12),
  },
  { requiredKeys: ["id", "occurredAt"] },
);

const payment = fc.constantFrom("p1", "p2", "p3", "p4");

const covers = fc.oneof(
  fc.constantFrom(1, 1, 2, 3, 12).map((months) => ({ months })),
  fc.tuple(instants, fc.constantFrom(0, 30, 90)).map(([at, days]) => ({ through: instantPlus(at, { days }) })),
  fc.tuple(instants, fc.constantFrom(30, 90)).map(([from, days]) => ({ from, through: instantPlus(from, { days }) })),
  instants.map((periodFrom) => ({ periodFrom })),
  fc.constant({ intervals: 1 }),
);

const response = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("payment.succeeded" as const),
      payment,
      covers,
      trial: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("payment.failed" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("payment.refunded" as const), payment, reversed: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      { type: fc.constant("subscription.cancel_scheduled" as const), endsAt: instants },
      { requiredKeys: ["type"] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom(
        "subscription.changed" as const,
        "subscription.paused" as const,
        "subscription.resumed" as const,
        "subscription.cancel_withdrawn" as const,
        "subscription.cancelled" as const,
      ),
    }),
  },
);

export const events: fc.Arbitrary<Event> = fc
  .tuple(fact, response)
  .map(([known, more]): Event => ({ ...known, ...more }));

export const histories = fc.array(events, { maxLength: 12 });
