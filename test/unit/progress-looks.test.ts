import { describe, expect, test } from "vitest";
import { next } from "../../shared/licensing/next.ts";
import type { CallOutcome, Change, Look } from "../../shared/licensing/operation.ts";
import { claim, record, recordLook, type Sighting } from "../../shared/licensing/progress.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { instantPlus } from "../../shared/licensing/time.ts";
import { catalogWith, licensed, orderOf, paid, slot, utc } from "../support/events.ts";

const start = utc("2027-01-10T10:00");
const held = { slot: 1, elid: "101", family: "platform" };
const order = orderOf({ generation: 3 });
const prolong: Change = { ...held, kind: "prolong", plan: "vm-yearly", period: 1, expiry: "2027-03-01" };
const edit: Change = { ...held, kind: "edit", plan: "vm-yearly", addons: { "55165": 4 } };
const [suspend, resume, remove] = (["suspend", "resume", "delete"] as const).map((kind): Change => ({ ...held, kind }));
const done: CallOutcome = { outcome: "done", said: "ok" };
const unknown: CallOutcome = { outcome: "unknown", said: "no answer within 60 s" };

function called(
  change: Change | undefined,
  outcome: CallOutcome,
  slots = [slot({ suspended: change?.kind === "resume" })],
) {
  const intent = { change: change as Change, why: "wanted", before: { expiry: "2027-02-01" } };
  const onto = licensed(slots, paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"] }));
  return record(claim(onto, intent, { params: {}, now: start, deadline: start }), outcome, start);
}

const look = (minutes: number, of: Partial<Look>): Sighting => ({
  at: instantPlus(start, { seconds: minutes * 60 }),
  verdict: "absent",
  saw: "nothing of it",
  ...of,
});

/** Looks at the times at which it asks to be looked at, until it is finished, asks a person or has looked so often. */
function lookWhenDue(subscription: Subscription, of: Partial<Look>, most = 50) {
  let current = subscription;
  const at: number[] = [];
  while (current.operation?.due && !current.attention && at.length < most) {
    at.push((Date.parse(current.operation.due) - Date.parse(start)) / 60_000);
    current = recordLook(current, look(at.at(-1) ?? 0, of));
  }
  return { current, at };
}

describe("seen to be achieved", () => {
  const expiry = "2027-03-01";

  test.each([
    ["an edit", edit, { plan: "vm-yearly", license: { addons: { "55165": 4 }, expiry } }],
    ["a prolong", prolong, { plan: "vm-yearly", license: { expiry } }],
    ["a suspend", suspend, { license: { suspended: true, expiry } }],
    ["a resume", resume, { license: { suspended: false, expiry } }],
  ])("%s changes what is known of its license", (_, change, expected) => {
    const { operation, slots } = recordLook(called(change, done), look(1, { verdict: "achieved", expiry } as Sighting));
    expect(operation).toMatchObject({ state: "finished", outcome: "done" });
    expect(operation).not.toHaveProperty("due");
    expect(slots[0]).toMatchObject(expected);
  });

  test("a delete empties the slot for its next generation", () => {
    const { slots } = recordLook(called(remove, done), look(1, { verdict: "achieved" }));
    expect(slots).toEqual([{ n: 1, generation: 2, product: "vmmanager6", plan: "vm-monthly" }]);
  });

  test("an order gets its expiry", () => {
    const ordered = called(order, { outcome: "done", said: "", elid: "77" }, []);
    const { slots } = recordLook(ordered, look(1, { verdict: "achieved", expiry } as Sighting));
    expect(slots).toMatchObject([{ n: 1, generation: 3, license: { elid: "77", expiry } }]);
  });

  test("an order whose answer was lost gets its license, and is looked at once more for the rest", () => {
    const found = recordLook(called(order, unknown, []), look(1, { verdict: "achieved", elid: "77" } as Sighting));
    expect(found.slots[0]?.license?.elid).toBe("77");
    expect(found.operation).toMatchObject({ state: "unconfirmed", due: look(1, {}).at });
  });

  test("takes back the question that was asked about it, and no other", () => {
    const asked = (operation?: number) => ({
      ...called(suspend, unknown),
      attention: { reason: "odd", since: start, ...(operation && { operation }) },
    });
    expect(recordLook(asked(1), look(1, { verdict: "achieved" })).attention).toBeUndefined();
    expect(recordLook(asked(), look(1, { verdict: "achieved" })).attention).toBeDefined();
  });
});

describe("an unknown purchase that is absent", () => {
  test("is intended again only after half an hour of looks that prove it", () => {
    const { current, at } = lookWhenDue(called(order, unknown, []), { provesAbsence: true });
    expect(current).toMatchObject({ operation: { state: "finished", outcome: "absent" }, pause: { times: 1 } });
    expect(at.length).toBeGreaterThanOrEqual(3);
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
  });

  test("keeps its slot and generation, so that the next order carries the same reference", () => {
    const { current } = lookWhenDue(called(order, unknown, []), { provesAbsence: true });
    const now = current.pause?.until ?? "";
    expect(next(current, catalogWith(), now)).toMatchObject({ change: { kind: "order", slot: 1, generation: 3 } });
  });

  test.each([
    ["looks prove nothing", order, unknown, { provesAbsence: false }],
    ["it lies in the basket", order, { ...unknown, basket: true }, { provesAbsence: true }],
  ])("goes to a person after an hour where %s", (_, change, outcome, of) => {
    const { current, at } = lookWhenDue(called(change, outcome, []), of);
    expect(current.attention).toMatchObject({ operation: 1, reason: expect.stringMatching(/does not prove/) });
    expect(current.operation?.state).toBe("unknown");
    expect(at.at(-1)).toBeGreaterThan(60);
  });

  test("is not absent by looks that saw it in between", () => {
    let current = called(order, unknown, []);
    for (const [minutes, verdict] of [
      [10, "absent"],
      [20, "absent"],
      [30, "pending"],
      [40, "absent"],
      [50, "absent"],
    ] as const) {
      current = recordLook(current, look(minutes, { verdict, provesAbsence: true }));
    }
    expect(current.operation?.state).toBe("unknown");
    expect(recordLook(current, look(60, { provesAbsence: true })).operation?.state).toBe("finished");
  });

  test("of a prolong needs no witness: the license itself shows it", () => {
    const { current, at } = lookWhenDue(called(prolong, unknown), {});
    expect(current.operation).toMatchObject({ state: "finished", outcome: "absent" });
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
  });
});

describe("another unknown change that is absent", () => {
  test.each([
    ["an edit", edit],
    ["a suspend", suspend],
    ["a delete", remove],
  ])("is intended again after two looks: %s", (_, change) => {
    const { current, at } = lookWhenDue(called(change, unknown), {});
    expect(at).toHaveLength(2);
    expect(current).toMatchObject({
      operation: { outcome: "absent" },
      pause: { times: 1 },
      slots: [{ license: { elid: "101" } }],
    });
  });

  test("goes to a person when it came to nothing three times", () => {
    const twice = { ...called(suspend, unknown), pause: { until: start, why: "x", times: 5, absences: 2 } };
    expect(lookWhenDue(twice, {}).current).toMatchObject({
      attention: { operation: 1 },
      pause: { times: 6, absences: 3 },
    });
  });
});

describe("answered ok", () => {
  test("and pending is looked at ever more rarely, and by a person after a day", () => {
    const { current, at } = lookWhenDue(called(suspend, done), {
      verdict: "pending",
      saw: "license 101 is processing",
    });
    expect(at.slice(0, 4).map((minutes) => minutes * 60)).toEqual([0, 2, 7, 22]);
    expect(current.attention?.reason).toBe(
      "operation 1, suspend license 101, is unconfirmed: license 101 is processing",
    );
    expect(at.at(-1)).toBeGreaterThan(24 * 60);
  });

  test.each([
    ["a prolong", prolong],
    ["a suspend", suspend],
  ])("yet absent is never called again, and goes to a person after ten minutes: %s", (_, change) => {
    const { current, at } = lookWhenDue(called(change, done), {});
    expect(current.operation?.state).toBe("unconfirmed");
    expect(current.attention?.reason).toMatch(/answered ok, yet nothing of it/);
    expect(at.at(-1)).toBeGreaterThanOrEqual(10);
    expect(at.at(-1)).toBeLessThan(30);
  });

  test("and contrary goes to a person at once, who may still see it settle by itself", () => {
    const contrary = recordLook(called(suspend, done), look(1, { verdict: "contrary", saw: "license 101 is deleted" }));
    expect(contrary.attention).toMatchObject({ operation: 1, reason: expect.stringMatching(/is deleted/) });
    const settled = recordLook(contrary, look(2, { verdict: "achieved" }));
    expect(settled).toMatchObject({ operation: { state: "finished" } });
    expect(settled.attention).toBeUndefined();
  });
});

describe("a claim that nobody recorded the end of", () => {
  const abandoned = () => {
    const { operation, ...rest } = called(suspend, done);
    return { ...rest, operation: { ...operation, state: "claimed" } } as Subscription;
  };

  test("is unknown from the first look on", () => {
    expect(recordLook(abandoned(), look(1, {})).operation?.state).toBe("unknown");
  });

  test("is finished by a look that sees it achieved", () => {
    expect(recordLook(abandoned(), look(1, { verdict: "achieved" })).operation?.state).toBe("finished");
  });
});

test("a look at what is finished changes nothing", () => {
  const finished = called(suspend, { outcome: "not_sent", said: "x" });
  expect(recordLook(finished, look(1, { verdict: "achieved" }))).toBe(finished);
});

test("no more than twenty looks are kept", () => {
  const { current } = lookWhenDue(called(suspend, done), { verdict: "pending" }, 25);
  expect(current.operation?.looks).toHaveLength(20);
});
