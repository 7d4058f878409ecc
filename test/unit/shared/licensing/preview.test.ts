import { expect, test } from "vitest";
import { follow } from "../../../../shared/licensing/preview.ts";
import {
  catalogWith,
  changed,
  licensed,
  operation,
  orderOf,
  paid,
  slot,
  subscriptionOf,
  utc,
} from "../../../support/events.ts";

const catalog = catalogWith();
const now = utc("2027-01-01T12:00");
const elid = (step: number) => `new ${step}`;

test("the whole chain: order, prolong, and when to decide again", () => {
  const bought = paid("2027-01-01T10:00", { through: "2027-03-01" }, { items: ["vm-monthly"] });
  const { steps, decision } = follow(subscriptionOf(bought), catalog, now, elid);
  expect(steps).toMatchObject([
    { change: { kind: "order" }, after: "2027-02-01" },
    { change: { kind: "prolong", elid: "new 0" }, before: "2027-02-01", after: "2027-03-01" },
  ]);
  expect(decision).toMatchObject({ kind: "settled", until: utc("2027-03-01") });
});

test("a change of product orders the new license before the old one is deleted", () => {
  const bought = paid("2027-01-01T10:00", { through: "2027-02-01" }, { items: ["vm-monthly"] });
  const subscription = licensed([slot()], bought, changed("2027-01-01T11:00", "dci-monthly"));
  const { steps } = follow(subscription, catalog, now, elid);
  expect(steps.map(({ change }) => change.kind)).toEqual(["order", "delete"]);
});

test("each step contains the expiry before and after it, and a deletion none after it", () => {
  const { steps } = follow(
    licensed(
      [slot(), slot({ n: 2, elid: "102", expiry: "2027-05-01" })],
      paid("2027-01-01", { through: "2027-03-01" }, { items: ["vm-monthly"] }),
    ),
    catalogWith({ onEnd: "delete" }),
    utc("2027-01-31"),
    String,
  );
  expect(steps.map(({ change, before, after }) => [change.kind, before, after])).toEqual([
    ["delete", "2027-05-01", undefined],
    ["prolong", "2027-02-01", "2027-03-01"],
  ]);
});

test("the chain stops at an open operation", () => {
  const open = { ...subscriptionOf(), operation: operation({ change: orderOf(), state: "unknown", due: now }) };
  expect(follow(open, catalog, now, elid)).toMatchObject({ steps: [], decision: { kind: "observe" } });
});

test("the chain is cut off after so many steps", () => {
  const bought = paid("2027-01-01T10:00", { through: "2027-06-01" }, { items: ["vm-monthly"] });
  const { steps, decision } = follow(subscriptionOf(bought), catalog, now, elid, 2);
  expect(steps).toHaveLength(2);
  expect(decision).toMatchObject({ kind: "change", change: { kind: "prolong" } });
});
