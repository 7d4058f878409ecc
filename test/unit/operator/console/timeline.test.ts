import { describe, expect, test } from "vitest";
import { timelineOf } from "../../../../operator/console/timeline.ts";
import type { Change, Operation } from "../../../../shared/licensing/operation.ts";
import type { License, Subscription } from "../../../../shared/licensing/subscription.ts";
import {
  catalogWith,
  license,
  licensed,
  operation,
  orderOf,
  paid,
  refunded,
  slot,
  subscriptionOf,
  utc,
} from "../../../support/events.ts";

const now = utc("2027-03-10T12:00");
const { policy } = catalogWith();
const timeline = (subscription: Subscription, ...operations: Operation[]) =>
  timelineOf(subscription, operations, policy, now);
const days = (spans: readonly { from: string; to: string }[]) =>
  spans.map(({ from, to }) => `${from.slice(0, 10)}..${to.slice(0, 10)}`);

let n = 0;
const done = (at: string, change: Change, result?: Partial<License>, more: Partial<Operation> = {}): Operation =>
  operation({
    n: ++n,
    change,
    claimedAt: utc(at),
    finishedAt: utc(at),
    state: "finished",
    outcome: "done",
    ...(result && { result: { plan: "vm-monthly", license: license(result) } }),
    ...more,
  });
const prolong = (expiry: string): Change => ({
  kind: "prolong",
  slot: 1,
  elid: "101",
  family: "platform",
  plan: "vm-monthly",
  period: 1,
  expiry,
});
const of = (kind: "suspend" | "resume" | "delete"): Change => ({ kind, slot: 1, elid: "101", family: "platform" });

const firstPayment = paid("2027-01-01T10:00", { through: "2027-02-01T10:00" }, { items: ["vm-monthly"] });

describe("payments", () => {
  const second = paid("2027-01-30T10:00", { through: "2027-03-01T10:00" });

  test("each spans the time it adds to the payments before it, paid early or not", () => {
    expect(days(timeline(subscriptionOf(firstPayment, second)).payments)).toEqual([
      "2027-01-01..2027-02-01",
      "2027-02-01..2027-03-01",
    ]);
  });

  test("a gap between payments stays a gap", () => {
    const late = paid("2027-02-20T10:00", { through: "2027-03-20T10:00" });
    expect(days(timeline(subscriptionOf(firstPayment, late)).payments)).toEqual([
      "2027-01-01..2027-02-01",
      "2027-02-20..2027-03-20",
    ]);
  });

  test("payments in months continue one another", () => {
    const months = ["2027-01-01T10:00", "2027-02-01T10:00"].map((at) => paid(at, { months: 1 }));
    expect(days(timeline(subscriptionOf(...months)).payments)).toEqual([
      "2027-01-01..2027-02-01",
      "2027-02-01..2027-03-01",
    ]);
  });

  test("refunded payments and trials are marked", () => {
    const trial = paid("2027-01-01T10:00", { through: "2027-01-15T10:00" }, { trial: true });
    const taken = refunded("2027-02-02", "payment of 2027-01-30T10:00");
    expect(timeline(subscriptionOf(trial, second, taken)).payments.map(({ kind }) => kind)).toEqual([
      "trial",
      "refunded",
    ]);
  });

  test("a refunded payment neither moves nor hides a later one", () => {
    const monthly = paid("2027-01-10T10:00", { months: 1 });
    const takenBack = (months: number) =>
      timeline(
        subscriptionOf(
          paid("2027-01-01T10:00", { months }),
          monthly,
          refunded("2027-01-05", "payment of 2027-01-01T10:00"),
        ),
      ).payments.map((payment) => [payment.kind, ...days([payment])]);
    expect(takenBack(1)).toEqual([
      ["refunded", "2027-01-01..2027-02-01"],
      ["paid", "2027-01-10..2027-02-10"],
    ]);
    expect(takenBack(12)).toEqual([
      ["refunded", "2027-01-01..2028-01-01"],
      ["paid", "2027-01-10..2027-02-10"],
    ]);
  });

  test("a payment whose renewal is not known yet is not drawn", () => {
    expect(timeline(subscriptionOf(paid("2027-01-01", { periodFrom: "2027-01-01" }))).payments).toEqual([]);
  });
});

