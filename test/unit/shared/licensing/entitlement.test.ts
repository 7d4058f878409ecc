import { describe, expect, test } from "vitest";
import { coverage, withPeriods } from "../../../../shared/licensing/coverage.ts";
import { entitlement } from "../../../../shared/licensing/entitlement.ts";
import type { Event } from "../../../../shared/licensing/event.ts";
import {
  billedBy,
  cancelled,
  cancelScheduled,
  cancelWithdrawn,
  catalogWith,
  changed,
  decide,
  failed,
  paid,
  paused,
  refunded,
  renews,
  resumed,
  subscriptionOf,
  utc,
} from "../../../support/events.ts";

const { policy } = catalogWith({ graceDays: 3 });
const at = (now: string, ...events: Event[]) => entitlement(subscriptionOf(...events), policy, utc(now));
const january = paid("2027-01-01", { through: "2027-02-01" }, { payment: "january" });

describe("what payments cover", () => {
  test.each([
    ["none", [], undefined],
    ["a moment", [january], "2027-02-01"],
    [
      "the later of two moments, told in any order",
      [paid("2027-02-01", { through: "2027-03-01" }), january],
      "2027-03-01",
    ],
    ["no less by a later payment for less", [january, paid("2027-01-02", { through: "2027-01-05" })], "2027-02-01"],
    ["months from the payment on", [paid("2027-01-31T10:00", { months: 1 })], "2027-02-28T10:00"],
    [
      "months as calendar months from the first",
      [paid("2027-01-31", { months: 1 }), paid("2027-02-27", { months: 1 })],
      "2027-03-31",
    ],
    ["months after a moment that was paid before", [january, paid("2027-01-20", { months: 1 })], "2027-03-01"],
    ["months anew after a gap", [paid("2027-01-10", { months: 1 }), paid("2027-04-20", { months: 1 })], "2027-05-20"],
    ["a moment, told on it", [january, paid("2027-02-01", { through: "2027-03-01" })], "2027-03-01"],
    ["a time that was over when it was paid", [paid("2027-03-01", { through: "2027-02-01" })], "2027-02-01"],
    ["months paid ahead", [paid("2027-01-10", { months: 1 }), paid("2027-01-11", { months: 12 })], "2028-02-10"],
  ])("%s", (_, events, through) => {
    expect(coverage(subscriptionOf(...events).payments, { graceDays: 0, late: "order" }).at(-1)?.through).toBe(
      through && utc(through),
    );
  });
});

describe("a payment that tells only when its period began", () => {
  const first = paid("2027-01-01T10:05", { periodFrom: "2027-01-01T10:00" }, { payment: "first" });
  const second = paid("2027-02-01T11:00", { periodFrom: "2027-02-01T10:00" }, { payment: "second" });
  const told = [renews("2027-01-01T10:01", "2027-02-01T10:00"), renews("2027-02-01T11:01", "2027-03-01T10:00")];

  test.each([
    ["pays nothing until an end is told", [first], undefined],
    ["reaches to the end that is told after it", [first, renews("2027-01-01T10:06", "2027-02-01T10:00")], "2027-02-01"],
    ["reaches to the end that was told before it", [told[0], first], "2027-02-01"],
    ["does not reach to the next period, though its end is told", [first, ...told], "2027-02-01"],
    [
      "does not reach to a next period that is told hours before this one is over",
      [first, told[0], renews("2027-02-01T09:00", "2027-03-01T10:00")],
      "2027-02-01",
    ],
    ["gives the time of the next period when that is paid", [first, second, ...told], "2027-03-01"],
    [
      "may be made hours before the old period is over",
      [first, paid("2027-02-01T08:00", { periodFrom: "2027-02-01T08:00" }), ...told],
      "2027-03-01",
    ],
    [
      "may be made long after its period began",
      [
        first,
        paid("2027-02-12", { periodFrom: "2027-02-01T10:00" }),
        told[0],
        renews("2027-02-12", "2027-03-01T10:00"),
      ],
      "2027-03-01",
    ],
    [
      "follows an end that is moved while the period runs",
      [first, told[0], renews("2027-01-10", "2028-01-10T10:00"), renews("2027-03-10", "2028-01-10T10:00")],
      "2028-01-10",
    ],
    [
      "follows it back, too",
      [first, told[0], renews("2027-01-10", "2028-01-10T10:00"), renews("2027-01-11", "2027-02-01T10:00")],
      "2027-02-01",
    ],
  ] as [string, Event[], string | undefined][])("%s", (_, events, through) => {
    const runs = (order: Event[]) => coverage(withPeriods(subscriptionOf(...order)), { graceDays: 0, late: "order" });
    expect(runs(events).at(-1)?.through).toBe(through && utc(`${through}T10:00`));
    expect(runs(events.toReversed())).toEqual(runs(events));
  });

  test("gives back the time of its own period alone when it is refunded", () => {
    const events = [first, second, ...told];
    expect(at("2027-02-10", ...events, refunded("2027-02-09", "second"))).toMatchObject({
      through: utc("2027-02-01T10:00"),
      withheld: "taken_back",
    });
    expect(at("2027-02-10", ...events, refunded("2027-02-09", "first"))).toMatchObject({
      through: utc("2027-03-01T10:00"),
    });
  });
});

