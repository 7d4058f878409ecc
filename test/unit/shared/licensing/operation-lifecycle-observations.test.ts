import { describe, expect, test } from "vitest";
import { decide } from "../../../../shared/licensing/decide.ts";
import type { CallOutcome, Change, Observation } from "../../../../shared/licensing/operation.ts";
import {
  claim,
  type FreshObservation,
  record,
  recordBalance,
  recordObservation,
  retryAfterTopUp,
  withExpiry,
} from "../../../../shared/licensing/operation-lifecycle.ts";
import type { Subscription } from "../../../../shared/licensing/subscription.ts";
import { instantPlus } from "../../../../shared/licensing/time.ts";
import { catalogWith, licensed, orderOf, paid, slot, subscriptionOf, utc } from "../../../support/events.ts";

const start = utc("2027-01-10T10:00");
const held = { slot: 1, elid: "101", family: "platform" };
const order = orderOf({ generation: 3 });
const prolong: Change = { ...held, kind: "prolong", plan: "vm-yearly", period: 1, expiry: "2027-03-01" };
const edit: Change = { ...held, kind: "edit", plan: "vm-yearly", addons: { "55165": 4 } };
const [suspend, resume, remove] = (["suspend", "resume", "delete"] as const).map((kind): Change => ({ ...held, kind }));
const done: CallOutcome = { outcome: "done", response: "ok" };
const unknown: CallOutcome = { outcome: "unknown", response: "no answer within 60 s" };

function called(
  change: Change | undefined,
  outcome: CallOutcome,
  slots = [slot({ suspended: change?.kind === "resume" })],
  minutes = 0,
) {
  const intent = { change: change as Change, why: "wanted", before: { expiry: "2027-02-01" } };
  const onto = licensed(slots, paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"] }));
  const claimed = claim(onto, intent, { params: { comment: "bw-1" }, now: start, deadline: start });
  return record(claimed, outcome, instantPlus(start, { seconds: minutes * 60 }));
}

const observation = (minutes: number, of: Partial<Observation>): FreshObservation => ({
  at: instantPlus(start, { seconds: minutes * 60 }),
  verdict: "absent",
  evidence: "nothing of it",
  ...of,
});

/** Looks at the times at which it asks to be looked at, until it is finished, asks a person or has looked so often. */
function lookWhenDue(subscription: Subscription, of: Partial<Observation>, most = 50) {
  let current = subscription;
  const at: number[] = [];
  while (current.operation?.due && !current.attention && at.length < most) {
    at.push((Date.parse(current.operation.due) - Date.parse(start)) / 60_000);
    current = recordObservation(current, observation(at.at(-1) ?? 0, of));
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
    const { operation, slots } = recordObservation(
      called(change, done),
      observation(1, { verdict: "achieved", expiry } as FreshObservation),
    );
    expect(operation).toMatchObject({ state: "finished", outcome: "done" });
    expect(operation).not.toHaveProperty("due");
    expect(slots[0]).toMatchObject(expected);
  });

  test("a change that shows no expiry leaves the known one", () => {
    const { slots } = recordObservation(called(suspend, done), observation(1, { verdict: "achieved" }));
    expect(slots[0]?.license?.expiry).toBe("2027-02-01");
  });

  test("a delete empties the slot for its next generation", () => {
    const { slots } = recordObservation(called(remove, done), observation(1, { verdict: "achieved" }));
    expect(slots).toEqual([{ n: 1, generation: 2, product: "vmmanager6", plan: "vm-monthly" }]);
  });

  test("an order gets its expiry", () => {
    const ordered = called(order, { outcome: "done", response: "", elid: "77" }, []);
    const { slots } = recordObservation(ordered, observation(1, { verdict: "achieved", expiry } as FreshObservation));
    expect(slots).toMatchObject([{ n: 1, generation: 3, license: { elid: "77", expiry } }]);
  });

  test("an order whose answer was lost gets its license, and is looked at once more for the rest", () => {
    const found = recordObservation(
      called(order, unknown, []),
      observation(1, { verdict: "achieved", elid: "77" } as FreshObservation),
    );
    expect(found.slots[0]?.license?.elid).toBe("77");
    expect(found.operation).toMatchObject({ state: "unconfirmed", due: observation(1, {}).at });
  });

  test("takes back the question that was asked about it, and no other", () => {
    const asked = (operation?: number) => ({
      ...called(suspend, unknown),
      attention: { reason: "odd", since: start, ...(operation && { operation }) },
    });
    expect(recordObservation(asked(1), observation(1, { verdict: "achieved" })).attention).toBeUndefined();
    expect(recordObservation(asked(), observation(1, { verdict: "achieved" })).attention).toBeDefined();
  });
});

