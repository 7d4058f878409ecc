import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Change } from "../../shared/licensing/operation.ts";
import { claim, record, recordObservation } from "../../shared/licensing/operation-lifecycle.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { instantPlus } from "../../shared/licensing/time.ts";
import { explore } from "./explore.ts";
import { type Constants, Model, readModel, type Source } from "./quint.ts";

const text = readFileSync(new URL("exactly-once.qnt", import.meta.url), "utf8");
const source = readModel(text);
const timeout = 60_000;

type Within = { effectWithin: number; runWithin: number; skew: number };

/** The least wait before an absence is believed that is safe, as docs/model.md derives it. */
const leastWait = ({ effectWithin, runWithin, skew }: Within): number => effectWithin + runWithin + skew + 1;

const constantsOf = (within: Within) => ({
  ...within,
  absentAfter: leastWait(within),
  absences: 1,
  wrongReads: 0,
  restores: true,
});
const tiny = constantsOf({ effectWithin: 1, runWithin: 0, skew: 0 });
const small = constantsOf({ effectWithin: 1, runWithin: 1, skew: 1 });
const larger = { ...constantsOf({ effectWithin: 2, runWithin: 1, skew: 1 }), absences: 3 };

const violationOf = (constants: Constants, model: Source = source) => explore(new Model(model, constants)).violation;

const guard = "isFree, not(workers.get(w).saw),";

/** The model with one piece of its text replaced. */
function modelWith(from: string, to: string): Source {
  expect(text.split(from), from).toHaveLength(2);
  return readModel(text.replace(from, to));
}

describe("the protocol", () => {
  test.for([small, larger, { ...larger, restores: false }])(
    "buys once and is never stuck: %o",
    { timeout },
    (constants) => {
      const model = new Model(source, constants);
      const { violation, stuck, taken } = explore(model);
      expect(violation).toBeUndefined();
      expect(stuck).toEqual([]);
      expect([...taken].sort()).toEqual(
        model.actions.filter((name) => name !== "restore" || constants.restores).sort(),
      );
    },
  );

  test("buys once with three workers", { timeout }, () => {
    expect(violationOf(tiny, modelWith("Set(1, 2).mapBy", "Set(1, 2, 3).mapBy"))).toBeUndefined();
  });
});

describe("the wait before an absence is believed", () => {
  const all = [0, 1, 2].flatMap((effectWithin) =>
    [0, 1].flatMap((runWithin) => [0, 1].map((skew) => ({ effectWithin, runWithin, skew }))),
  );

  test.for(all)("is safe from the least one on: %o", { timeout }, (within) => {
    const constants = constantsOf(within);
    expect(violationOf(constants)).toBeUndefined();
    expect(violationOf({ ...constants, absentAfter: constants.absentAfter - 1 })).toBeDefined();
  });

  test.for([
    { what: "there is no guard", wrongReads: 0, guard: "isFree," },
    { what: "a read can be wrong", wrongReads: 1, guard },
  ])("has to be longer by a run where $what", { timeout }, ({ wrongReads, guard: changed }) => {
    const constants = { ...constantsOf({ effectWithin: 0, runWithin: 1, skew: 0 }), wrongReads, restores: false };
    const model = modelWith(guard, changed);
    const longer = constants.absentAfter + constants.runWithin;
    expect(violationOf({ ...constants, absentAfter: longer }, model)).toBeUndefined();
    expect(violationOf({ ...constants, absentAfter: longer - 1 }, model)).toBeDefined();
  });

  test("is long enough in the code, for what is assumed of billmgr, the function, and the clocks", () => {
    const minutes = { effectWithin: 25, runWithin: 3, skew: 1 };
    expect(minutesUntilBelieved()).toBeGreaterThanOrEqual(leastWait(minutes));
  });
});

