import { describe, expect, test } from "vitest";
import { PreconditionFailed } from "../../../../shared/errors.ts";
import { decide } from "../../../../shared/licensing/decide.ts";
import { blockOf, type Change, type Operation } from "../../../../shared/licensing/operation.ts";
import { recordObservation } from "../../../../shared/licensing/operation-lifecycle.ts";
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
import type { Attention, Subscription } from "../../../../shared/licensing/subscription.ts";
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

/** An item about an open operation, or without its number one that an outcome left. */
const attentionOf = (change: Change, operation?: number): Attention[] => [
  {
    reason: { code: "refused", change, response: "error value: No" },
    since: utc("2027-01-01T11:00"),
    ...(operation === undefined ? { blocks: blockOf(change) } : { operation }),
  },
];

const lost = (of: Partial<Operation> = {}): Subscription => ({
  ...licensed([emptySlot], bought),
  operation: operation({ change: orderOf(), state: "unknown", due: utc("2027-01-01T13:00"), ...of }),
  operationCount: 1,
  attention: attentionOf(orderOf(), 1),
});

const changing = (change: Operation["change"], of: Partial<Operation> = {}): Subscription => ({
  ...licensed([slot()], bought),
  operation: operation({ change, state: "unknown", due: now, before: { expiry: "2027-02-01" }, ...of }),
  operationCount: 1,
  attention: attentionOf(change, 1),
});
/** The same after a later change of another slot. */
const parkedBy = ({ operation: open, ...rest }: Subscription, change: Change): Subscription => ({
  ...rest,
  ...(open && { parked: [open] }),
  operation: operation({ n: 2, change, state: "finished" }),
  operationCount: 2,
});

const of101 = { slot: 1, elid: "101", family: "platform" };
const prolong = { kind: "prolong" as const, ...of101, plan: "vm-monthly", period: 1, expiry: "2027-03-01" };

describe("retry", () => {
  test("clears attention and backoff, and has the open operation observed now", () => {
    const backoff = { since: now, until: utc("2027-01-01T13:00"), why: "busy", times: 3, absences: 2 };
    const { attention, backoff: left, operation: open } = retry({ ...lost(), backoff }, now);
    expect([attention, left, open?.due]).toEqual([undefined, undefined, now]);
  });

  test("has parked operations observed now as well", () => {
    const parked = [operation({ n: 1, change: orderOf(), state: "unknown", due: utc("2027-01-01T13:00") })];
    expect(retry({ ...lost({ n: 2 }), parked }, now).parked).toMatchObject([{ n: 1, due: now }]);
  });

  test("leaves a call that may be under way alone until its deadline", () => {
    expect(retry(lost({ state: "claimed" }), now).operation?.due).toBe(utc("2027-01-01T13:00"));
  });

  test.each([
    ["observed ten seconds ago: due a minute after that", "2027-01-01T11:59:50", "2027-01-01T12:00:50"],
    ["observed long ago: due now", "2027-01-01T11:00", "2027-01-01T12:00"],
  ])("%s", (_, at, due) => {
    const observations = [{ at: utc(at), verdict: "absent" as const, evidence: "nothing" }];
    expect(retry(lost({ observations }), now).operation?.due).toBe(utc(due));
  });

  test("never postpones an observation", () => {
    const observations = [{ at: now, verdict: "absent" as const, evidence: "nothing" }];
    const due = utc("2027-01-01T12:00:05");
    expect(retry(lost({ observations, due }), now).operation?.due).toBe(due);
  });
});