describe("an unknown purchase that is absent", () => {
  test("is intended again only after half an hour of looks that prove it", () => {
    const { current, at } = lookWhenDue(called(order, unknown, []), { provesAbsence: true });
    expect(current).toMatchObject({ operation: { state: "finished", outcome: "absent" }, backoff: { times: 1 } });
    expect(at.length).toBeGreaterThanOrEqual(3);
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
  });

  test("is counted from the end of the call, however long that took", () => {
    const slow = called(order, unknown, [], 5);
    const observations = (last: number) =>
      [10, 20, last].reduce((held, at) => recordObservation(held, observation(at, { provesAbsence: true })), slow)
        .operation?.outcome;
    expect([observations(34), observations(35)]).toEqual([undefined, "absent"]);
  });

  test("says what was answered, and what was seen when it came to nothing three times", () => {
    const { current } = lookWhenDue(called(order, unknown, []), { provesAbsence: true });
    expect(current.backoff?.why).toBe("order vmmanager6 for a month had no effect (no answer within 60 s)");
    const twice = {
      ...called(order, unknown, []),
      backoff: { since: "2027-01-10T00:00:00.000Z", until: start, why: "x", times: 5, absences: 2 },
    };
    expect(lookWhenDue(twice, { provesAbsence: true, evidence: "nothing of it" }).current.attention?.reason).toMatch(
      /is unknown: no answer within 60 s; nothing of it$/,
    );
  });

  test("is asked about only after more than an hour of absence", () => {
    const absent = [10, 20, 70].reduce(
      (held, at) => recordObservation(held, observation(at, {})),
      called(order, unknown, []),
    );
    expect(absent.attention).toBeUndefined();
    expect(recordObservation(absent, observation(71, {})).attention).toBeDefined();
  });

  test("is looked for after 1, 2, 4, 9, 19 minutes, and then less and less often", () => {
    const { at } = lookWhenDue(called(order, unknown, []), { verdict: "pending" });
    expect(at.slice(0, 6)).toEqual([1, 2, 4, 9, 19, 34]);
  });

  test("keeps its slot and generation, so that the next order carries the same reference", () => {
    const { current } = lookWhenDue(called(order, unknown, []), { provesAbsence: true });
    const now = current.backoff?.until ?? "";
    expect(decide(current, catalogWith(), now)).toMatchObject({ change: { kind: "order", slot: 1, generation: 3 } });
  });

  test("goes to a person after an hour where looks prove nothing, who is told where to look", () => {
    const { current, at } = lookWhenDue(called(order, unknown, []), { provesAbsence: false });
    expect(current.attention).toMatchObject({
      operation: 1,
      reason: expect.stringMatching(/does not prove that nothing was bought. Look for bw-1 .* since 2027-01-10T10:00/),
    });
    expect(current.operation?.state).toBe("unknown");
    expect(at.at(-1)).toBeGreaterThan(60);
  });

  test("goes to a person at once where it lies in the basket, and is never proved absent", () => {
    let { current } = lookWhenDue(called(order, { ...unknown, inCart: true }, []), { provesAbsence: true });
    expect(current.attention?.reason).toMatch(/lies unpaid in billmgr's basket/);
    const shown = recordObservation(
      called(order, { ...unknown, inCart: true }, []),
      observation(1, { verdict: "pending" }),
    );
    expect(shown.attention).toBeUndefined();
    for (const minutes of [10, 40, 100, 2000])
      current = recordObservation(current, observation(minutes, { provesAbsence: true }));
    expect(current.operation?.state).toBe("unknown");
  });

  test("is not absent by old proofs when the last look proves nothing: billmgr could still have been at it", () => {
    let current = called(order, unknown, []);
    for (const minutes of [1, 2, 4])
      current = recordObservation(current, observation(minutes, { provesAbsence: true }));
    current = recordObservation(current, observation(40, { provesAbsence: false }));
    expect(current.operation?.state).toBe("unknown");
    expect(recordObservation(current, observation(50, { provesAbsence: true })).operation?.outcome).toBe("absent");
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
      current = recordObservation(current, observation(minutes, { verdict, provesAbsence: true }));
    }
    expect(current.operation?.state).toBe("unknown");
    expect(recordObservation(current, observation(60, { provesAbsence: true })).operation?.state).toBe("finished");
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
  ])("is intended again after half an hour, when it can come no more: %s", (_, change) => {
    const { current, at } = lookWhenDue(called(change, unknown), {});
    expect(at.length).toBeGreaterThanOrEqual(3);
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
    expect(current).toMatchObject({
      operation: { outcome: "absent" },
      backoff: { times: 1 },
      slots: [{ license: { elid: "101" } }],
    });
  });

  test("is not asked about while it is only looked at too rarely", () => {
    const rare = [5, 70].reduce(
      (held, minutes) => recordObservation(held, observation(minutes, {})),
      called(suspend, unknown),
    );
    expect(rare).toMatchObject({ operation: { state: "unknown" } });
    expect(rare.attention).toBeUndefined();
  });

  test("goes to a person when it came to nothing three times", () => {
    const twice = {
      ...called(suspend, unknown),
      backoff: { since: "2027-01-10T00:00:00.000Z", until: start, why: "x", times: 5, absences: 2 },
    };
    expect(lookWhenDue(twice, {}).current).toMatchObject({
      attention: { operation: 1 },
      backoff: { times: 6, absences: 3 },
    });
  });
});

