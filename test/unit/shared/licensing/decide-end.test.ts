import { describe, expect, test } from "vitest";
import {
  cancelled,
  cancelScheduled,
  cancelWithdrawn,
  changed,
  decide,
  licensed,
  paid,
  paused,
  slot,
  utc,
} from "../../../support/events.ts";

const sold = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"], payment: "january" });
const ended = [sold, cancelled("2027-01-20T10:00")];
const on = (kind: string, of: object = {}) => ({ kind: "change", change: { kind, elid: "101", ...of } });

describe("the end", () => {
  test("suspends immediately, though the time is paid", () => {
    expect(decide(licensed([slot()], ...ended), "2027-01-20T10:00")).toMatchObject(on("suspend"));
  });

  test("keeps the suspended license for the retention, then deletes it", () => {
    const suspended = licensed([slot({ suspended: true })], ...ended);
    expect(decide(suspended, "2027-02-02")).toMatchObject({ kind: "settled", until: utc("2027-02-03T10:00") });
    expect(decide(suspended, "2027-02-03T10:00")).toMatchObject({
      ...on("delete"),
      why: "ended 2027-01-20T10:00:00.000Z, kept for 14 days",
    });
    expect(decide(suspended, "2027-01-25", { retentionDays: 5 })).toMatchObject({ until: utc("2027-01-25T10:00") });
  });

  test("keeps it as long when the end is stated late, so that it can still be withdrawn", () => {
    const late = licensed([slot({ suspended: true, suspendedAt: utc("2027-02-10T10:00") })], ...ended);
    expect(decide(late, "2027-02-10T11:00")).toMatchObject({ kind: "settled", until: utc("2027-02-24T10:00") });
    expect(decide(late, "2027-02-24T10:00")).toMatchObject(on("delete"));
  });

  test("deletes immediately with the policy delete", () => {
    expect(decide(licensed([slot()], ...ended), "2027-01-20T10:00", { onEnd: "delete" })).toMatchObject(on("delete"));
  });

  test("only stops renewing with the policy lapse, also when the time is over", () => {
    for (const now of ["2027-01-21", "2027-02-02", "2027-08-01"]) {
      expect(decide(licensed([slot()], ...ended), now, { onEnd: "lapse" })).toMatchObject({ kind: "settled" });
    }
  });

  test.each([["paused", paused("2027-01-21")]])(
    "with the policy lapse still suspends a license that is %s",
    (_, event) => {
      const lapsing = licensed([slot()], ...ended, event);
      expect(decide(lapsing, "2027-01-22", { onEnd: "lapse" })).toMatchObject(on("suspend"));
    },
  );

  test("suspends every license", () => {
    const slots = [slot({ plan: "vm-each", suspended: true }), slot({ n: 2, plan: "vm-each" })];
    expect(decide(licensed(slots, ...ended), "2027-01-21")).toMatchObject({ change: { kind: "suspend", slot: 2 } });
  });

  test("treats a replaced license as any other", () => {
    const replaced = [slot(), slot({ n: 2, replaces: { n: 1, generation: 1 } })];
    expect(decide(licensed(replaced, ...ended), "2027-01-21")).toMatchObject(on("suspend"));
  });

  test("wants nothing when the license is gone", () => {
    const { license: _, ...empty } = slot({ generation: 2 });
    expect(decide(licensed([empty], ...ended), "2027-06-01")).toEqual({ kind: "settled" });
  });
});