describe("a payment that tells no more than that it pays", () => {
  const first = paid("2027-01-01T10:00", { intervals: 1 }, { payment: "first" });
  const second = paid("2027-02-01T10:00", { intervals: 1 }, { payment: "second" });
  const monthly = billedBy("2027-01-01T10:01", 1);

  test.each([
    ["pays nothing until an interval is told", [first], undefined],
    ["pays for the interval that is told after it", [first, monthly], "2027-02-01"],
    ["each for one more", [first, monthly, second], "2027-03-01"],
    [
      "pays for the interval that was told last before it",
      [first, monthly, billedBy("2027-01-20", 12), second],
      "2028-02-01",
    ],
    ["keeps its interval when another is told later", [first, monthly, billedBy("2027-01-20", 12)], "2027-02-01"],
    ["pays for several", [paid("2027-01-01T10:00", { intervals: 2 }), billedBy("2026-12-31", 3)], "2027-07-01"],
  ] as [string, Event[], string | undefined][])("%s", (_, events, through) => {
    const runs = (order: Event[]) => coverage(withPeriods(subscriptionOf(...order)), { graceDays: 0, late: "order" });
    expect(runs(events).at(-1)?.through).toBe(through && utc(`${through}T10:00`));
    expect(runs(events.toReversed())).toEqual(runs(events));
  });

  test("needs attention when no event contains an interval", () => {
    const untold = subscriptionOf(first, changed("2027-01-01", "vm-monthly"));
    expect(decide(untold, "2027-01-02")).toEqual({ kind: "settled", attention: [{ code: "period_not_stated" }] });
    expect(decide(subscriptionOf(first, monthly, changed("2027-01-01", "vm-monthly")), "2027-01-02")).toMatchObject({
      kind: "change",
      change: { kind: "order" },
    });
  });
});

describe("since when it has been paid without a gap", () => {
  test.each([
    ["nothing", [], undefined],
    ["one payment", [january], "2027-01-01"],
    [
      "a payment that tells its start",
      [paid("2027-01-01", { from: "2027-01-05", through: "2027-02-01" })],
      "2027-01-05",
    ],
    ["a payment ahead", [january, paid("2027-01-20", { through: "2027-03-01" })], "2027-01-01"],
    ["a payment on the last moment", [january, paid("2027-02-01", { months: 1 })], "2027-01-01"],
    ["a payment after a gap", [january, paid("2027-02-02", { months: 1 })], "2027-02-02"],
    [
      "a late payment of the time without one",
      [january, paid("2027-02-20", { from: "2027-02-01", through: "2027-03-01" })],
      "2027-01-01",
    ],
    ["a late payment that adds nothing", [january, paid("2027-02-20", { through: "2027-01-20" })], "2027-01-01"],
    ["a late payment of the same time again", [january, paid("2027-02-20", { through: "2027-02-01" })], "2027-01-01"],
    ["a payment of a time that was over by then", [paid("2027-03-01", { through: "2027-02-01" })], "2027-02-01"],
  ])("%s", (_, events, since) => {
    expect(coverage(subscriptionOf(...events).payments, { graceDays: 0, late: "order" }).at(-1)?.since).toBe(
      since && utc(since),
    );
  });
});