describe("for want of money", () => {
  const money: CallOutcome = { outcome: "unknown", response: "error money/balance: Insufficient funds", funds: true };
  const proved = { provesAbsence: true };
  const balance = (amount: number) => ({ amount, currency: "EUR" });

  test("an order waits, once it is proved that nothing was bought, with the balance as its reason", () => {
    const { current, at } = lookWhenDue(called(order, money, []), proved);
    expect(at.at(-1)).toBeGreaterThanOrEqual(30);
    const waiting = retryAfterTopUp(current, balance(3.2));
    expect(waiting.attention?.reason).toBe(
      "order vmmanager6 for a month had no effect (error money/balance: Insufficient funds); " +
        "the balance is 3.2 EUR, and when it rises this is tried again",
    );
    expect(decide(waiting, catalogWith(), utc("2027-01-11"))).toMatchObject({ kind: "attention" });
  });

  test("one that was refused waits in the same way", () => {
    const refused: CallOutcome = { outcome: "refused", response: "no money", error: { type: "value" }, funds: true };
    expect(retryAfterTopUp(called(order, refused, []), balance(1)).attention?.reason).toMatch(/the balance is 1 EUR/);
  });

  test("goes on when the balance rises over the first one that was read, and not before", () => {
    const first = retryAfterTopUp(lookWhenDue(called(order, money, []), proved).current, balance(3));
    for (const amount of [3, 1]) expect(retryAfterTopUp(first, balance(amount))).toEqual(first);
    const later = retryAfterTopUp(first, balance(3.01));
    expect(later.attention).toBeUndefined();
    expect(decide(later, catalogWith(), utc("2027-01-10T11:00"))).toMatchObject({ change: { kind: "order" } });
  });

  test("a balance that was read right after the call counts from then on", () => {
    const noted = recordBalance(called(order, money, []), balance(3));
    expect(noted.operation?.attempt).toMatchObject({ response: money.response, funds: { balance: { amount: 3 } } });
    const waiting = lookWhenDue(noted, proved).current;
    expect(waiting.attention).toMatchObject({ reason: expect.stringContaining("the balance is 3 EUR"), funds: {} });
    expect(retryAfterTopUp(waiting, balance(4)).attention).toBeUndefined();
    expect(retryAfterTopUp(waiting, balance(3)).attention).toBeDefined();
    for (const other of [called(order, unknown, []), subscriptionOf()]) {
      expect(recordBalance(other, balance(3))).toBe(other);
    }
  });

  test("no other attention goes by the balance", () => {
    const asked = called(order, { outcome: "refused", response: "no", error: { type: "value" } }, []);
    expect(retryAfterTopUp(asked, balance(1e9))).toBe(asked);
    const quiet = called(order, unknown, []);
    expect(retryAfterTopUp(quiet, balance(1e9))).toBe(quiet);
  });
});