describe("a scheduled end", () => {
  test("is settled until it comes, then suspends", () => {
    const scheduled = licensed([slot()], sold, cancelScheduled("2027-01-10", "2027-01-25"));
    expect(decide(scheduled, "2027-01-24")).toMatchObject({ kind: "settled", until: utc("2027-01-25") });
    expect(decide(scheduled, "2027-01-25")).toMatchObject(on("suspend"));
  });

  test("without a time comes when the paid time is over, without a grace", () => {
    const scheduled = licensed([slot()], sold, cancelScheduled("2027-01-10"));
    expect(decide(scheduled, "2027-01-31")).toMatchObject({ kind: "settled", until: utc("2027-02-01") });
    expect(decide(scheduled, "2027-02-01")).toMatchObject({ ...on("suspend"), why: `ended ${utc("2027-02-01")}` });
  });

  test("does not come when it is withdrawn", () => {
    const withdrawn = licensed([slot()], sold, cancelScheduled("2027-01-10"), cancelWithdrawn("2027-01-11"));
    expect(decide(withdrawn, "2027-02-01")).toMatchObject({ kind: "settled", until: utc("2027-02-04") });
  });

  test("that has come, and is stated again a moment ahead of the clock, resumes nothing", () => {
    const suspended = [slot({ suspended: true })];
    const early = paid("2027-01-01", { through: "2027-02-01T10:00" }, { items: ["vm-monthly"] });
    const ahead = [cancelScheduled("2027-01-10"), cancelled("2027-02-01T10:00:09")];
    expect(decide(licensed(suspended, early, ...ahead), "2027-02-01T10:00:05")).toMatchObject({
      kind: "settled",
      until: utc("2027-02-01T10:00:09"),
    });
  });

  test("that has come can be withdrawn: the license is resumed", () => {
    const back = licensed([slot({ suspended: true })], ...ended, cancelWithdrawn("2027-01-22"));
    expect(decide(back, "2027-01-22")).toMatchObject(on("resume"));
  });
});

describe("licenses that no item entitles to", () => {
  const three = paid("2027-01-01", { through: "2027-02-01" }, { items: [["vm-each", 3]] });
  const each = (n: number, of: object = {}) => slot({ n, plan: "vm-each", ...of });
  const fewer = changed("2027-01-10", ["vm-each", 1]);

  test("end from the newest on, as the policy defines for an end", () => {
    const slots = [each(1), each(2), each(3)];
    expect(decide(licensed(slots, three, fewer), "2027-01-10")).toMatchObject({
      change: { kind: "suspend", slot: 2 },
      why: "no item entitles to it",
    });
    const deleting = decide(licensed(slots, three, fewer), "2027-01-10", { onEnd: "delete" });
    expect(deleting).toMatchObject({ change: { kind: "delete", slot: 2 } });
  });

  test("are kept for the retention and then deleted", () => {
    const [second, third] = [utc("2027-01-11"), utc("2027-01-12")];
    const slots = [
      each(1),
      each(2, { suspended: true, suspendedAt: second }),
      each(3, { suspended: true, suspendedAt: third }),
    ];
    const surplus = licensed(slots, three, fewer, changed("2027-01-20", ["vm-each", 1]));
    expect(decide(surplus, "2027-01-24")).toEqual({ kind: "settled", until: utc("2027-01-25") });
    expect(decide(surplus, "2027-01-25")).toMatchObject({ change: { kind: "delete", slot: 2 } });
  });

  test("are resumed when the quantity rises within the retention", () => {
    const slots = [each(1), each(2, { suspended: true }), each(3, { suspended: true })];
    const more = changed("2027-01-15", ["vm-each", 2]);
    expect(decide(licensed(slots, three, fewer, more), "2027-01-15")).toMatchObject({
      change: { kind: "resume", slot: 2 },
    });
  });

  test("are deleted only where another one replaced them", () => {
    const slots = [each(1), each(2), each(3, { replaces: { n: 1, generation: 1 } })];
    const two = changed("2027-01-10", ["vm-each", 1]);
    expect(decide(licensed(slots, three, two), "2027-01-10")).toMatchObject({ change: { kind: "suspend", slot: 1 } });
  });

  test("are suspended and kept where no item is left", () => {
    const none = changed("2027-01-10", ["vm-monthly", 0]);
    expect(decide(licensed([slot()], sold, none), "2027-01-10")).toMatchObject(on("suspend"));
  });

  test("are suspended and kept where only an item of another product is left", () => {
    const both = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly", "dci-monthly"] });
    const slots = [slot(), slot({ n: 2, product: "dcimanager6", plan: "dci-monthly", addons: {} })];
    const one = changed("2027-01-10", "dci-monthly");
    expect(decide(licensed(slots, both, one), "2027-01-10")).toMatchObject(on("suspend"));
  });
});
