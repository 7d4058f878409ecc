import { describe, expect, test } from "vitest";
import { PreconditionFailed } from "../../../../shared/errors.ts";
import { decide } from "../../../../shared/licensing/decide.ts";
import type { Operation } from "../../../../shared/licensing/operation.ts";
import { follow } from "../../../../shared/licensing/preview.ts";
import {
  adopt,
  markDone,
  markGone,
  neverBought,
  refold,
  repairsFor,
  retry,
} from "../../../../shared/licensing/repair.ts";
import type { Subscription } from "../../../../shared/licensing/subscription.ts";
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
const bought = paid("2027-01-01T10:00", { through: "2027-02-01" }, { items: ["vm-monthly"] });
const emptySlot = { n: 1, generation: 1, product: "vmmanager6", plan: "vm-monthly" };
const asked = { reason: "cannot tell", since: utc("2027-01-01T11:00") };

const lost = (of: Partial<Operation> = {}): Subscription => ({
  ...licensed([emptySlot], bought),
  operation: operation({ change: orderOf(), state: "unknown", due: utc("2027-01-01T13:00"), ...of }),
  attention: { ...asked, operation: 1 },
});

const changing = (change: Operation["change"], of: Partial<Operation> = {}): Subscription => ({
  ...licensed([slot()], bought),
  operation: operation({ change, state: "unknown", due: now, before: { expiry: "2027-02-01" }, ...of }),
  attention: { ...asked, operation: 1 },
});
const of101 = { slot: 1, elid: "101", family: "platform" };
const prolong = { kind: "prolong" as const, ...of101, plan: "vm-monthly", period: 1, expiry: "2027-03-01" };

describe("retry", () => {
  test("clears attention and pause, and looks at an open operation now", () => {
    const backoff = { since: now, until: utc("2027-01-01T13:00"), why: "busy", times: 3, absences: 2 };
    const { attention, backoff: paused, operation: open } = retry({ ...lost(), backoff }, now);
    expect([attention, paused, open?.due]).toEqual([undefined, undefined, now]);
  });

  test("leaves a call that may be on its way alone until its deadline", () => {
    expect(retry(lost({ state: "claimed" }), now).operation?.due).toBe(utc("2027-01-01T13:00"));
  });

  test.each([
    ["looked ten seconds ago: a minute after that", "2027-01-01T11:59:50", "2027-01-01T12:00:50"],
    ["looked long ago: now", "2027-01-01T11:00", "2027-01-01T12:00"],
  ])("%s", (_, at, due) => {
    const observations = [{ at: utc(at), verdict: "absent" as const, evidence: "nothing" }];
    expect(retry(lost({ observations }), now).operation?.due).toBe(utc(due));
  });

  test("never looks later than was planned", () => {
    const observations = [{ at: now, verdict: "absent" as const, evidence: "nothing" }];
    const due = utc("2027-01-01T12:00:05");
    expect(retry(lost({ observations, due }), now).operation?.due).toBe(due);
  });
});