/** The age at which the code believes that an order whose reply was lost is absent. */
function minutesUntilBelieved(): number {
  const now = "2027-01-01T00:00:00.000Z";
  const at = (minute: number) => instantPlus(now, { seconds: minute * 60 });
  const change: Change = {
    kind: "order",
    slot: 1,
    generation: 1,
    plan: "vm-monthly",
    product: "vmmanager6",
    family: "platform",
    pricelist: 55163,
    period: 1,
    addons: {},
    autoprolong: null,
    trial: false,
  };
  const intent = { change, why: "paid", before: {} };
  const claimed = claim(newSubscription("standard", "s1"), intent, { params: {}, now, deadline: at(1) });
  let subscription = record(claimed, { outcome: "unknown", response: "no response" }, now);
  for (let minute = 1; minute < 100; minute++) {
    const observation = { at: at(minute), verdict: "absent" as const, evidence: "none", provesAbsence: true };
    subscription = recordObservation(subscription, observation);
    if (subscription.operation?.outcome === "absent") return minute;
  }
  throw new Error("an absence is never believed");
}

/** Ways in which the protocol, or an operator, could be wrong. */
const mutations = [
  {
    what: "calls without a claim",
    from: "workers.get(w).phase == Claimer,\n    table' = table",
    to: "hasLooked(w), not(workers.get(w).saw),\n    table' = table",
  },
  {
    what: "claims whatever is stored by then",
    from: "hasLooked(w), isFree, not",
    to: "workers.get(w).phase == Looked, isFree, not",
  },
  {
    what: "claims again what a dead worker claimed",
    from: "isFree, not(",
    to: "table.state.in(Set(Free, Claimed)), not(",
  },
  {
    what: "repeats a call without a reply",
    from: "| Lost => { ...table, state: Unknown, age: 0 }",
    to: "| Lost => free",
  },
  { what: "believes an absence immediately", from: " and table.age + drift >= absentAfter", to: "" },
  { what: "takes every error for a refusal", from: "val isSettled = reply == Refused or", to: "val isSettled =" },
  { what: "orders again what is in the cart", from: "| Cart => { ...free, state: InCart }", to: "| Cart => free" },
  {
    what: "believes the absence of what is in the cart",
    from: "state == Claimed or state == Unknown",
    to: "state == Claimed or state == Unknown or state == InCart",
  },
  { what: "has no guard when the table is restored", from: guard, to: "isFree," },
  {
    what: "is restored while a worker runs",
    from: "workers.keys().forall(w => workers.get(w).phase == Idle), billmgr.calls",
    to: "billmgr.calls",
  },
  {
    what: "is restored while a call may have an effect",
    from: "billmgr.calls == [], billmgr.cart == 0,",
    to: "billmgr.cart == 0,",
  },
  {
    what: "is restored while the cart is not empty",
    from: "billmgr.calls == [], billmgr.cart == 0,",
    to: "billmgr.calls == [],",
  },
  { what: "is resolved while a worker is about to call", from: ", callers == Set(),", to: "," },
  { what: "is resolved while a call may have an effect", from: ", billmgr.calls == [], callers", to: ", callers" },
  { what: "is resolved while the cart is not empty", from: "{ ...billmgr, cart: 0 }", to: "billmgr" },
];

test.for(mutations)("is found: a protocol that $what", { timeout }, ({ from, to }) => {
  expect(violationOf(tiny, modelWith(from, to))).toBeDefined();
});

test.for([
  { what: "billmgr acts later than is assumed", ...tiny, effectWithin: tiny.effectWithin + 1 },
  { what: "a worker runs longer than is assumed", ...tiny, runWithin: tiny.runWithin + 1 },
  { what: "clocks differ by more than is assumed", ...tiny, skew: tiny.skew + 1 },
  { what: "the guard's read is wrong after a restore", ...tiny, wrongReads: 1 },
  { what: "two reads are wrong, however many are made", ...tiny, wrongReads: 2, restores: false, absences: 3 },
])("buys twice where $what", { timeout }, ({ what: _, ...constants }) => {
  expect(violationOf(constants)).toBeDefined();
});