describe("answered ok", () => {
  test("and unpaid goes to a person after ten minutes, and is looked at until it is paid", () => {
    const unpaid = { verdict: "pending", unpaid: true, evidence: "license 101 is ordered, not paid" } as const;
    const { current, at } = lookWhenDue(called(order, { ...done, elid: "101" }, []), unpaid);
    expect(current.attention?.reason).toMatch(/not paid: pay it in billmgr/);
    expect(at.at(-1)).toBeGreaterThanOrEqual(10);
    expect(at.at(-1)).toBeLessThan(30);
    expect(recordObservation(current, observation(60, { verdict: "achieved" })).attention).toBeUndefined();
    const ordered = called(order, { ...done, elid: "101" }, []);
    expect(recordObservation(ordered, observation(9.9, unpaid)).attention).toBeUndefined();
    expect(recordObservation(ordered, observation(10, unpaid)).attention).toBeDefined();
  });

  test("and pending is looked at ever more rarely, and by a person after a day", () => {
    const { current, at } = lookWhenDue(called(suspend, done), {
      verdict: "pending",
      evidence: "license 101 is processing",
    });
    expect(at.slice(0, 4).map((minutes) => minutes * 60)).toEqual([0, 2, 7, 22]);
    expect(current.attention?.reason).toBe(
      "operation 1, suspend license 101, is unconfirmed: license 101 is processing. " +
        "Look at license 101 and at its history since 2027-01-10T10:00:00.000Z",
    );
    expect(at.at(-1)).toBeGreaterThan(24 * 60);
    const pending = (minutes: number) =>
      recordObservation(called(suspend, done), observation(minutes, { verdict: "pending" }));
    expect([pending(1440).attention, pending(1441).attention?.operation]).toEqual([undefined, 1]);
  });

  test.each([
    ["a prolong", prolong],
    ["a suspend", suspend],
  ])("yet absent is never called again, and goes to a person after ten minutes: %s", (_, change) => {
    const { current, at } = lookWhenDue(called(change, done), {});
    expect(current.operation?.state).toBe("unconfirmed");
    expect(current.attention?.reason).toMatch(/answered ok, yet nothing of it/);
    const later = [40, 100, 3000].reduce((held, minutes) => recordObservation(held, observation(minutes, {})), current);
    expect(later.operation?.state).toBe("unconfirmed");
    expect(at.at(-1)).toBeGreaterThanOrEqual(10);
    expect(at.at(-1)).toBeLessThan(30);
  });

  test("yet absent goes to a person by six looks in a row over ten minutes, and by neither alone", () => {
    const askedBy = (...at: number[]) =>
      at.reduce((held, minutes) => recordObservation(held, observation(minutes, {})), called(suspend, done)).attention;
    expect(askedBy(1, 2, 3, 4, 5, 9.9)).toBeUndefined();
    expect(askedBy(1, 2, 3, 4, 10)).toBeUndefined();
    expect(askedBy(1, 2, 3, 4, 5, 10)).toBeDefined();
  });

  test("tells a person nothing new by a look that saw nothing, and what another one saw", () => {
    const contrary = recordObservation(
      called(suspend, done),
      observation(1, { verdict: "conflicting", evidence: "license 101 is deleted" }),
    );
    const blind = recordObservation(contrary, observation(3000, { verdict: "pending", evidence: "HTTP 502" }));
    expect(blind.attention).toEqual(contrary.attention);
    const other = recordObservation(
      blind,
      observation(3001, { verdict: "conflicting", evidence: "license 101 is gone" }),
    );
    expect(other.attention?.reason).toMatch(/is gone$/);
  });

  test("and contrary goes to a person at once, who may still see it settle by itself", () => {
    const contrary = recordObservation(
      called(suspend, done),
      observation(1, { verdict: "conflicting", evidence: "license 101 is deleted" }),
    );
    expect(contrary.attention).toMatchObject({ operation: 1, reason: expect.stringMatching(/is deleted/) });
    const settled = recordObservation(contrary, observation(2, { verdict: "achieved" }));
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
    expect(recordObservation(abandoned(), observation(1, {})).operation?.state).toBe("unknown");
  });

  test("is said to have had no answer when it came to nothing", () => {
    const { attempt, ...operation } = abandoned().operation as NonNullable<Subscription["operation"]>;
    const { outcome, response, endedAt, ...begun } = attempt as NonNullable<typeof attempt>;
    const unanswered = { ...abandoned(), operation: { ...operation, attempt: begun } };
    const absent = [10, 20, 40].reduce<Subscription>(
      (held, at) => recordObservation(held, observation(at, {})),
      unanswered,
    );
    expect(absent.backoff?.why).toBe("suspend license 101 had no effect (no answer)");
  });

  test("is finished by a look that sees it achieved", () => {
    expect(recordObservation(abandoned(), observation(1, { verdict: "achieved" })).operation?.state).toBe("finished");
  });
});

test("a look at what is finished changes nothing", () => {
  const finished = called(suspend, { outcome: "not_sent", response: "x" });
  expect(recordObservation(finished, observation(1, { verdict: "achieved" }))).toBe(finished);
});

test("no more than twenty looks are kept", () => {
  const { current } = lookWhenDue(called(suspend, done), { verdict: "pending" }, 25);
  expect(current.operation?.observations).toHaveLength(20);
});

test("an expiry that was read is that of its license alone", () => {
  const two = licensed([slot(), slot({ n: 2 })]);
  const { slots, ...rest } = withExpiry(two, "102", "2028-01-01");
  expect(slots.map(({ license }) => license)).toEqual([
    two.slots[0]?.license,
    { ...two.slots[1]?.license, expiry: "2028-01-01" },
  ]);
  expect({ ...two, slots: [] }).toEqual({ ...rest, slots: [] });
  const empty = subscriptionOf();
  expect(withExpiry(empty, "1", "2028-01-01")).toEqual(empty);
});