describe("adopt", () => {
  const found = { elid: "700", addons: {}, suspended: false };

  test("a license that is otherwise than what is paid for is brought into agreement", () => {
    const other = { elid: "700", addons: { 55164: 10, 55165: 7 }, suspended: true };
    const { slots } = adopt(lost(), other, catalog, now).subscription;
    expect(slots).toMatchObject([{ license: { suspended: true, addons: { 55164: 10, 55165: 7 } } }]);
    const settled = {
      ...lost(),
      slots: slots.map((one) => (one.license ? { ...one, license: { ...one.license, expiry: "2027-02-01" } } : one)),
      operation: operation({ change: orderOf(), state: "finished" }),
    };
    const { steps } = follow(retry(settled, now), catalog, now, String);
    expect(steps.map(({ change }) => change)).toMatchObject([
      { kind: "resume", elid: "700" },
      { kind: "edit", elid: "700", addons: { 55164: 0, 55165: 1 } },
    ]);
  });

  test("the license becomes that of the lost order, and is confirmed by reading", () => {
    const { subscription, finished } = adopt(lost(), found, catalog, now);
    expect(subscription.slots).toMatchObject([{ n: 1, license: { elid: "700", addons: {} } }]);
    expect(subscription.operation).toMatchObject({ n: 1, state: "unconfirmed", due: now });
    expect(subscription.operation?.resolved).toEqual({ as: "adopt 700", at: now });
    expect(subscription.attention).toBeUndefined();
    expect(finished).toEqual([]);
    expect(decide(subscription, catalog, now)).toEqual({ kind: "observe" });
  });

  test("without an open order it fills the one that is wanted, in an operation of its own", () => {
    const refused = operation({ n: 4, change: orderOf(), state: "finished", outcome: "refused" });
    const subscription = { ...licensed([emptySlot], bought), operation: refused, attention: asked };
    const { operation: opened, slots } = adopt(subscription, found, catalog, now).subscription;
    expect(opened).toMatchObject({ n: 5, state: "unconfirmed", change: { kind: "order", addons: { 55165: 1 } } });
    expect(opened?.attempt).toBeUndefined();
    expect(slots).toMatchObject([{ license: { elid: "700" } }]);
  });

  test.each<[string, Subscription, string]>([
    ["no order is wanted", licensed([slot()], bought), "none is wanted now"],
    [
      "the catalog does not tell which",
      subscriptionOf(changed("2027-01-01", "nothing"), bought, changed("2027-01-02", "unheard")),
      "nothing in the catalog is sold",
    ],
    ["another operation is open", changing(prolong), "it waits for no license"],
    ["the order has a license", { ...lost(), slots: [slot()] }, "it waits for no license"],
    ["the call may be on its way", lost({ state: "claimed" }), "may be on its way"],
  ])("not where %s", (_, subscription, why) => {
    expect(() => adopt(subscription, found, catalog, now)).toThrow(why);
  });
});

describe("where billmgr told another license for an order", () => {
  const observations = [{ at: now, verdict: "conflicting" as const, evidence: "license 101 shows another comment" }];
  const wrong = (verdict: "conflicting" | "absent" = "conflicting"): Subscription => ({
    ...licensed([slot()], bought),
    operation: operation({
      change: orderOf(),
      state: "unconfirmed",
      due: now,
      observations: observations.map((observation) => ({ ...observation, verdict })),
    }),
  });

  test("ours can be adopted instead, or was never bought, and the other one is let go", () => {
    const adopted = adopt(wrong(), { elid: "700", addons: {}, suspended: true }, catalog, now).subscription;
    expect(adopted.slots).toMatchObject([{ n: 1, license: { elid: "700", suspended: true, suspendedAt: now } }]);
    const { subscription, finished } = neverBought(wrong(), now);
    expect(subscription.slots[0]?.license).toBeUndefined();
    expect(finished).toMatchObject([{ outcome: "gave_up" }]);
    expect(decide(subscription, catalog, now)).toMatchObject({ change: { kind: "order", slot: 1 } });
  });

  test("one that was not seen to be another is neither", () => {
    expect(() => adopt(wrong("absent"), { elid: "700", addons: {}, suspended: false }, catalog, now)).toThrow(
      PreconditionFailed,
    );
    expect(() => neverBought(wrong("absent"), now)).toThrow("billmgr told license 101 for operation 1");
  });
});

describe("never bought", () => {
  test("the order is given up, and may be made again under the same reference", () => {
    const { subscription, finished } = neverBought(lost(), now);
    expect(finished).toMatchObject([{ n: 1, state: "finished", outcome: "gave_up", finishedAt: now }]);
    expect(finished[0]?.resolved).toEqual({ as: "never bought", at: now });
    expect(subscription.operation).toEqual(finished[0]);
    expect(decide(subscription, catalog, now)).toMatchObject({
      kind: "change",
      change: { kind: "order", slot: 1, generation: 1 },
    });
  });

  test("so is a prolong", () => {
    const { subscription } = neverBought(changing(prolong, { state: "unconfirmed" }), now);
    expect(subscription.operation).toMatchObject({ outcome: "gave_up" });
    expect(subscription.slots[0]?.license?.expiry).toBe("2027-02-01");
  });

  test.each<[string, Subscription, string]>([
    ["nothing is open", licensed([slot()], bought), "no operation is open"],
    ["the call may be on its way", lost({ state: "claimed" }), "may be on its way"],
    ["it buys nothing", changing({ kind: "suspend", ...of101 }), "buys nothing"],
    ["billmgr told a license", { ...lost({ state: "unconfirmed" }), slots: [slot()] }, "billmgr told license 101"],
  ])("not where %s", (_, subscription, why) => {
    expect(() => neverBought(subscription, now)).toThrow(why);
  });

  test("a claim whose worker died is over at its deadline", () => {
    expect(neverBought(lost({ state: "claimed", due: now }), now).finished).toHaveLength(1);
  });
});