test("of two payments of one moment the one of the lesser id counts first, however they are listed", () => {
  const months = paid("2027-01-01", { months: 1 }, { payment: "a" });
  const { payments } = subscriptionOf(months, paid("2027-01-01", { through: "2027-03-10" }, { payment: "b" }));
  for (const listed of [payments, [...payments].reverse()]) {
    expect(coverage(listed, { graceDays: 0, late: "order" })).toEqual([
      { since: utc("2027-01-01"), through: utc("2027-03-10") },
    ]);
  }
});

test.each([
  ["2027-02-03T23:59", "2027-01-01"],
  ["2027-02-04", "2027-01-01"],
  ["2027-02-04T00:01", "2027-02-04T00:01"],
])("a gap of three days of grace breaks nothing: paid again at %s, since %s", (again, since) => {
  const { payments } = subscriptionOf(january, paid(again, { through: "2027-03-01" }));
  expect(coverage(payments, { graceDays: 3, late: "order" }).at(-1)).toEqual({
    since: utc(since),
    through: utc("2027-03-01"),
  });
});

describe("until when it is to be served", () => {
  test.each([
    ["to the end of what is paid", [january], "2027-02-01"],
    ["to an end that is set before that", [january, cancelScheduled("2027-01-05", "2027-01-20")], "2027-01-20"],
    ["no longer than is paid", [january, cancelScheduled("2027-01-05", "2027-02-20")], "2027-02-01"],
    ["not at all, where nothing is paid", [cancelScheduled("2027-01-05", "2027-02-20")], undefined],
  ])("%s", (_, events, until) => {
    expect(at("2027-01-10", ...events).until).toBe(until && utc(until));
  });
});

describe("paid time", () => {
  test("counts a trial, and tells what was paid with money apart", () => {
    const trial = paid("2027-01-01", { through: "2027-01-15" }, { trial: true });
    expect(at("2027-01-02", trial)).toMatchObject({ through: utc("2027-01-15") });
    expect(at("2027-01-02", trial).paidThrough).toBeUndefined();
    expect(at("2027-01-16", trial, paid("2027-01-15", { months: 1 })).paidThrough).toBe(utc("2027-02-15"));
  });

  test("leaves out what was refunded", () => {
    const both = [january, paid("2027-02-01", { through: "2027-03-01" }, { payment: "february" })];
    expect(at("2027-01-10", ...both, refunded("2027-01-10", "february")).through).toBe(utc("2027-02-01"));
  });
});