describe("adopt", () => {
  const found = { elid: "700", addons: {}, suspended: false };

  test("a license that differs from what is paid is brought into agreement", () => {
    const other = { elid: "700", addons: { 55164: 10, 55165: 7 }, suspended: true };
    const { subscription } = adopt(lost(), other, catalog, now);
    const confirmed = recordObservation(subscription, {
      at: now,
      verdict: "achieved",
      evidence: "license 700 is stopped until 2027-02-01",
      expiry: "2027-02-01",
      isStopped: true,
    });
    expect(confirmed.slots).toMatchObject([{ license: { suspended: true, addons: { 55164: 10, 55165: 7 } } }]);
    const { steps } = follow(confirmed, catalog, now, String);
    expect(steps.map(({ change }) => change)).toMatchObject([
      { kind: "resume", elid: "700" },
      { kind: "edit", elid: "700", addons: { 55164: 0, 55165: 1 } },
    ]);
  });

  test("the license belongs to the lost order, and fills its slot once a read confirms it", () => {
    const { subscription, finished } = adopt(lost(), found, catalog, now);
    expect(subscription.slots).toEqual([emptySlot]);
    expect(subscription.operation).toMatchObject({ n: 1, elid: "700", state: "unconfirmed", due: now });
    expect(subscription.operation?.resolved).toEqual({ as: "adopt 700", at: now });
    expect(subscription.attention).toBeUndefined();
    expect(finished).toEqual([]);
    expect(decide(subscription, catalog, now)).toMatchObject({ kind: "observe", operation: 1 });
  });

  test("without an open order it fills the one that is wanted, in an operation of its own", () => {
    const refused = operation({ n: 4, change: orderOf(), state: "finished", outcome: "refused" });
    const subscription = { ...lost(), operation: refused, operationCount: 4, attention: attentionOf(orderOf()) };
    const { operation: opened, operationCount } = adopt(subscription, found, catalog, now).subscription;
    expect(opened).toMatchObject({
      n: 5,
      elid: "700",
      state: "unconfirmed",
      change: { kind: "order", addons: { 55165: 1 } },
    });
    expect(opened?.attempt).toBeUndefined();
    expect(operationCount).toBe(5);
  });

  test("it fills a parked order, and the latest operation stays as it is", () => {
    const edit: Change = { kind: "edit", ...of101, slot: 2, plan: "vm-monthly", addons: {} };
    const { parked, operation: latest } = adopt(parkedBy(lost(), edit), found, catalog, now).subscription;
    expect(parked).toMatchObject([{ n: 1, elid: "700", state: "unconfirmed" }]);
    expect(latest).toMatchObject({ n: 2, change: edit, state: "finished" });
  });

  test.each<[string, Subscription, string]>([
    ["no order is wanted", licensed([slot()], bought), "none is wanted now"],
    [
      "the catalog does not state which",
      subscriptionOf(changed("2027-01-01", "nothing"), bought, changed("2027-01-02", "unlisted")),
      "The catalog sells nothing at standard as unlisted.",
    ],
    ["another operation is open", changing(prolong), "no license is missing for it"],
    ["the order has a license", lost({ elid: "101" }), "no license is missing for it"],
    ["the call may be under way", lost({ state: "claimed" }), "may be under way"],
  ])("not where %s", (_, subscription, why) => {
    expect(() => adopt(subscription, found, catalog, now)).toThrow(why);
  });
});

describe("where billmgr named another license for an order", () => {
  const wrong = (verdict: "conflicting" | "absent" = "conflicting"): Subscription =>
    lost({
      state: "unconfirmed",
      elid: "101",
      due: now,
      observations: [{ at: now, verdict, evidence: "license 101 shows another comment" }],
    });

  test("the right one can be adopted instead", () => {
    const adopted = adopt(wrong(), { elid: "700", addons: {}, suspended: true }, catalog, now).subscription;
    expect(adopted.operation).toMatchObject({ elid: "700", adopted: { suspended: true, suspendedAt: now } });
    expect(adopted.slots).toEqual([emptySlot]);
  });

  test("the order can be resolved as never bought", () => {
    const { subscription, finished } = neverBought(wrong(), now);
    expect(subscription.slots).toEqual([emptySlot]);
    expect(finished).toMatchObject([{ outcome: "gave_up" }]);
    expect(decide(subscription, catalog, now)).toMatchObject({ change: { kind: "order", slot: 1 } });
  });

  test("neither applies where no observation shows that it is another one", () => {
    expect(() => adopt(wrong("absent"), { elid: "700", addons: {}, suspended: false }, catalog, now)).toThrow(
      PreconditionFailed,
    );
    expect(() => neverBought(wrong("absent"), now)).toThrow("billmgr named license 101 for operation 1");
  });
});