describe("done", () => {
  test("a prolong, to the expiry that was read", () => {
    const { subscription, finished } = markDone(changing(prolong), { expiry: "2027-03-02" }, now);
    expect(finished).toMatchObject([{ outcome: "done", resolved: { as: "done" } }]);
    expect(subscription.slots[0]?.license?.expiry).toBe("2027-03-02");
  });

  test.each([
    ["has not moved", { expiry: "2027-02-01" }, "until 2027-02-01, as before"],
    ["is not told", {}, "without an expiry"],
  ])("not a prolong whose expiry %s: it would be bought again", (_, seen, why) => {
    expect(() => markDone(changing(prolong), seen, now)).toThrow(why);
  });

  test("a suspension, at its word", () => {
    const { subscription } = markDone(changing({ kind: "suspend", ...of101 }), {}, now);
    expect(subscription.slots[0]?.license).toMatchObject({ suspended: true, suspendedAt: now });
  });

  test("not an order whose license nobody knows", () => {
    expect(() => markDone(lost(), {}, now)).toThrow("say which one it is");
  });
});

describe("gone", () => {
  test("empties the slot in a new generation, with a deletion in the log", () => {
    const { subscription, finished } = markGone(licensed([slot()], bought), "101", "it is deleted", now);
    expect(subscription.slots).toEqual([{ ...emptySlot, generation: 2 }]);
    expect(finished).toMatchObject([
      { n: 1, change: { kind: "delete", elid: "101" }, outcome: "already_done", before: { evidence: "it is deleted" } },
    ]);
    expect(decide(subscription, catalog, now)).toMatchObject({ change: { kind: "order", generation: 2 } });
  });

  test("gives up what was open about it first", () => {
    const { finished, subscription } = markGone(changing(prolong), "101", "it is deleted", now);
    expect(finished).toMatchObject([
      { n: 1, change: { kind: "prolong" }, outcome: "gave_up" },
      { n: 2, change: { kind: "delete" }, outcome: "already_done" },
    ]);
    expect(subscription.attention).toBeUndefined();
  });

  test.each<[string, Subscription, string]>([
    ["it does not hold it", licensed([slot({ elid: "5" }), slot({ n: 2, elid: "6" })], bought), "it holds 5, 6"],
    [
      "something else is open",
      { ...changing(prolong), slots: [slot({ elid: "9" }), slot({ n: 2, elid: "101" })] },
      "still open",
    ],
  ])("not where %s", (_, subscription, why) => {
    expect(() => markGone(subscription, "101", "", now)).toThrow(why);
  });
});

test("what does not fit is an Unfit, for people to read", () => {
  expect(() => markGone(subscriptionOf(bought), "101", "", now)).toThrow(PreconditionFailed);
});

test.each<[string, Subscription, string[]]>([
  ["a lost order", lost(), ["retry", "adopt", "never-bought"]],
  [
    "an order that billmgr confirmed with an id",
    { ...lost({ state: "unconfirmed" }), slots: [slot()] },
    ["retry", "done", "gone"],
  ],
  ["a lost prolong", changing(prolong), ["retry", "never-bought", "done", "gone"]],
  ["a lost suspension", changing({ kind: "suspend", ...of101 }), ["retry", "done", "gone"]],
  ["a refused order", { ...licensed([emptySlot], bought), attention: asked }, ["retry", "adopt"]],
  ["a refused change", { ...licensed([slot()], bought), attention: asked }, ["retry", "gone"]],
])("the repairs of %s", (_, subscription, repairs) => {
  expect(repairsFor(subscription, catalog, now)).toEqual(repairs);
});

test("what was read otherwise is folded anew, and what was done stays", () => {
  const wrong = paid("2027-01-01T10:00", { through: "2029-02-01" }, { id: "e1", payment: "p1", items: ["vm-monthly"] });
  const right = paid("2027-01-01T10:00", { through: "2027-02-01" }, { id: "e1", payment: "p1", items: ["vm-monthly"] });
  const backoff = { since: now, until: now, why: "busy", times: 1 };
  const before = { ...lost(), ...licensed([slot()], wrong), attention: asked, backoff: backoff };
  const after = refold(before, [right]);
  expect(after).toEqual({ ...before, payments: subscriptionOf(right).payments });
});
