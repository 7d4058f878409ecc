import { describe, expect, test } from "vitest";
import {
  cancelled,
  changed,
  decide,
  licensed,
  orderOf,
  paid,
  paused,
  refunded,
  resumed,
  slot,
  subscriptionOf,
  utc,
} from "../../../support/events.ts";

const january = { through: "2027-02-01" };
const order = (of: object) => ({ kind: "change", change: { kind: "order", ...of } });

describe("an order", () => {
  test("is made for what is paid, as the plan defines", () => {
    const sold = subscriptionOf(paid("2027-01-01", january, { items: [["vm-monthly", 4]] }));
    expect(decide(sold, "2027-01-01T00:01")).toEqual({
      kind: "change",
      why: "paid through 2027-02-01T00:00:00.000Z",
      change: orderOf({
        addons: { "55165": 4 },
        spends: { from: utc("2027-01-01T00:01"), to: utc("2027-02-01T00:01") },
      }),
    });
  });

  test.each([
    ["paused", [paused("2027-01-02")]],
    ["refunded", [refunded("2027-01-02", "p")]],
    ["ended", [cancelled("2027-01-02")]],
  ])("is not made when %s", (_, events) => {
    const sold = subscriptionOf(paid("2027-01-01", january, { items: ["vm-monthly"], payment: "p" }), ...events);
    expect(decide(sold, "2027-01-03")).toMatchObject({ kind: "settled" });
  });

  test("is not made for time that is over", () => {
    const sold = subscriptionOf(paid("2027-01-01", january, { items: ["vm-monthly"] }));
    expect(decide(sold, "2027-01-31T23:59")).toMatchObject(order({ slot: 1 }));
    expect(decide(sold, "2027-02-01")).not.toMatchObject(order({}));
  });

  test("comes before what the other licenses need", () => {
    const both = paid("2027-01-01", { through: "2027-05-01" }, { items: ["vm-monthly", "dci-monthly"] });
    const held = licensed([slot({ expiry: "2027-02-01", addons: {} })], both);
    expect(decide(held, "2027-01-02")).toMatchObject(order({ slot: 2, product: "dcimanager6" }));
  });

  test("is made again for the same slot and generation where an earlier one had no effect", () => {
    const { license: _, ...empty } = slot({ n: 1, generation: 3 });
    const again = licensed([empty], paid("2027-01-01", january, { items: ["vm-monthly"] }));
    expect(decide(again, "2027-01-02")).toMatchObject(order({ slot: 1, generation: 3 }));
  });

  test("contains what the extras add to the plan", () => {
    const items: [string, number][] = [
      ["vm-monthly", 2],
      ["extra-node", 3],
      ["extra-machines", 2],
    ];
    const sold = subscriptionOf(paid("2027-01-01", january, { items }));
    expect(decide(sold, "2027-01-02")).toMatchObject(order({ addons: { "55165": 5, "55164": 20 } }));
  });

  test("of licenses by quantity is made for each, one after another", () => {
    const three = paid("2027-01-01", january, { items: [["vm-each", 3]] });
    const slots = [slot({ n: 1, plan: "vm-each" }), slot({ n: 2, plan: "vm-each" })];
    expect(decide(subscriptionOf(three), "2027-01-02")).toMatchObject(order({ slot: 1, addons: { "55165": 1 } }));
    expect(decide(licensed(slots, three), "2027-01-02")).toMatchObject(order({ slot: 3, generation: 1 }));
  });
});

