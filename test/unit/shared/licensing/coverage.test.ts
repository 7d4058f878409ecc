import { describe, expect, test } from "vitest";
import { coverage, type Run, withPeriods } from "../../../../shared/licensing/coverage.ts";
import type { Event } from "../../../../shared/licensing/event.ts";
import { billedBy, catalogWith, paid, renews, subscriptionOf, utc } from "../../../support/events.ts";

const january = paid("2027-01-01", { through: "2027-02-01" }, { payment: "january" });

const runsOf = (events: readonly Event[], policy: Parameters<typeof catalogWith>[0] = { graceDays: 0 }): Run[] =>
  coverage(withPeriods(subscriptionOf(...events)), catalogWith(policy).policy);

const shown = (runs: readonly Run[]) => runs.map(({ since, through }) => [since, through].map((at) => at.slice(0, 10)));

/** All orders of some events. */
const orders = <T>(events: readonly T[]): T[][] =>
  events.length < 2
    ? [[...events]]
    : events.flatMap((event, i) => orders(events.toSpliced(i, 1)).map((others) => [event, ...others]));

describe("payments cover", () => {
  test.each([
    ["nothing, where there are none", [], undefined],
    ["the time to the end that is stated", [january], "2027-02-01"],
    ["the time to the later of two ends", [paid("2027-02-01", { through: "2027-03-01" }), january], "2027-03-01"],
    ["no less after a later payment for less", [january, paid("2027-01-02", { through: "2027-01-05" })], "2027-02-01"],
    ["months from the statement on", [paid("2027-01-31T10:00", { months: 1 })], "2027-02-28T10:00"],
    [
      "calendar months, counted from the first statement",
      [paid("2027-01-31", { months: 1 }), paid("2027-02-27", { months: 1 })],
      "2027-03-31",
    ],
    ["months after an end that was paid before", [january, paid("2027-01-20", { months: 1 })], "2027-03-01"],
    [
      "months from the statement on, after a gap",
      [paid("2027-01-10", { months: 1 }), paid("2027-04-20", { months: 1 })],
      "2027-05-20",
    ],
    [
      "the next period, stated at the end of the one before",
      [january, paid("2027-02-01", { through: "2027-03-01" })],
      "2027-03-01",
    ],
    ["time that was over when it was paid", [paid("2027-03-01", { through: "2027-02-01" })], "2027-02-01"],
    ["months paid ahead", [paid("2027-01-10", { months: 1 }), paid("2027-01-11", { months: 12 })], "2028-02-10"],
  ])("%s", (_, events, through) => {
    expect(runsOf(events).at(-1)?.through).toBe(through && utc(through));
    expect(runsOf(events.toReversed())).toEqual(runsOf(events));
  });
});

describe("a payment that contains only the start of its period", () => {
  const first = paid("2027-01-01T10:05", { periodFrom: "2027-01-01T10:00" }, { payment: "first" });
  const second = paid("2027-02-01T11:00", { periodFrom: "2027-02-01T10:00" }, { payment: "second" });
  const ends = [renews("2027-01-01T10:01", "2027-02-01T10:00"), renews("2027-02-01T11:01", "2027-03-01T10:00")];

  test.each([
    ["pays nothing until an end is stated", [first], undefined],
    [
      "reaches to the end that is stated after it",
      [first, renews("2027-01-01T10:06", "2027-02-01T10:00")],
      "2027-02-01",
    ],
    ["reaches to the end that was stated before it", [ends[0], first], "2027-02-01"],
    ["does not reach into the next period, though its end is stated", [first, ...ends], "2027-02-01"],
    [
      "does not reach into a next period that is stated hours before this one is over",
      [first, ends[0], renews("2027-02-01T09:00", "2027-03-01T10:00")],
      "2027-02-01",
    ],
    ["reaches to the end of the next period when that is paid", [first, second, ...ends], "2027-03-01"],
    [
      "may be made hours before the old period is over",
      [first, paid("2027-02-01T08:00", { periodFrom: "2027-02-01T08:00" }), ...ends],
      "2027-03-01",
    ],
    [
      "may be made long after its period began",
      [
        first,
        paid("2027-02-12", { periodFrom: "2027-02-01T10:00" }),
        ends[0],
        renews("2027-02-12", "2027-03-01T10:00"),
      ],
      "2027-03-01",
    ],
    [
      "follows an end that is moved while the period runs",
      [first, ends[0], renews("2027-01-10", "2028-01-10T10:00"), renews("2027-03-10", "2028-01-10T10:00")],
      "2028-01-10",
    ],
    [
      "follows an end that is moved back",
      [first, ends[0], renews("2027-01-10", "2028-01-10T10:00"), renews("2027-01-11", "2027-02-01T10:00")],
      "2027-02-01",
    ],
  ] as [string, Event[], string | undefined][])("%s", (_, events, through) => {
    expect(runsOf(events).at(-1)?.through).toBe(through && utc(`${through}T10:00`));
    expect(runsOf(events.toReversed())).toEqual(runsOf(events));
  });
});

