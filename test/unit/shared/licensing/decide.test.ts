import { describe, expect, test } from "vitest";
import { blockOf } from "../../../../shared/licensing/operation.ts";
import type { Attention, Subscription } from "../../../../shared/licensing/subscription.ts";
import {
  billedBy,
  cancelled,
  changed,
  decide,
  failed,
  licensed,
  operation,
  orderOf,
  paid,
  paused,
  refunded,
  resumed,
  slot,
  subscriptionOf,
  utc,
} from "../../../support/events.ts";

/** Paid for January, with the license that it bought. */
const january = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"], payment: "january" });

describe("an open operation", () => {
  const under = (due: string): Subscription => ({
    ...licensed([slot()], january, cancelled("2027-01-02")),
    operation: operation({
      change: { kind: "suspend", slot: 1, elid: "101", family: "platform" },
      state: "unknown",
      due: utc(due),
    }),
  });

  test("is waited for until it is due", () => {
    expect(decide(under("2027-01-10"), "2027-01-09")).toEqual({
      kind: "wait",
      until: utc("2027-01-10"),
      why: "operation 1 is unknown",
    });
  });

  test.each(["2027-01-10", "2027-01-11"])("is observed when it is due, before any other change (%s)", (now) => {
    const attention: Attention[] = [{ reason: { code: "plan_not_stated" }, since: utc("2027-01-01") }];
    expect(decide({ ...under("2027-01-10"), attention }, now)).toEqual({ kind: "observe", operation: 1 });
  });

  test("holds up nothing once it is finished", () => {
    const { operation: open, ...rest } = under("2027-01-10");
    const finished = { ...rest, operation: { ...operation({ change: open?.change as never }), state: "finished" } };
    expect(decide(finished as Subscription, "2027-01-09")).toMatchObject({
      kind: "change",
      change: { kind: "suspend" },
    });
  });
});

