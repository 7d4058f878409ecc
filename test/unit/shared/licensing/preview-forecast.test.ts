import { expect, test } from "vitest";
import { forecast } from "../../../../shared/licensing/preview.ts";
import { catalogWith, licensed, operation, orderOf, paid, slot, subscriptionOf, utc } from "../../../support/events.ts";

const catalog = catalogWith();
const from = utc("2027-01-10T12:00");
const elid = (step: number) => `new ${step}`;
const bought = paid("2027-01-01T10:00", { through: "2027-02-01" }, { items: ["vm-monthly"] });
const forecastUntil = (until: string, subscription = licensed([slot()], bought)) =>
  forecast(subscription, catalog, { from, until: utc(until) }, elid);

test("a settled subscription has no steps", () => {
  expect(forecastUntil("2027-02-03T00:00")).toMatchObject({ steps: [], decision: { kind: "settled" } });
});

test("each step has its time: unpaid, then suspended after the grace", () => {
  const { steps } = forecastUntil("2027-03-01T00:00");
  expect(steps.map(({ at, change }) => [at, change.kind])).toEqual([[utc("2027-02-04T00:00"), "suspend"]]);
});

test("steps that are wanted now come first, and those that follow from them later", () => {
  const { steps } = forecastUntil("2027-06-01T00:00", subscriptionOf(bought));
  expect(steps.map(({ at, change }) => [at.slice(0, 10), change.kind])).toEqual([
    ["2027-01-10", "order"],
    ["2027-02-04", "suspend"],
  ]);
});

test("the forecast ends at an open operation", () => {
  const open = operation({ change: orderOf(), state: "unknown", due: utc("2027-01-11T00:00") });
  const { steps, decision, at } = forecastUntil("2027-06-01T00:00", { ...subscriptionOf(bought), operation: open });
  expect({ steps, decision, at }).toEqual({
    steps: [],
    decision: { kind: "observe", operation: 1, attention: [], blocked: [] },
    at: utc("2027-01-11T00:00"),
  });
});

test("the forecast changes nothing", () => {
  const subscription = licensed([slot()], bought);
  const before = structuredClone(subscription);
  forecastUntil("2027-06-01T00:00", subscription);
  expect(subscription).toEqual(before);
});