describe("a payment that contains neither an end nor a start", () => {
  const first = paid("2027-01-01T10:00", { intervals: 1 }, { payment: "first" });
  const second = paid("2027-02-01T10:00", { intervals: 1 }, { payment: "second" });
  const monthly = billedBy("2027-01-01T10:01", 1);

  test.each([
    ["pays nothing until an interval is stated", [first], undefined],
    ["pays for the interval that is stated after it", [first, monthly], "2027-02-01"],
    ["pays for one more interval each", [first, monthly, second], "2027-03-01"],
    [
      "pays for the interval that was stated last before it",
      [first, monthly, billedBy("2027-01-20", 12), second],
      "2028-02-01",
    ],
    ["keeps its interval when another is stated later", [first, monthly, billedBy("2027-01-20", 12)], "2027-02-01"],
    [
      "pays for several intervals",
      [paid("2027-01-01T10:00", { intervals: 2 }), billedBy("2026-12-31", 3)],
      "2027-07-01",
    ],
  ] as [string, Event[], string | undefined][])("%s", (_, events, through) => {
    expect(runsOf(events).at(-1)?.through).toBe(through && utc(`${through}T10:00`));
    expect(runsOf(events.toReversed())).toEqual(runsOf(events));
  });
});

describe("the last run begins with", () => {
  test.each([
    ["nothing, where there are no payments", [], undefined],
    ["the first payment", [january], "2027-01-01"],
    [
      "the start that a payment states",
      [paid("2027-01-01", { from: "2027-01-05", through: "2027-02-01" })],
      "2027-01-05",
    ],
    [
      "the payment before one that was made ahead",
      [january, paid("2027-01-20", { through: "2027-03-01" })],
      "2027-01-01",
    ],
    ["the payment before one that was made at its end", [january, paid("2027-02-01", { months: 1 })], "2027-01-01"],
    ["a payment after a gap", [january, paid("2027-02-02", { months: 1 })], "2027-02-02"],
    [
      "the payment before a late one for the time after it",
      [january, paid("2027-02-20", { from: "2027-02-01", through: "2027-03-01" })],
      "2027-01-01",
    ],
    [
      "the first payment, where a late one adds nothing",
      [january, paid("2027-02-20", { through: "2027-01-20" })],
      "2027-01-01",
    ],
    [
      "the first payment, where a late one pays the same time",
      [january, paid("2027-02-20", { through: "2027-02-01" })],
      "2027-01-01",
    ],
    ["the end of a payment for time that was over", [paid("2027-03-01", { through: "2027-02-01" })], "2027-02-01"],
  ])("%s", (_, events, since) => {
    expect(runsOf(events).at(-1)?.since).toBe(since && utc(since));
  });
});

test.each([
  ["2027-02-03T23:59", ["2027-01-01"]],
  ["2027-02-04", ["2027-01-01"]],
  ["2027-02-04T00:01", ["2027-01-01", "2027-02-04T00:01"]],
])("a gap within three days of grace parts no runs: paid again at %s", (again, since) => {
  const runs = runsOf([january, paid(again, { through: "2027-03-10" })], { graceDays: 3 });
  expect(runs.map((run) => run.since)).toEqual(since.map(utc));
  expect(runs.at(-1)?.through).toBe(utc("2027-03-10"));
});

describe("periods", () => {
  const february = { from: "2027-02-01", through: "2027-03-01" };

  test("F1: a payment that is sent again with a later time does not move", () => {
    const yearly = { months: 12 };
    const again = [
      paid("2027-01-01", yearly, { payment: "p" }),
      paid("2027-12-01", yearly, { payment: "p" }),
      paid("2028-01-05", yearly, { payment: "p" }),
    ];
    for (const events of orders(again)) expect(shown(runsOf(events))).toEqual([["2027-01-01", "2028-01-01"]]);
  });

  test("F1: a correction of a payment changes its content, and does not move it", () => {
    const events = [
      paid("2027-01-01", { months: 12 }, { payment: "p" }),
      paid("2027-06-01", { months: 6 }, { payment: "p" }),
      paid("2027-07-01", { months: 1 }),
    ];
    for (const order of orders(events)) expect(shown(runsOf(order))).toEqual([["2027-01-01", "2027-08-01"]]);
  });

  test.each([
    [
      "with its start",
      [paid("2027-01-10", february), paid("2027-01-10T00:10", { from: "2027-01-01", through: "2027-02-01" })],
    ],
    [
      "without a start, after a period before",
      [
        paid("2026-12-01", { through: "2027-01-01" }),
        paid("2027-01-10", { through: "2027-03-01" }),
        paid("2027-01-10T00:10", { through: "2027-02-01" }),
      ],
    ],
  ])("F2: an earlier period that is paid after a later one counts: %s", (_, events) => {
    for (const order of orders(events)) expect(shown(runsOf(order)).at(-1)?.at(-1)).toBe("2027-03-01");
    for (const order of orders(events)) expect(runsOf(order)).toHaveLength(1);
  });

  test("are a union in any order", () => {
    const spans = [
      ["2027-01-01", "2027-02-01"],
      ["2027-01-20", "2027-03-01"],
      ["2027-05-01", "2027-06-01"],
      ["2027-05-10", "2027-05-20"],
      ["2027-06-01", "2027-07-01"],
    ] as const;
    const events = spans.map(([from, through], i) => paid(`2026-12-0${i + 1}`, { from, through }));
    for (const order of orders(events)) {
      expect(shown(runsOf(order))).toEqual([
        ["2027-01-01", "2027-03-01"],
        ["2027-05-01", "2027-07-01"],
      ]);
    }
  });

  test("that end before they begin cover nothing", () => {
    expect(shown(runsOf([paid("2027-01-10", { from: "2027-03-01", through: "2027-02-01" })]))).toEqual([
      ["2027-02-01", "2027-02-01"],
    ]);
  });
});