describe("after a gap in the payments", () => {
  const before = paid("2027-01-01", january, { items: ["vm-monthly"] });
  const lapsed = slot({ suspended: true });

  test("F5: the license that lapsed is replaced: the time in which nobody paid is not bought", () => {
    const again = paid("2027-07-01", { through: "2027-08-01" });
    expect(decide(licensed([lapsed], before, again), "2027-07-01")).toMatchObject(
      order({ slot: 2, replaces: { n: 1, generation: 1 } }),
    );

    const taken = slot({ n: 2, expiry: "2027-08-01", replaces: { n: 1, generation: 1 } });
    expect(decide(licensed([lapsed, taken], before, again), "2027-07-01")).toMatchObject({
      change: { kind: "delete", slot: 1, elid: "101" },
    });
  });

  test.each([
    ["of some days", "2027-02-06", "2027-03-06"],
    ["of half a period", "2027-02-15", "2027-03-15"],
  ])("F5: %s, the license is replaced, or prolonged with policy.late", (_, at, through) => {
    const again = licensed([lapsed], before, paid(at, { through }));
    expect(decide(again, at)).toMatchObject(order({ slot: 2, replaces: { n: 1 } }));
    const prolong = { kind: "prolong", slot: 1, expiry: "2027-03-01" };
    expect(decide(again, at, { late: "prolong" })).toMatchObject({ change: prolong });
  });

  test("F5: no longer than the slack, the license is prolonged", () => {
    const again = paid("2027-02-04", { through: "2027-03-04" });
    const late = licensed([lapsed], before, again);
    expect(decide(late, "2027-02-04", { graceDays: 0 })).toMatchObject({ change: { kind: "prolong" } });
    expect(decide(late, "2027-02-04", { graceDays: 0, slackDays: 0 })).toMatchObject(order({ slot: 2 }));
  });

  test("so long that a prolonged license would not reach the present, it is replaced even with policy.late", () => {
    const again = paid("2027-03-02", { through: "2027-04-02" });
    const long = licensed([lapsed], before, again);
    expect(decide(long, "2027-03-02", { late: "prolong" })).toMatchObject(order({ slot: 2 }));
  });

  test("with fixed due dates, a late payment pays from its due date", () => {
    const again = paid("2027-02-09", { through: "2027-03-01" });
    expect(decide(licensed([lapsed], before, again), "2027-02-09")).toMatchObject({
      change: { kind: "prolong", expiry: "2027-03-01", spends: { from: utc("2027-02-01"), to: utc("2027-03-01") } },
    });
  });

  test("counts in months where the plan has left the catalog", () => {
    const again = paid("2027-07-01", { through: "2027-08-01" });
    expect(decide(licensed([slot({ plan: "vm-old" })], before, again), "2027-07-01")).toMatchObject(order({ slot: 2 }));
  });

  test("orders nothing in the grace after the paid time", () => {
    const again = paid("2027-07-01", { through: "2027-08-01" });
    expect(decide(licensed([lapsed], before, again), "2027-08-02")).toMatchObject({ kind: "settled" });
  });

  test("that is paid late is none: the license is prolonged", () => {
    const debt = paid("2027-02-20", { from: "2027-02-01", through: "2027-03-01" });
    expect(decide(licensed([lapsed], before, debt), "2027-02-20")).toMatchObject({ change: { kind: "prolong" } });
  });

  test("F16: that is paid after more than a period is not bought: the license is replaced", () => {
    const debt = paid("2027-07-01", { from: "2027-02-01", through: "2027-08-01" });
    expect(decide(licensed([lapsed], before, debt), "2027-07-01")).toMatchObject(
      order({ slot: 2, spends: { from: utc("2027-07-01"), to: utc("2027-08-01") } }),
    );
  });
});

describe("a time that is paid and has not begun", () => {
  const ahead = paid("2027-01-01", { from: "2027-02-15", through: "2027-03-15" }, { items: ["vm-monthly"] });

  test("is bought once", () => {
    const held = licensed([slot()], ahead);
    expect(decide(held, "2027-01-01")).not.toMatchObject(order({}));
  });
});

test("five years ahead are believed, and not a day more", () => {
  const through = (day: string) => subscriptionOf(paid("2027-01-01", { through: day }, { items: ["vm-monthly"] }));
  expect(decide(through("2032-01-05T10:00"), "2027-01-01")).toMatchObject(order({}));
  expect(decide(through("2032-01-06"), "2027-01-01")).toMatchObject({
    kind: "settled",
    attention: [{ code: "paid_too_far_ahead" }],
  });
});

test("a time too far ahead to be believed needs attention", () => {
  const mistyped = subscriptionOf(paid("2027-01-01", { through: "2127-02-01" }, { items: ["vm-monthly"] }));
  expect(decide(mistyped, "2027-01-01")).toMatchObject({
    kind: "settled",
    attention: [{ code: "paid_too_far_ahead", through: utc("2127-02-01") }],
  });
});