describe("withheld", () => {
  const february = paid("2027-02-01", { through: "2027-03-01" }, { payment: "february" });

  test.each([
    ["nothing is wrong", "2027-01-10", [january], undefined],
    ["paused", "2027-01-10", [january, paused("2027-01-05")], "paused"],
    ["paused and resumed", "2027-01-10", [january, paused("2027-01-05"), resumed("2027-01-06")], undefined],
    ["the only payment refunded", "2027-01-10", [january, refunded("2027-01-05", "january")], "taken_back"],
    [
      "the current payment refunded",
      "2027-02-02",
      [january, february, refunded("2027-02-02", "february")],
      "taken_back",
    ],
    ["an earlier payment refunded", "2027-02-02", [january, february, refunded("2027-02-02", "january")], undefined],
    [
      "paid ahead and that refunded, to the moment at which the rest is over",
      "2027-02-01",
      [january, paid("2027-01-20", { through: "2027-03-01" }, { payment: "p" }), refunded("2027-01-25", "p")],
      "taken_back",
    ],
    ["refunded, and its time over", "2027-02-10", [january, refunded("2027-01-05", "january")], "unpaid"],
    ["a refund of a payment that nobody made", "2027-01-10", [january, refunded("2027-01-05", "other")], undefined],
    ["time over, in the grace", "2027-02-03T23:59", [january], undefined],
    ["time over, past the grace", "2027-02-04", [january], "unpaid"],
    ["never paid", "2027-02-04", [], undefined],
    ["paused comes before unpaid", "2027-02-04", [january, paused("2027-01-05")], "paused"],
  ])("%s", (_, now, events, withheld) => {
    expect(at(now, ...events).withheld).toBe(withheld);
  });

  test("the grace begins with the end of the paid time or with the failed payment, whichever is earlier", () => {
    expect(at("2027-02-03", january, failed("2027-02-02")).unpaidSince).toBe(utc("2027-02-01"));
    expect(at("2027-02-03", january, february).unpaidSince).toBeUndefined();
  });
});

describe("the end", () => {
  test.each([
    ["ended", "2027-01-10", [january, cancelled("2027-01-05")], "2027-01-05"],
    ["scheduled, not yet", "2027-01-10", [january, cancelScheduled("2027-01-05", "2027-01-20")], undefined],
    ["scheduled, come", "2027-01-20", [january, cancelScheduled("2027-01-05", "2027-01-20")], "2027-01-20"],
    ["scheduled with the paid time, not yet", "2027-01-31", [january, cancelScheduled("2027-01-05")], undefined],
    ["scheduled with the paid time, come", "2027-02-01", [january, cancelScheduled("2027-01-05")], "2027-02-01"],
    ["scheduled, nothing paid", "2027-01-05", [cancelScheduled("2027-01-05")], "2027-01-05"],
    ["withdrawn", "2027-02-01", [january, cancelScheduled("2027-01-05"), cancelWithdrawn("2027-01-06")], undefined],
    [
      "ended, then paid anew",
      "2027-01-10",
      [january, cancelled("2027-01-05"), paid("2027-01-08", { months: 1 })],
      undefined,
    ],
    ["paid, then ended", "2027-01-10", [january, cancelled("2027-01-01")], "2027-01-01"],
    [
      "ended, and only what was owed until then is paid later",
      "2027-02-20",
      [january, cancelScheduled("2027-01-05", "2027-02-01"), paid("2027-02-10", { through: "2027-02-01" })],
      "2027-02-01",
    ],
    [
      "paid anew, and that refunded",
      "2027-02-20",
      [
        january,
        cancelled("2027-02-05"),
        paid("2027-02-08", { months: 1 }, { payment: "p" }),
        refunded("2027-02-09", "p"),
      ],
      "2027-02-05",
    ],
  ])("%s", (_, now, events, ended) => {
    expect(at(now, ...events).ended).toBe(ended && utc(ended));
  });

  test.each([
    [[january], false],
    [[january, cancelScheduled("2027-01-05")], true],
    [[january, cancelled("2027-01-05")], true],
    [[january, cancelScheduled("2027-01-05"), cancelWithdrawn("2027-01-06")], false],
  ])("is known ahead (%#)", (events, setToEnd) => {
    expect(at("2027-01-10", ...events).setToEnd).toBe(setToEnd);
  });
});

test("names the moments at which it changes by itself, future ones only", () => {
  expect(at("2027-01-10", january, cancelScheduled("2027-01-05", "2027-01-20")).changesAt.sort()).toEqual([
    utc("2027-01-20"),
    utc("2027-02-01"),
  ]);
  expect(at("2027-02-02", january).changesAt).toEqual([utc("2027-02-04")]);
  expect(at("2027-02-05", january).changesAt).toEqual([]);
});