describe("months", () => {
  test("that overlap a later period lose nothing: the rest follows at its end", () => {
    const events = [
      paid("2027-01-01", { months: 3 }),
      paid("2026-12-01", { from: "2027-02-01", through: "2027-03-01" }),
    ];
    for (const order of orders(events)) expect(shown(runsOf(order))).toEqual([["2027-01-01", "2027-04-29"]]);
  });

  test("that overlap several later periods lose nothing", () => {
    const events = [
      paid("2027-01-01", { months: 3 }),
      paid("2026-12-01", { from: "2027-02-01", through: "2027-03-01" }),
      paid("2026-12-02", { from: "2027-04-15", through: "2027-05-15" }),
    ];
    // 90 days for January to March, and the 28 and 30 days of the periods.
    for (const order of orders(events)) expect(shown(runsOf(order))).toEqual([["2027-01-01", "2027-05-29"]]);
  });

  test("of a payment of the same moment follow the period that it states", () => {
    const months = paid("2027-01-01", { months: 1 }, { payment: "a" });
    const through = paid("2027-01-01", { through: "2027-03-10" }, { payment: "b" });
    for (const order of orders([months, through])) expect(shown(runsOf(order))).toEqual([["2027-01-01", "2027-04-10"]]);
  });

  test("count on from their first day after others were added", () => {
    const events = ["2027-01-31", "2027-02-28", "2027-03-28"].map((at) => paid(at, { months: 1 }));
    for (const order of orders(events)) expect(shown(runsOf(order))).toEqual([["2027-01-31", "2027-04-30"]]);
  });

  test("follow the end of the period that they were stated in", () => {
    const events = [
      paid("2027-01-01", { through: "2027-02-01" }),
      paid("2027-01-20", { months: 2 }),
      paid("2027-01-10", { months: 1 }),
    ];
    for (const order of orders(events)) expect(shown(runsOf(order))).toEqual([["2027-01-01", "2027-05-01"]]);
  });
});

describe("a late payment", () => {
  const months = (at: string) => [paid("2027-01-01", { months: 1 }), paid(at, { months: 1 })];

  test.each([
    ["within the grace", "2027-02-04", "order", [["2027-01-01", "2027-03-01"]]],
    [
      "past the grace",
      "2027-02-05",
      "order",
      [
        ["2027-01-01", "2027-02-01"],
        ["2027-02-05", "2027-03-05"],
      ],
    ],
    ["past the grace, with fixed due dates", "2027-02-05", "prolong", [["2027-01-01", "2027-03-01"]]],
    ["on the last day that it pays from its due date", "2027-02-28T23:59", "prolong", [["2027-01-01", "2027-03-01"]]],
    [
      "a whole period late, with fixed due dates",
      "2027-03-01",
      "prolong",
      [
        ["2027-01-01", "2027-02-01"],
        ["2027-03-01", "2027-04-01"],
      ],
    ],
  ] as const)("of months %s", (_, at, late, expected) => {
    expect(shown(runsOf(months(at), { graceDays: 3, late }))).toEqual(expected);
  });

  test.each([
    ["from the due date before, where its end is a due date", "2027-02-10", "2027-03-01", "2027-01-01"],
    ["from the due date before, where month ends differ by a day", "2027-02-10", "2027-02-28", "2027-01-01"],
    [
      "from its statement, where that is a whole number of months before its end",
      "2027-02-10",
      "2027-03-10",
      "2027-02-10",
    ],
    ["from its statement, where its end is no due date", "2027-02-10", "2027-03-15", "2027-02-10"],
    ["from its statement, after an absence as long as the period", "2027-02-20", "2027-03-01", "2027-02-20"],
  ])("through an end pays %s", (_, at, through, since) => {
    const runs = runsOf([paid("2027-01-01", { through: "2027-02-01" }), paid(at, { through })]);
    expect(runs.at(-1)).toEqual({ since: utc(since), through: utc(through) });
  });
});
