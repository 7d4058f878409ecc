import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import {
  addDays,
  addMonths,
  dayOf,
  daysBetween,
  earliest,
  instantPlus,
  instantPlusMonths,
  startOf,
  toInstant,
} from "../../../../shared/licensing/time.ts";

test("an instant is UTC with milliseconds, from a date or from a number", () => {
  expect(toInstant(new Date("2027-01-31T12:00:00+02:00"))).toBe("2027-01-31T10:00:00.000Z");
  expect(toInstant(0)).toBe("1970-01-01T00:00:00.000Z");
});

test("a day is counted in UTC", () => {
  expect(dayOf("2027-01-31T23:59:59.999Z")).toBe("2027-01-31");
  expect(startOf("2027-01-31")).toBe("2027-01-31T00:00:00.000Z");
});

describe("months", () => {
  test.each([
    ["2027-01-31", 1, "2027-02-28"],
    ["2028-01-31", 1, "2028-02-29"],
    ["2027-01-31", 2, "2027-03-31"],
    ["2027-02-28", 1, "2027-03-28"],
    ["2028-02-29", 12, "2029-02-28"],
    ["2027-12-31", 2, "2028-02-29"],
    ["2027-03-31", -1, "2027-02-28"],
  ])("%s and %i is %s, of days and of instants", (day, months, result) => {
    expect(addMonths(day, months)).toBe(result);
    expect(instantPlusMonths(`${day}T23:30:00.000Z`, months)).toBe(`${result}T23:30:00.000Z`);
  });
});

test("days and months are those of the calendar", () => {
  const day = fc.date({ min: new Date("2000-01-01"), max: new Date("2199-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(day, fc.integer({ min: -400, max: 400 }), (moment, count) => {
      const instant = toInstant(moment);
      const date = Temporal.PlainDate.from(dayOf(instant));
      expect(addMonths(dayOf(instant), count)).toBe(date.add({ months: count }).toString());
      expect(addDays(dayOf(instant), count)).toBe(date.add({ days: count }).toString());
      expect(daysBetween(dayOf(instant), addDays(dayOf(instant), count))).toBe(count);
      const zoned = Temporal.Instant.from(instant).toZonedDateTimeISO("UTC").add({ months: count });
      expect(instantPlusMonths(instant, count)).toBe(toInstant(zoned.epochMilliseconds));
    }),
  );
});

test.each([
  ["2027-02-28", 1, "2027-03-01"],
  ["2028-02-28", 1, "2028-02-29"],
  ["2027-03-01", -2, "2027-02-27"],
])("%s and %i days is %s", (from, days, to) => {
  expect(addDays(from, days)).toBe(to);
  expect(daysBetween(from, to)).toBe(days);
});

test("a span is of days, of seconds, or of both, and may be a fraction", () => {
  const noon = "2027-01-31T12:00:00.000Z";
  expect(instantPlus(noon, { days: 1, seconds: -1 })).toBe("2027-02-01T11:59:59.000Z");
  expect(instantPlus(noon, { days: 0.5 })).toBe("2027-02-01T00:00:00.000Z");
  expect(instantPlus(noon, {})).toBe(noon);
});

test("the earliest of some instants, and of none", () => {
  expect(earliest(["2027-02-01T00:00:00.000Z", "2027-01-31T00:00:00.000Z", "2027-03-01T00:00:00.000Z"])).toBe(
    "2027-01-31T00:00:00.000Z",
  );
  expect(earliest([])).toBeUndefined();
});
