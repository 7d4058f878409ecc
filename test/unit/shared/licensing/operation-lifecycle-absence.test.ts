import { describe, expect, test } from "vitest";
import { decide } from "../../../../shared/licensing/decide.ts";
import type { CallOutcome } from "../../../../shared/licensing/operation.ts";
import { recordBalance, recordObservation, retryAfterTopUp } from "../../../../shared/licensing/operation-lifecycle.ts";
import { catalogWith, subscriptionOf, utc } from "../../../support/events.ts";
import {
  called,
  codesOf,
  edit,
  observation,
  observeWhenDue,
  order,
  prolong,
  remove,
  start,
  suspend,
  textsOf,
  unknown,
} from "../../../support/operations.ts";

describe("an unknown purchase that is absent", () => {
  test("is wanted again only after half an hour of observations that prove it", () => {
    const { current, at } = observeWhenDue(called(order, unknown, []), { provesAbsence: true });
    expect(current).toMatchObject({ operation: { state: "finished", outcome: "absent" }, backoff: { times: 1 } });
    expect(at.length).toBeGreaterThanOrEqual(3);
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
  });

  test("counts the half hour from the end of the call", () => {
    const slow = called(order, unknown, [], 5);
    const observations = (last: number) =>
      [10, 20, last].reduce((held, at) => recordObservation(held, observation(at, { provesAbsence: true })), slow)
        .operation?.outcome;
    expect([observations(34), observations(35)]).toEqual([undefined, "absent"]);
  });

  test("needs attention after the third time, with the response and the evidence", () => {
    const { current } = observeWhenDue(called(order, unknown, []), { provesAbsence: true });
    expect(current.backoff?.why).toBe("order vmmanager6 for a month had no effect (no answer within 60 s)");
    expect(current.attention).toBeUndefined();
    const twice = {
      ...called(order, unknown, []),
      backoff: { since: "2027-01-10T00:00:00.000Z", until: start, why: "x", times: 5, absences: 2 },
    };
    const third = observeWhenDue(twice, { provesAbsence: true, evidence: "nothing of it" }).current;
    expect(third.attention).toMatchObject([
      {
        reason: { code: "no_effect", response: "no answer within 60 s", evidence: "nothing of it" },
        blocks: { kind: "order" },
      },
    ]);
  });

  test("needs attention only after more than an hour of absence", () => {
    const absent = [10, 20, 70].reduce(
      (held, at) => recordObservation(held, observation(at, {})),
      called(order, unknown, []),
    );
    expect(absent.attention).toBeUndefined();
    expect(codesOf(recordObservation(absent, observation(71, {})))).toEqual(["absence_not_proved"]);
  });

  test("is observed after 1, 2, 4, 9, 19 minutes, and then ever more rarely", () => {
    const { at } = observeWhenDue(called(order, unknown, []), { verdict: "pending" });
    expect(at.slice(0, 6)).toEqual([1, 2, 4, 9, 19, 34]);
  });

  test("keeps its slot and generation, so that the next order carries the same reference", () => {
    const { current } = observeWhenDue(called(order, unknown, []), { provesAbsence: true });
    const now = current.backoff?.until ?? "";
    expect(decide(current, catalogWith(), now)).toMatchObject({ change: { kind: "order", slot: 1, generation: 3 } });
  });

  test("needs attention after an hour where no observation proves it, and says where to search", () => {
    const { current, at } = observeWhenDue(called(order, unknown, []), { provesAbsence: false });
    expect(current.attention).toMatchObject([
      {
        operation: 1,
        reason: {
          code: "absence_not_proved",
          where: expect.stringMatching(/^Look for bw-1 .* since 2027-01-10T10:00/),
        },
      },
    ]);
    expect(current.operation?.state).toBe("unknown");
    expect(at.at(-1)).toBeGreaterThan(60);
  });

  test("F3: needs attention immediately where it may be in the cart, and is never proved absent", () => {
    const inCart = called(order, { ...unknown, inCart: true }, []);
    let { current } = observeWhenDue(inCart, { provesAbsence: true });
    expect(current.attention).toMatchObject([{ reason: { code: "in_cart" }, operation: 1 }]);
    expect(current.operation?.observations).toHaveLength(1);
    for (const minutes of [10, 40, 100, 2000])
      current = recordObservation(current, observation(minutes, { provesAbsence: true }));
    expect(current.operation?.state).toBe("unknown");
    expect(decide(current, catalogWith(), observation(2000, {}).at)).not.toMatchObject({ kind: "change" });
  });

  test("is not absent by earlier proofs when the last observation proves nothing: billmgr could still be at work", () => {
    let current = called(order, unknown, []);
    for (const minutes of [1, 2, 4])
      current = recordObservation(current, observation(minutes, { provesAbsence: true }));
    current = recordObservation(current, observation(40, { provesAbsence: false }));
    expect(current.operation?.state).toBe("unknown");
    expect(recordObservation(current, observation(50, { provesAbsence: true })).operation?.outcome).toBe("absent");
  });

  test("is not absent when an observation in between showed it", () => {
    let current = called(order, unknown, []);
    for (const [minutes, verdict] of [
      [10, "absent"],
      [20, "absent"],
      [30, "pending"],
      [40, "absent"],
      [50, "absent"],
    ] as const) {
      current = recordObservation(current, observation(minutes, { verdict, provesAbsence: true }));
    }
    expect(current.operation?.state).toBe("unknown");
    expect(recordObservation(current, observation(60, { provesAbsence: true })).operation?.state).toBe("finished");
  });

  test("of a prolong is proved by its license alone", () => {
    const { current, at } = observeWhenDue(called(prolong, unknown), {});
    expect(current.operation).toMatchObject({ state: "finished", outcome: "absent" });
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
  });
});