describe("licenses", () => {
  test("are valid for the period that billmgr showed after each purchase", () => {
    const { licenses } = timeline(
      licensed([slot({ expiry: "2027-03-02" })], firstPayment),
      done("2027-01-01T10:00", orderOf(), { expiry: "2027-02-02" }),
      done("2027-01-31T10:00", prolong("2027-03-01"), { expiry: "2027-03-02" }, { before: { expiry: "2027-02-02" } }),
    );
    expect(licenses.map(({ elid, valid }) => [elid, days(valid)])).toEqual([
      ["101", ["2027-01-01..2027-02-02", "2027-02-02..2027-03-02"]],
    ]);
  });

  test("without a recorded expiry, use the expiry read before and the requested one", () => {
    const { licenses } = timeline(
      licensed([slot({ expiry: "2027-03-01" })], firstPayment),
      done("2027-01-01T10:00", orderOf()),
      done("2027-01-31T10:00", prolong("2027-03-01"), undefined, { before: { expiry: "2027-02-01" } }),
    );
    expect(licenses.map(({ elid, valid }) => [elid, days(valid)])).toEqual([
      ["101", ["2027-01-01..2027-02-01", "2027-02-01..2027-03-01"]],
    ]);
  });

  test("without a recorded expiry and a prolong, use the current expiry", () => {
    const { licenses } = timeline(licensed([slot()], firstPayment), done("2027-01-01T10:00", orderOf()));
    expect(days(licenses[0]?.valid ?? [])).toEqual(["2027-01-01..2027-02-01"]);
  });

  test("are suspended until they are resumed, or until now", () => {
    const order = done("2027-01-01T10:00", orderOf(), { expiry: "2027-04-01" });
    const suspended = done("2027-02-05T10:00", of("suspend"), { suspended: true, expiry: "2027-04-01" });
    const resumed = done("2027-02-07T10:00", of("resume"), { expiry: "2027-04-01" });
    const again = done("2027-03-05T10:00", of("suspend"), { suspended: true, expiry: "2027-04-01" });
    const { licenses } = timeline(licensed([slot()], firstPayment), order, suspended, resumed, again);
    expect(days(licenses[0]?.suspended ?? [])).toEqual(["2027-02-05..2027-02-07", "2027-03-05..2027-03-10"]);
  });

  test("end when they are deleted; the next license gets its own lane", () => {
    const { licenses } = timeline(
      licensed([slot({ generation: 2, elid: "202", expiry: "2027-04-01" })], firstPayment),
      done("2027-01-01T10:00", orderOf(), { expiry: "2027-02-01" }),
      done("2027-01-20T10:00", of("suspend"), { suspended: true }),
      done("2027-01-25T10:00", of("delete")),
      done("2027-03-01T10:00", orderOf({ generation: 2 }), { elid: "202", expiry: "2027-04-01" }),
    );
    expect(licenses.map(({ elid, valid, suspended }) => [elid, days(valid), days(suspended)])).toEqual([
      ["101", ["2027-01-01..2027-01-25"], ["2027-01-20..2027-01-25"]],
      ["202", ["2027-03-01..2027-04-01"], []],
    ]);
  });

  test("are not changed by a refused operation", () => {
    const refused = done("2027-01-01T10:00", orderOf(), undefined, { outcome: "refused" });
    expect(timeline(subscriptionOf(firstPayment), refused).licenses).toEqual([]);
  });
});

describe("an unknown outcome", () => {
  const lost = { startedAt: utc("2027-01-01T10:00"), params: {}, outcome: "unknown" as const };
  const observations = [
    { at: utc("2027-01-01T10:05"), verdict: "achieved" as const, evidence: "license 101 carries bw-1" },
  ];

  test("is drawn until the evidence was found, with the evidence", () => {
    const found = done(
      "2027-01-01T10:00",
      orderOf(),
      {},
      { attempt: lost, observations, finishedAt: utc("2027-01-01T10:05") },
    );
    expect(timeline(subscriptionOf(firstPayment), found).unknowns).toMatchObject([
      { to: utc("2027-01-01T10:05"), label: expect.stringContaining("done, license 101 carries bw-1") },
    ]);
  });

  test("is drawn until an operator resolved it, or until now", () => {
    const resolved = done("2027-01-01T10:00", orderOf(), undefined, {
      attempt: lost,
      outcome: "gave_up",
      resolved: { as: "never bought", at: now },
    });
    const open = operation({ n: 99, change: orderOf(), state: "unknown", attempt: lost });
    const died = operation({ n: 98, change: orderOf(), state: "unknown", attempt: { startedAt: now, params: {} } });
    const labels = timeline(subscriptionOf(firstPayment), resolved, open, died).unknowns.map(({ to, label }) => [
      to,
      label,
    ]);
    expect(labels).toEqual([
      [utc("2027-01-01T10:00"), expect.stringContaining("gave up, resolved by an operator: never bought")],
      [now, expect.stringContaining("still unknown")],
      [now, expect.stringContaining("still unknown")],
    ]);
  });
});

test("an imported subscription starts when it became known, because an import has no timestamps", () => {
  const moved = { ...paid("1970-01-01", { through: "2027-04-01" }, { items: ["vm-monthly"] }) };
  const subscription = licensed([slot({ expiry: "2027-04-01" })], moved);
  const { from, payments, licenses } = timelineOf(subscription, [], policy, now, utc("2027-03-01T09:00"));
  expect([from, days(payments), licenses.map(({ valid }) => days(valid))]).toEqual([
    utc("2027-03-01T09:00"),
    ["2027-03-01..2027-04-01"],
    [["2027-03-01..2027-04-01"]],
  ]);
});

test("a timeline spans from the first to the last moment, and at least a day", () => {
  const { from, to } = timeline(subscriptionOf(firstPayment));
  expect([from, to]).toEqual([utc("2027-01-01T10:00"), now]);
  const empty = timelineOf(subscriptionOf(), [], policy, now);
  expect([empty.from, empty.to]).toEqual([now, utc("2027-03-11T12:00")]);
});