describe("never bought", () => {
  test("an order is given up, and can be made again under the same reference", () => {
    const { subscription, finished } = neverBought(lost(), now);
    expect(finished).toMatchObject([{ n: 1, state: "finished", outcome: "gave_up", finishedAt: now }]);
    expect(finished[0]?.resolved).toEqual({ as: "never bought", at: now });
    expect(subscription.operation).toEqual(finished[0]);
    expect(decide(subscription, catalog, now)).toMatchObject({
      kind: "change",
      change: { kind: "order", slot: 1, generation: 1 },
    });
  });

  test("a prolong is given up", () => {
    const { subscription } = neverBought(changing(prolong, { state: "unconfirmed" }), now);
    expect(subscription.operation).toMatchObject({ outcome: "gave_up" });
    expect(subscription.slots[0]?.license?.expiry).toBe("2027-02-01");
  });

  test.each<[string, Subscription, string]>([
    ["nothing is open", licensed([slot()], bought), "no operation is open"],
    ["the call may be under way", lost({ state: "claimed" }), "may be under way"],
    ["it buys nothing", changing({ kind: "suspend", ...of101 }), "buys nothing"],
    ["billmgr named a license", lost({ state: "unconfirmed", elid: "101" }), "billmgr named license 101"],
  ])("not where %s", (_, subscription, why) => {
    expect(() => neverBought(subscription, now)).toThrow(why);
  });

  test("a claim whose worker died can be resolved from its deadline on", () => {
    expect(neverBought(lost({ state: "claimed", due: now }), now).finished).toHaveLength(1);
  });

  test("a parked order is given up, and the latest operation stays as it is", () => {
    const edit: Change = { kind: "edit", ...of101, slot: 2, plan: "vm-monthly", addons: {} };
    const { subscription, finished } = neverBought(parkedBy(lost(), edit), now);
    expect(finished).toMatchObject([{ n: 1, outcome: "gave_up" }]);
    expect(subscription.parked).toBeUndefined();
    expect(subscription.operation).toMatchObject({ n: 2, change: edit });
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
    ["is not shown", {}, "without an expiry"],
  ])("not a prolong whose expiry %s: it would be bought again", (_, seen, why) => {
    expect(() => markDone(changing(prolong), seen, now)).toThrow(why);
  });

  test("a suspension, without a read", () => {
    const { subscription } = markDone(changing({ kind: "suspend", ...of101 }), {}, now);
    expect(subscription.slots[0]?.license).toMatchObject({ suspended: true, suspendedAt: now });
  });

  test("an order whose license is known, which then fills its slot", () => {
    const { subscription } = markDone(lost({ state: "unconfirmed", elid: "101" }), { expiry: "2027-02-01" }, now);
    expect(subscription.slots).toMatchObject([{ license: { elid: "101", expiry: "2027-02-01" } }]);
  });

  test("not an order whose license is not known", () => {
    expect(() => markDone(lost(), {}, now)).toThrow("find out which one it is");
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

  test("first gives up the operation that is open for it", () => {
    const { finished, subscription } = markGone(changing(prolong), "101", "it is deleted", now);
    expect(finished).toMatchObject([
      { n: 1, change: { kind: "prolong" }, outcome: "gave_up" },
      { n: 2, change: { kind: "delete" }, outcome: "already_done" },
    ]);
    expect(subscription.attention).toBeUndefined();
  });

  test("empties the slot of an order whose license never got into it", () => {
    const { subscription, finished } = markGone(lost({ state: "unconfirmed", elid: "101" }), "101", "", now);
    expect(subscription.slots).toEqual([{ ...emptySlot, generation: 2 }]);
    expect(finished).toMatchObject([
      { n: 1, change: { kind: "order" }, outcome: "gave_up" },
      { n: 2, change: { kind: "delete", elid: "101" } },
    ]);
  });

  test.each<[string, Subscription, string]>([
    ["it has other licenses", licensed([slot({ elid: "5" }), slot({ n: 2, elid: "6" })], bought), "it has 5, 6"],
    ["it has none", lost({ elid: "7" }), "it has none"],
    [
      "something else is open",
      { ...changing(prolong), slots: [slot({ elid: "9" }), slot({ n: 2, elid: "101" })] },
      "still open",
    ],
  ])("not where %s", (_, subscription, why) => {
    expect(() => markGone(subscription, "101", "", now)).toThrow(why);
  });
});

test("a repair that does not fit throws PreconditionFailed", () => {
  expect(() => markGone(subscriptionOf(bought), "101", "", now)).toThrow(PreconditionFailed);
});

test.each<[string, Subscription, string[]]>([
  ["a lost order", lost(), ["retry", "adopt", "never-bought"]],
  [
    "an order for which billmgr named a license",
    lost({ state: "unconfirmed", elid: "101" }),
    ["retry", "done", "gone"],
  ],
  ["a lost prolong", changing(prolong), ["retry", "never-bought", "done", "gone"]],
  ["a lost suspension", changing({ kind: "suspend", ...of101 }), ["retry", "done", "gone"]],
  ["a refused order", { ...licensed([emptySlot], bought), attention: attentionOf(orderOf()) }, ["retry", "adopt"]],
  ["a refused change", { ...licensed([slot()], bought), attention: attentionOf(prolong) }, ["retry", "gone"]],
])("the repairs of %s", (_, subscription, repairs) => {
  expect(repairsFor(subscription, catalog, now)).toEqual(repairs);
});

test("events that are parsed differently are folded again, and operations stay", () => {
  const wrong = paid("2027-01-01T10:00", { through: "2029-02-01" }, { id: "e1", payment: "p1", items: ["vm-monthly"] });
  const right = paid("2027-01-01T10:00", { through: "2027-02-01" }, { id: "e1", payment: "p1", items: ["vm-monthly"] });
  const backoff = { since: now, until: now, why: "busy", times: 1 };
  const before: Subscription = {
    ...changing(prolong),
    ...licensed([slot()], wrong),
    operationCount: 1,
    parked: [operation({ change: orderOf(), state: "unknown" })],
    exchanges: [now],
    backoff,
  };
  const after = refold(before, [right]);
  expect(after).toEqual({ ...before, payments: subscriptionOf(right).payments });
});