describe("another unknown change that is absent", () => {
  test.each([
    ["an edit", edit],
    ["a suspend", suspend],
    ["a delete", remove],
  ])("is wanted again after half an hour: %s", (_, change) => {
    const { current, at } = observeWhenDue(called(change, unknown), {});
    expect(at.length).toBeGreaterThanOrEqual(3);
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
    expect(current).toMatchObject({
      operation: { outcome: "absent" },
      backoff: { times: 1 },
      slots: [{ license: { elid: "101" } }],
    });
  });

  test("needs no attention while it is only observed too rarely", () => {
    const rare = [5, 70].reduce(
      (held, minutes) => recordObservation(held, observation(minutes, {})),
      called(suspend, unknown),
    );
    expect(rare).toMatchObject({ operation: { state: "unknown" } });
    expect(rare.attention).toBeUndefined();
  });

  test("needs attention after the third time, and blocks that change alone", () => {
    const twice = {
      ...called(suspend, unknown),
      backoff: { since: "2027-01-10T00:00:00.000Z", until: start, why: "x", times: 5, absences: 2 },
    };
    const { attention, backoff } = observeWhenDue(twice, {}).current;
    expect(attention).toMatchObject([
      { reason: { code: "no_effect" }, blocks: { slot: 1, kind: "suspend", target: "101" } },
    ]);
    expect(attention?.[0]).not.toHaveProperty("operation");
    expect(backoff).toMatchObject({ times: 6, absences: 3 });
  });
});

describe("with insufficient funds", () => {
  const money: CallOutcome = { outcome: "unknown", response: "error money/balance: Insufficient funds", funds: true };
  const proved = { provesAbsence: true };
  const balance = (amount: number) => ({ amount, currency: "EUR" });

  test("an order waits for a top-up once its absence is proved", () => {
    const { current, at } = observeWhenDue(called(order, money, []), proved);
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
    const waiting = retryAfterTopUp(current, balance(3.2));
    expect(textsOf(waiting)).toBe(
      "The balance was insufficient to order vmmanager6 for a month (error money/balance: Insufficient funds). It was 3.2 EUR.",
    );
    expect(decide(waiting, catalogWith(), utc("2027-01-11"))).toMatchObject({
      kind: "settled",
      blocked: [{ kind: "order" }],
    });
  });

  test("a refused order waits in the same way", () => {
    const refused: CallOutcome = { outcome: "refused", response: "no money", error: { type: "value" }, funds: true };
    const waiting = retryAfterTopUp(called(order, refused, []), balance(1));
    expect(waiting.attention).toMatchObject([{ reason: { code: "insufficient_funds", balance: "1 EUR" } }]);
  });

  test("resumes when the balance rises above the first one that was read, and not before", () => {
    const first = retryAfterTopUp(observeWhenDue(called(order, money, []), proved).current, balance(3));
    for (const amount of [3, 1]) expect(retryAfterTopUp(first, balance(amount))).toEqual(first);
    const later = retryAfterTopUp(first, balance(3.01));
    expect(later.attention).toBeUndefined();
    expect(decide(later, catalogWith(), utc("2027-01-10T11:00"))).toMatchObject({ change: { kind: "order" } });
  });

  test("a balance that was read right after the call counts from then on", () => {
    const known = recordBalance(called(order, money, []), balance(3));
    expect(known.operation?.attempt).toMatchObject({ response: money.response, funds: { balance: { amount: 3 } } });
    const waiting = observeWhenDue(known, proved).current;
    expect(waiting.attention).toMatchObject([{ reason: { balance: "3 EUR" }, funds: { balance: { amount: 3 } } }]);
    expect(retryAfterTopUp(waiting, balance(4)).attention).toBeUndefined();
    expect(retryAfterTopUp(waiting, balance(3)).attention).toBeDefined();
    for (const other of [called(order, unknown, []), subscriptionOf()]) {
      expect(recordBalance(other, balance(3))).toBe(other);
    }
  });

  test("a top-up ends no other attention item", () => {
    const asked = called(order, { outcome: "refused", response: "no", error: { type: "value" } }, []);
    expect(retryAfterTopUp(asked, balance(1e9))).toBe(asked);
    const quiet = called(order, unknown, []);
    expect(retryAfterTopUp(quiet, balance(1e9))).toBe(quiet);
  });
});