describe("a trial", () => {
  const trial = paid("2027-01-01", { through: "2027-01-15" }, { items: ["vm-trial"], trial: true });
  const first = paid("2027-01-15", { through: "2027-02-15" });
  const trialSlot = slot({ plan: "vm-trial", trial: true, expiry: "2027-01-15" });

  test("is ordered by the trial's period where the plan names one", () => {
    expect(decide(subscriptionOf(trial), "2027-01-01")).toMatchObject(order({ trial: true, period: -100 }));
  });

  test("is an ordinary license where the plan names none", () => {
    const sold = subscriptionOf(paid("2027-01-01", { through: "2027-01-15" }, { items: ["vm-monthly"], trial: true }));
    expect(decide(sold, "2027-01-01")).toMatchObject(order({ trial: false, period: 1 }));
  });

  test("is not ordered for a payment of nothing that is no trial", () => {
    const discounted = subscriptionOf(paid("2027-01-01", january, { items: ["vm-trial"] }));
    expect(decide(discounted, "2027-01-01")).toMatchObject(order({ trial: false, period: 1 }));
  });

  test("is a trial after a paid time as well, once that is over", () => {
    const was = paid("2027-01-01", january, { items: ["vm-trial"] });
    const again = paid("2027-01-20", { from: "2027-01-20", through: "2027-02-20" }, { trial: true });
    const late = [was, again];
    expect(decide(subscriptionOf(...late), "2027-01-31")).toMatchObject(order({ trial: false, period: 1 }));
    expect(decide(subscriptionOf(...late), "2027-02-01")).toMatchObject(order({ trial: true, period: -100 }));
    expect(decide(subscriptionOf(...late), "2027-02-02")).toMatchObject(order({ trial: true, period: -100 }));
  });

  test("is replaced by the license of its own product", () => {
    const other = slot({ n: 1, product: "dcimanager6", plan: "dci-monthly", addons: {} });
    const held = licensed([other, slot({ n: 2, plan: "vm-trial", trial: true, expiry: "2027-01-15" })], trial, first);
    expect(decide(held, "2027-01-15")).toMatchObject(order({ slot: 3, replaces: { n: 2, generation: 1 } }));
  });

  test("is never prolonged, though more trial is given", () => {
    const longer = paid("2027-01-10", { through: "2027-06-15" }, { trial: true });
    expect(decide(licensed([trialSlot], trial, longer), "2027-01-14")).toMatchObject({ kind: "settled" });
  });

  test("is replaced by a paid license: that is ordered first, then the trial is deleted", () => {
    const paidFor = licensed([trialSlot], trial, first);
    expect(decide(paidFor, "2027-01-15")).toMatchObject(order({ slot: 2, trial: false, period: 1 }));

    const replaced = {
      ...paidFor,
      slots: [trialSlot, slot({ n: 2, plan: "vm-trial", expiry: "2027-02-15", replaces: { n: 1, generation: 1 } })],
    };
    expect(decide(replaced, "2027-01-15")).toMatchObject({
      kind: "change",
      change: { kind: "delete", slot: 1, elid: "101" },
      why: "another license replaced it",
    });
  });

  test("stays while the paid license cannot be ordered", () => {
    const paidFor = licensed([trialSlot], trial, first, paused("2027-01-15T00:01"));
    expect(decide(paidFor, "2027-01-15T01:00")).toMatchObject({ change: { kind: "suspend", slot: 1 } });
  });
});

describe("a payment after the end", () => {
  const was = [paid("2027-01-01", january, { items: ["vm-monthly"] }), cancelled("2027-01-20")];
  const again = paid("2027-02-20", { through: "2027-03-20" });

  test("orders in the next generation where the license was deleted", () => {
    const { license: _, ...empty } = slot({ generation: 2 });
    expect(decide(licensed([empty], ...was, again), "2027-02-20")).toMatchObject(order({ slot: 1, generation: 2 }));
  });

  test("prolongs the license that is still kept", () => {
    const kept = licensed([slot({ suspended: true, expiry: "2027-02-20" })], ...was, again);
    expect(decide(kept, "2027-02-20")).toMatchObject({ change: { kind: "prolong", expiry: "2027-03-20" } });
  });

  test("changes nothing where it pays a time before the end", () => {
    const late = paid("2027-01-21", { through: "2027-01-10" });
    expect(decide(licensed([slot()], ...was, late), "2027-01-22")).toMatchObject({ change: { kind: "suspend" } });
  });

  test("is not implied by a resumption: the end stays", () => {
    expect(decide(licensed([slot()], ...was, resumed("2027-01-21")), "2027-01-22")).toMatchObject({
      change: { kind: "suspend" },
    });
  });
});