describe("attention", () => {
  const order = orderOf({ addons: { "55165": 1 } });
  const refused: Attention = {
    reason: { code: "refused", change: order, response: "error value" },
    since: utc("2027-01-01"),
    blocks: blockOf(order),
  };

  test("holds up the change that it is about, and no other", () => {
    const held = { ...subscriptionOf(january), attention: [refused] };
    expect(decide(held, "2027-01-02")).toEqual({
      kind: "settled",
      until: utc("2027-02-01"),
      blocked: [refused.blocks],
    });
    const other = changed("2027-01-02", ["vm-monthly", 2]);
    expect(decide({ ...subscriptionOf(january, other), attention: [refused] }, "2027-01-02")).toMatchObject({
      change: { kind: "order", addons: { "55165": 2 } },
    });
  });

  test("with an end holds up nothing from then on", () => {
    const until = utc("2027-01-02T10:00");
    const held = { ...subscriptionOf(january), attention: [{ ...refused, until }] };
    expect(decide(held, "2027-01-02T09:59")).toMatchObject({ kind: "settled", until });
    expect(decide(held, "2027-01-02T10:00")).toMatchObject({ change: { kind: "order" } });
  });

  test.each([
    ["charged back", [refunded("2027-01-05", "january")], "suspend"],
    ["cancelled", [cancelled("2027-01-05")], "suspend"],
    ["paid again", [paid("2027-01-20", { through: "2027-03-01" })], "prolong"],
  ])("F9: for an edit does not hold up a subscription that is %s", (_, events, kind) => {
    const edit = { kind: "edit", slot: 1, elid: "101", family: "platform", plan: "vm-monthly" } as const;
    const change = { ...edit, addons: { "55165": 5 } };
    const attention = [{ ...refused, reason: { ...refused.reason, change }, blocks: blockOf(change) }] as Attention[];
    const held = licensed([slot()], january, changed("2027-01-02", ["vm-monthly", 5]), ...events);
    expect(decide({ ...held, attention }, "2027-01-21")).toMatchObject({ change: { kind } });
  });

  test.each([
    ["charged back", [refunded("2027-01-05", "january")], "suspend"],
    ["paused", [paused("2027-01-05")], "suspend"],
    ["unpaid", [], "suspend"],
    ["cancelled", [cancelled("2027-01-05")], "suspend"],
    ["paid again", [paid("2027-01-20", { through: "2027-03-01" })], "prolong"],
  ])("F9: for an unknown item does not hold up a subscription that is %s", (_, events, kind) => {
    const odd = changed("2027-01-02", "vm-monthly", "vm-weekly");
    const now = events.length > 0 ? "2027-01-21" : "2027-02-05";
    expect(decide(licensed([slot()], january, odd, ...events), now)).toMatchObject({ change: { kind } });
  });

  test("for an unknown item keeps licenses and addons that the item may mean", () => {
    const slots = [
      slot({ n: 1, addons: { "55165": 3 } }),
      slot({ n: 2, product: "dcimanager6", plan: "dci-monthly", addons: {} }),
    ];
    const held = licensed(slots, january, changed("2027-01-02", "vm-monthly", "vm-weekly"));
    expect(decide(held, "2027-01-05")).toEqual({
      kind: "settled",
      until: utc("2027-02-01"),
      attention: [{ code: "unknown_item", storefront: "standard", names: ["vm-weekly"] }],
    });
  });

  test.each([
    ["an unknown plan", [paid("2027-01-01", { months: 1 }, { items: ["vm-weekly"] })], "unknown_item"],
    ["no plan at all", [paid("2027-01-01", { months: 1 })], "plan_not_stated"],
    ["an extra alone", [paid("2027-01-01", { months: 1 }, { items: ["extra-node"] })], "extra_without_plan"],
    ["thousands of licenses", [paid("2027-01-01", { months: 1 }, { items: [["vm-each", 1001]] })], "too_many_licenses"],
    ["a quantity of nothing", [paid("2027-01-01", { months: 1 }, { items: [["vm-monthly", 0]] })], "nothing_sold"],
  ])("is needed for %s", (_, events, code) => {
    expect(decide(subscriptionOf(...events), "2027-01-02")).toMatchObject({ kind: "settled", attention: [{ code }] });
  });

  test("is needed for a payment without a period until another event contains it", () => {
    const first = paid("2027-01-01T10:00", { intervals: 1 }, { items: ["vm-monthly"] });
    expect(decide(subscriptionOf(first), "2027-01-02")).toEqual({
      kind: "settled",
      attention: [{ code: "period_not_stated" }],
    });
    expect(decide(subscriptionOf(first, billedBy("2027-01-01T10:01", 1)), "2027-01-02")).toMatchObject({
      kind: "change",
      change: { kind: "order" },
    });
  });

  test("is not needed for a quantity of nothing once the paid time is over", () => {
    const none = paid("2027-01-01", { months: 1 }, { items: [["vm-monthly", 0]] });
    expect(decide(subscriptionOf(none), "2027-02-02")).not.toHaveProperty("attention");
  });

  test("is not needed for a subscription that has ended, though its plan has left the catalog", () => {
    const gone = licensed([slot()], paid("2027-01-01", { months: 1 }, { items: ["vm-old"] }), cancelled("2027-01-05"));
    expect(decide(gone, "2027-01-06")).toMatchObject({ kind: "change", change: { kind: "suspend" } });
  });

  test("is needed for a license without an expiry", () => {
    const { license: _, ...empty } = slot();
    const unread = {
      ...empty,
      license: { elid: "101", family: "platform", trial: false, suspended: false, addons: { "55165": 1 } },
    };
    expect(decide(licensed([unread], january), "2027-01-02")).toMatchObject({
      kind: "settled",
      attention: [{ code: "expiry_not_shown", elid: "101" }],
    });
  });
});

