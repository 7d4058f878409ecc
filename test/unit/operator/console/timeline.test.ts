import { describe, expect, test } from "vitest";
import { lifeOf } from "../../../../operator/console/timeline.ts";
import type { Change, Operation } from "../../../../shared/licensing/operation.ts";
import type { License, Subscription } from "../../../../shared/licensing/subscription.ts";
import {
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
const life = (subscription: Subscription, ...operations: Operation[]) => lifeOf(subscription, operations, 3, now);
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

const bought = paid("2027-01-01T10:00", { through: "2027-02-01T10:00" }, { items: ["vm-monthly"] });

describe("payments", () => {
  const second = paid("2027-01-30T10:00", { through: "2027-03-01T10:00" });

  test("each covers what it adds to those before it, paid ahead or not", () => {
    expect(days(life(subscriptionOf(bought, second)).payments)).toEqual([
      "2027-01-01..2027-02-01",
      "2027-02-01..2027-03-01",
    ]);
  });

  test("a gap stays one", () => {
    const late = paid("2027-02-20T10:00", { through: "2027-03-20T10:00" });
    expect(days(life(subscriptionOf(bought, late)).payments)).toEqual([
      "2027-01-01..2027-02-01",
      "2027-02-20..2027-03-20",
    ]);
  });

  test("told in months they follow on one another", () => {
    const months = ["2027-01-01T10:00", "2027-02-01T10:00"].map((at) => paid(at, { months: 1 }));
    expect(days(life(subscriptionOf(...months)).payments)).toEqual([
      "2027-01-01..2027-02-01",
      "2027-02-01..2027-03-01",
    ]);
  });

  test("one that was taken back is shown so, and a trial too", () => {
    const trial = paid("2027-01-01T10:00", { through: "2027-01-15T10:00" }, { trial: true });
    const taken = refunded("2027-02-02", "payment of 2027-01-30T10:00");
    expect(life(subscriptionOf(trial, second, taken)).payments.map(({ as }) => as)).toEqual(["trial", "refunded"]);
  });

  test("one that was taken back moves none after it, and hides none", () => {
    const monthly = paid("2027-01-10T10:00", { months: 1 });
    const takenBack = (months: number) =>
      life(
        subscriptionOf(
          paid("2027-01-01T10:00", { months }),
          monthly,
          refunded("2027-01-05", "payment of 2027-01-01T10:00"),
        ),
      ).payments.map((one) => [one.as, ...days([one])]);
    expect(takenBack(1)).toEqual([
      ["refunded", "2027-01-01..2027-02-01"],
      ["paid", "2027-01-10..2027-02-10"],
    ]);
    expect(takenBack(12)).toEqual([
      ["refunded", "2027-01-01..2028-01-01"],
      ["paid", "2027-01-10..2027-02-10"],
    ]);
  });

  test("what is told by a renewal that is not known yet is not drawn", () => {
    expect(life(subscriptionOf(paid("2027-01-01", { periodFrom: "2027-01-01" }))).payments).toEqual([]);
  });
});

describe("licenses", () => {
  test("are valid as each purchase made them, as billmgr showed it after that", () => {
    const { licenses } = life(
      licensed([slot({ expiry: "2027-03-02" })], bought),
      done("2027-01-01T10:00", orderOf(), { expiry: "2027-02-02" }),
      done("2027-01-31T10:00", prolong("2027-03-01"), { expiry: "2027-03-02" }, { before: { expiry: "2027-02-02" } }),
    );
    expect(licenses.map(({ elid, valid }) => [elid, days(valid)])).toEqual([
      ["101", ["2027-01-01..2027-02-02", "2027-02-02..2027-03-02"]],
    ]);
  });

  test("of an older table, without what billmgr showed, are drawn by what was read before and asked for", () => {
    const { licenses } = life(
      licensed([slot({ expiry: "2027-03-01" })], bought),
      done("2027-01-01T10:00", orderOf()),
      done("2027-01-31T10:00", prolong("2027-03-01"), undefined, { before: { expiry: "2027-02-01" } }),
    );
    expect(licenses.map(({ elid, valid }) => [elid, days(valid)])).toEqual([
      ["101", ["2027-01-01..2027-02-01", "2027-02-01..2027-03-01"]],
    ]);
  });

  test("ordered and never prolonged, such a one is valid as it is known now", () => {
    const { licenses } = life(licensed([slot()], bought), done("2027-01-01T10:00", orderOf()));
    expect(days(licenses[0]?.valid ?? [])).toEqual(["2027-01-01..2027-02-01"]);
  });

  test("stand still from a suspension to the resumption, or to now", () => {
    const order = done("2027-01-01T10:00", orderOf(), { expiry: "2027-04-01" });
    const suspended = done("2027-02-05T10:00", of("suspend"), { suspended: true, expiry: "2027-04-01" });
    const resumed = done("2027-02-07T10:00", of("resume"), { expiry: "2027-04-01" });
    const again = done("2027-03-05T10:00", of("suspend"), { suspended: true, expiry: "2027-04-01" });
    const { licenses } = life(licensed([slot()], bought), order, suspended, resumed, again);
    expect(days(licenses[0]?.suspended ?? [])).toEqual(["2027-02-05..2027-02-07", "2027-03-05..2027-03-10"]);
  });

  test("end with their deletion, and the next one is drawn by itself", () => {
    const { licenses } = life(
      licensed([slot({ generation: 2, elid: "202", expiry: "2027-04-01" })], bought),
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

  test("what was refused changed none", () => {
    const refused = done("2027-01-01T10:00", orderOf(), undefined, { outcome: "refused" });
    expect(life(subscriptionOf(bought), refused).licenses).toEqual([]);
  });
});

describe("what was not known", () => {
  const lost = { startedAt: utc("2027-01-01T10:00"), params: {}, outcome: "unknown" as const };
  const observations = [
    { at: utc("2027-01-01T10:05"), verdict: "achieved" as const, evidence: "license 101 carries bw-1" },
  ];

  test("is drawn until it was found, with how", () => {
    const found = done(
      "2027-01-01T10:00",
      orderOf(),
      {},
      { attempt: lost, observations, finishedAt: utc("2027-01-01T10:05") },
    );
    expect(life(subscriptionOf(bought), found).unknowns).toMatchObject([
      { to: utc("2027-01-01T10:05"), label: expect.stringContaining("done, license 101 carries bw-1") },
    ]);
  });

  test("or until somebody settled it, or until now", () => {
    const resolved = done("2027-01-01T10:00", orderOf(), undefined, {
      attempt: lost,
      outcome: "gave_up",
      resolved: { as: "never bought", at: now },
    });
    const open = operation({ n: 99, change: orderOf(), state: "unknown", attempt: lost });
    const died = operation({ n: 98, change: orderOf(), state: "unknown", attempt: { startedAt: now, params: {} } });
    const labels = life(subscriptionOf(bought), resolved, open, died).unknowns.map(({ to, label }) => [to, label]);
    expect(labels).toEqual([
      [utc("2027-01-01T10:00"), expect.stringContaining("gave up, an operator: never bought")],
      [now, expect.stringContaining("not settled yet")],
      [now, expect.stringContaining("not settled yet")],
    ]);
  });
});

test("what was moved in is drawn from when it was heard of: an import tells no time", () => {
  const moved = { ...paid("1970-01-01", { through: "2027-04-01" }, { items: ["vm-monthly"] }) };
  const subscription = licensed([slot({ expiry: "2027-04-01" })], moved);
  const { from, payments, licenses } = lifeOf(subscription, [], 3, now, utc("2027-03-01T09:00"));
  expect([from, days(payments), licenses.map(({ valid }) => days(valid))]).toEqual([
    utc("2027-03-01T09:00"),
    ["2027-03-01..2027-04-01"],
    [["2027-03-01..2027-04-01"]],
  ]);
});

test("a life reaches from its first moment to its last, at least a day", () => {
  const { from, to } = life(subscriptionOf(bought));
  expect([from, to]).toEqual([utc("2027-01-01T10:00"), now]);
  const empty = lifeOf(subscriptionOf(), [], 3, now);
  expect([empty.from, empty.to]).toEqual([now, utc("2027-03-11T12:00")]);
});
