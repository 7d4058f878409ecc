import { expect, test } from "vitest";
import { forecast } from "../../../../shared/licensing/preview.ts";
import { catalogWith, licensed, operation, orderOf, paid, slot, subscriptionOf, utc } from "../../../support/events.ts";

const catalog = catalogWith();
const from = utc("2027-01-10T12:00");
const elid = (step: number) => `new ${step}`;
const bought = paid("2027-01-01T10:00", { through: "2027-02-01" }, { items: ["vm-monthly"] });
const told = (until: string, subscription = licensed([slot()], bought)) =>
  forecast(subscription, catalog, { from, until: utc(until) }, elid);

test("nothing is called until the clock alone brings it", () => {
  expect(told("2027-02-03T00:00")).toMatchObject({ steps: [], decision: { kind: "settled" } });
});

test("each change comes with its time: unpaid, then suspended after the grace", () => {
  const { steps } = told("2027-03-01T00:00");
  expect(steps.map(({ at, change }) => [at, change.kind])).toEqual([[utc("2027-02-04T00:00"), "suspend"]]);
});

test("what is wanted now comes first, and what follows from it later", () => {
  const { steps } = told("2027-06-01T00:00", subscriptionOf(bought));
  expect(steps.map(({ at, change }) => [at.slice(0, 10), change.kind])).toEqual([
    ["2027-01-10", "order"],
    ["2027-02-04", "suspend"],
  ]);
});

test("it ends where a reading has to find something out", () => {
  const open = operation({ change: orderOf(), state: "unknown", due: utc("2027-01-11T00:00") });
  const { steps, decision, at } = told("2027-06-01T00:00", { ...subscriptionOf(bought), operation: open });
  expect({ steps, decision, at }).toEqual({ steps: [], decision: { kind: "observe" }, at: utc("2027-01-11T00:00") });
});

test("it changes nothing", () => {
  const subscription = licensed([slot()], bought);
  const before = structuredClone(subscription);
  told("2027-06-01T00:00", subscription);
  expect(subscription).toEqual(before);
});
