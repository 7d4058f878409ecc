import { describe, expect, test } from "vitest";
import { entitlement } from "../../../../shared/licensing/entitlement.ts";
import type { Event } from "../../../../shared/licensing/event.ts";
import {
  cancelled,
  cancelScheduled,
  cancelWithdrawn,
  catalogWith,
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

test("a refund takes back the time of its own period alone", () => {
  const events = [
    paid("2027-01-01T10:05", { periodFrom: "2027-01-01T10:00" }, { payment: "first" }),
    paid("2027-02-01T11:00", { periodFrom: "2027-02-01T10:00" }, { payment: "second" }),
    renews("2027-01-01T10:01", "2027-02-01T10:00"),
    renews("2027-02-01T11:01", "2027-03-01T10:00"),
  ];
  expect(at("2027-02-10", ...events, refunded("2027-02-09", "second"))).toMatchObject({
    through: utc("2027-02-01T10:00"),
    withheld: "taken_back",
  });
  expect(at("2027-02-10", ...events, refunded("2027-02-09", "first"))).toMatchObject({
    through: utc("2027-03-01T10:00"),
  });
});

describe("the time to be served", () => {
  test.each([
    ["reaches to the end of the paid time", [january], "2027-02-01"],
    ["reaches to an end that is set before that", [january, cancelScheduled("2027-01-05", "2027-01-20")], "2027-01-20"],
    ["reaches no further than is paid", [january, cancelScheduled("2027-01-05", "2027-02-20")], "2027-02-01"],
    ["is none where nothing is paid", [cancelScheduled("2027-01-05", "2027-02-20")], undefined],
  ])("%s", (_, events, until) => {
    expect(at("2027-01-10", ...events).until).toBe(until && utc(until));
  });
});

describe("paid time", () => {
  test("includes a trial, and contains what was paid with money separately", () => {
    const trial = paid("2027-01-01", { through: "2027-01-15" }, { trial: true });
    expect(at("2027-01-02", trial)).toMatchObject({ through: utc("2027-01-15") });
    expect(at("2027-01-02", trial).paidThrough).toBeUndefined();
    expect(at("2027-01-16", trial, paid("2027-01-15", { months: 1 })).paidThrough).toBe(utc("2027-02-15"));
  });

  test("omits what was refunded", () => {
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
      "a payment ahead refunded, at the moment at which the rest is over",
      "2027-02-01",
      [january, paid("2027-01-20", { through: "2027-03-01" }, { payment: "p" }), refunded("2027-01-25", "p")],
      "taken_back",
    ],
    ["refunded, and its time is over", "2027-02-10", [january, refunded("2027-01-05", "january")], "unpaid"],
    ["a refund of an unknown payment", "2027-01-10", [january, refunded("2027-01-05", "other")], undefined],
    ["the time is over, within the grace", "2027-02-03T23:59", [january], undefined],
    ["the time is over, past the grace", "2027-02-04", [january], "unpaid"],
    ["never paid", "2027-02-04", [], undefined],
    ["paused and unpaid", "2027-02-04", [january, paused("2027-01-05")], "paused"],
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
      "ended, then paid again",
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
      "paid again, and that refunded",
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
  ])("is known before it comes (%#)", (events, setToEnd) => {
    expect(at("2027-01-10", ...events).setToEnd).toBe(setToEnd);
  });
});

test("an entitlement contains the moments at which the clock alone changes it, future ones only", () => {
  expect(at("2027-01-10", january, cancelScheduled("2027-01-05", "2027-01-20")).changesAt.sort()).toEqual([
    utc("2027-01-20"),
    utc("2027-02-01"),
  ]);
  expect(at("2027-02-02", january).changesAt).toEqual([utc("2027-02-04")]);
  expect(at("2027-02-05", january).changesAt).toEqual([]);
});