describe("a backoff", () => {
  const backoff = {
    since: utc("2027-01-02T09:00"),
    until: utc("2027-01-02T10:00"),
    why: "billmgr cannot be reached",
    times: 1,
  };

  test("holds up the changes that are wanted", () => {
    expect(decide({ ...subscriptionOf(january), backoff }, "2027-01-02T09:59")).toEqual({
      kind: "wait",
      until: backoff.until,
      why: backoff.why,
    });
  });

  test("holds up nothing from its end on", () => {
    expect(decide({ ...subscriptionOf(january), backoff }, "2027-01-02T10:00")).toMatchObject({ kind: "change" });
  });

  test("of more than a day needs attention, and the change is tried again", () => {
    const long = { ...backoff, since: utc("2027-01-01T09:00"), until: utc("2027-01-02T10:00") };
    const wanted = { ...subscriptionOf(january), backoff: long };
    expect(decide(wanted, "2027-01-02T08:59")).toMatchObject({ kind: "wait" });
    expect(decide(wanted, "2027-01-02T09:00")).toMatchObject({
      kind: "wait",
      attention: [{ code: "backing_off", since: utc("2027-01-01T09:00"), why: "billmgr cannot be reached" }],
    });
    expect(decide(wanted, "2027-01-02T10:00")).toMatchObject({ kind: "change" });
  });

  test("holds up nothing where nothing is wanted", () => {
    expect(decide({ ...licensed([slot()], january), backoff }, "2027-01-02T09:00")).toMatchObject({ kind: "settled" });
  });
});

describe("a settled subscription", () => {
  test("has no next moment where nothing is known", () => {
    expect(decide(subscriptionOf(), "2027-01-01")).toStrictEqual({ kind: "settled" });
  });

  test("has no next moment where nothing was ever paid", () => {
    expect(decide(subscriptionOf(changed("2027-01-01", "vm-monthly")), "2027-01-02")).toEqual({ kind: "settled" });
  });

  test("is decided again at the end of the paid time", () => {
    expect(decide(licensed([slot()], january), "2027-01-02")).toEqual({ kind: "settled", until: utc("2027-02-01") });
  });

  test("is decided again at the end of the grace", () => {
    expect(decide(licensed([slot()], january), "2027-02-01")).toEqual({ kind: "settled", until: utc("2027-02-04") });
  });
});

describe("withholding", () => {
  const wants = { kind: "change", change: { kind: "suspend", elid: "101" } };

  test.each([
    ["paused", [paused("2027-01-05")], "2027-01-05", "paused"],
    ["refunded", [refunded("2027-01-05", "january")], "2027-01-05", "its payment was taken back"],
    ["unpaid past the grace", [], "2027-02-04", "unpaid since 2027-02-01T00:00:00.000Z"],
    [
      "failing past the grace",
      [failed("2027-02-01T01:00")],
      "2027-02-04T01:00",
      "unpaid since 2027-02-01T00:00:00.000Z",
    ],
  ])("%s suspends", (_, events, now, why) => {
    expect(decide(licensed([slot()], january, ...events), now)).toMatchObject({ ...wants, why });
  });

  test.each([
    ["within the grace", [], "2027-02-03T23:59"],
    [
      "refunded and the refund reversed",
      [refunded("2027-01-05", "january"), refunded("2027-01-06", "january", { reversed: true })],
      "2027-01-07",
    ],
    ["paused and resumed", [paused("2027-01-05"), resumed("2027-01-06")], "2027-01-07"],
    [
      "an earlier payment refunded",
      [paid("2027-01-20", { through: "2027-03-01" }), refunded("2027-01-21", "january")],
      "2027-01-22",
    ],
  ])("%s does not suspend", (_, events, now) => {
    const here = slot({ expiry: "2027-03-01" });
    expect(decide(licensed([here], january, ...events), now)).toMatchObject({ kind: "settled" });
  });

  test("suspends once", () => {
    const withheld = licensed([slot({ suspended: true })], january, paused("2027-01-05"));
    expect(decide(withheld, "2027-01-06")).toMatchObject({ kind: "settled" });
  });

  test("suspends every license, one after another", () => {
    const slots = [slot({ n: 1, plan: "vm-each", suspended: true }), slot({ n: 2, plan: "vm-each" })];
    const each = paid("2027-01-01", { through: "2027-02-01" }, { items: [["vm-each", 2]] });
    expect(decide(licensed(slots, each, paused("2027-01-05")), "2027-01-06")).toMatchObject({
      change: { kind: "suspend", slot: 2, elid: "102" },
    });
  });
});