describe("time that was spent on the license before", () => {
  const ahead = paid("2027-01-01", { through: "2027-05-01" }, { items: ["vm-monthly"] });
  const turned = changed("2027-01-20", "dci-monthly");

  test.each([["2027-01-21"], ["2027-02-01"], ["2027-05-01"]])(
    "through %s is exchanged, and not spent again",
    (spent) => {
      const held = licensed([{ ...slot({ expiry: spent }), spentThrough: utc(spent) }], ahead, turned);
      const decision = decide(held, "2027-01-20");
      expect(decision).toMatchObject(order({ product: "dcimanager6" }));
      expect(decision).not.toHaveProperty("change.spends");
    },
  );

  test("and is over is not: the order spends the next", () => {
    const held = licensed([{ ...slot({ expiry: "2027-01-20" }), spentThrough: utc("2027-01-20") }], ahead, turned);
    expect(decide(held, "2027-01-20T10:00")).toMatchObject(
      order({ spends: { from: utc("2027-01-20T10:00"), to: utc("2027-02-20T10:00") } }),
    );
  });

  test("is exchanged as often as the limit allows", () => {
    const held = licensed([slot()], ahead, turned);
    const exchanges = ["2026-12-21", "2027-01-10", "2027-01-19"].map(utc);
    const limited = decide({ ...held, exchanges }, "2027-01-20");
    expect(limited).toMatchObject({ attention: [{ code: "exchange_limit", limit: 3, change: { kind: "order" } }] });
    expect(limited).not.toMatchObject(order({}));
    expect(decide({ ...held, exchanges: [utc("2026-12-19"), ...exchanges.slice(1)] }, "2027-01-20")).toMatchObject(
      order({}),
    );
  });

  test("of a license that was lost is exchanged as well", () => {
    const { license: _, ...empty } = slot({ generation: 2 });
    const lost = licensed([{ ...empty, spentThrough: utc("2027-05-01") }], ahead);
    expect(decide(lost, "2027-01-20")).toMatchObject(order({ slot: 1, generation: 2 }));
    expect(decide(lost, "2027-01-20")).not.toHaveProperty("change.spends");
  });
});

describe("another product", () => {
  const sold = paid("2027-01-01", january, { items: ["vm-monthly"] });
  const turned = changed("2027-01-10", "dci-monthly");

  test("is ordered before the old license goes", () => {
    expect(decide(licensed([slot()], sold, turned), "2027-01-10")).toMatchObject(
      order({ slot: 2, pricelist: 55161, replaces: { n: 1, generation: 1 } }),
    );
  });

  test("has the old license deleted once the new one is there", () => {
    const taken = { replaces: { n: 1, generation: 1 } };
    const slots = [slot(), slot({ n: 2, product: "dcimanager6", plan: "dci-monthly", addons: {}, ...taken })];
    expect(decide(licensed(slots, sold, turned), "2027-01-10")).toMatchObject({
      change: { kind: "delete", slot: 1, elid: "101" },
    });
  });

  test("keeps the old license until the new one is resumed", () => {
    const old = slot({ n: 1 });
    const back = slot({
      n: 2,
      product: "dcimanager6",
      plan: "dci-monthly",
      replaces: { n: 1, generation: 1 },
      addons: {},
    });
    const sold = paid("2027-01-01", { through: "2027-02-01" }, { items: ["dci-monthly"] });
    const resting = { ...back, license: { ...back.license, suspended: true } } as typeof back;
    expect(decide(licensed([old, resting], sold), "2027-01-10")).toMatchObject({
      change: { kind: "resume", elid: "102" },
    });
    expect(decide(licensed([old, back], sold), "2027-01-10")).toMatchObject({
      change: { kind: "delete", elid: "101" },
    });
    const over = licensed([old, resting], sold, cancelled("2027-01-09"));
    expect(decide(over, "2027-01-10")).toMatchObject({ change: { kind: "suspend", elid: "101" } });
  });

  test("is ordered for each license that goes, one after another", () => {
    const two = paid("2027-01-01", january, { items: ["vm-monthly", "vm-monthly"] });
    const both = changed("2027-01-10", "dci-monthly", "dci-monthly");
    const first = { n: 3, product: "dcimanager6", plan: "dci-monthly", addons: {}, replaces: { n: 1, generation: 1 } };
    const slots = [slot({ n: 1 }), slot({ n: 2 }), slot(first)];
    expect(decide(licensed(slots, two, both), "2027-01-10")).toMatchObject(
      order({ slot: 4, replaces: { n: 2, generation: 1 } }),
    );
  });

  test("is ordered where the catalog has another product under the plan's name", () => {
    const renamed = slot({ product: "vmmanager5" });
    expect(decide(licensed([renamed], sold), "2027-01-10")).toMatchObject(
      order({ slot: 2, product: "vmmanager6", replaces: { n: 1, generation: 1 } }),
    );
  });

  test.each([
    ["withheld", paused("2027-01-11"), "suspend"],
    ["refunded", refunded("2027-01-11", "payment of 2027-01-01"), "suspend"],
  ])("never has the old license deleted while the new one is missing: %s", (_, event, kind) => {
    expect(decide(licensed([slot()], sold, turned, event), "2027-01-12")).toMatchObject({ change: { kind, slot: 1 } });
    const suspended = licensed([slot({ suspended: true })], sold, turned, event);
    expect(decide(suspended, "2027-01-12")).toMatchObject({ kind: "settled" });
  });

  test("in the unpaid grace neither orders the new license nor deletes the old one", () => {
    expect(decide(licensed([slot()], sold, turned), "2027-02-02")).toMatchObject({ kind: "settled" });
  });
});
