import { describe, expect, test } from "vitest";
import type { CallOutcome, Change } from "../../../../shared/licensing/operation.ts";
import {
  alreadyDone,
  assertUnspent,
  backOff,
  claim,
  onOperation,
  record,
  recordObservation,
} from "../../../../shared/licensing/operation-lifecycle.ts";
import type { Subscription } from "../../../../shared/licensing/subscription.ts";
import { licensed, operation, orderOf, slot, utc } from "../../../support/events.ts";

const now = utc("2027-01-10T10:00");
const deadline = utc("2027-01-10T10:01:10");
const held = { slot: 1, elid: "101", family: "platform" };
const order = orderOf({ slot: 2, addons: { "55165": 4 } });
const suspend: Change = { ...held, kind: "suspend" };
const intend = (change: Change) => ({ change, why: "wanted", before: { expiry: "2027-02-01" } });
const claimed = (change: Change, onto: Subscription = licensed([slot()])) =>
  claim(onto, intend(change), { params: { func: "x" }, now, deadline });
const outcomeOf = (change: Change, call: CallOutcome) => record(claimed(change), call, utc("2027-01-10T10:00:05"));

describe("a claim", () => {
  test("contains the whole intent, and is due at its deadline", () => {
    expect(claimed(suspend).operation).toEqual({
      n: 1,
      change: suspend,
      why: "wanted",
      before: { expiry: "2027-02-01" },
      attempt: { startedAt: now, params: { func: "x" } },
      state: "claimed",
      claimedAt: now,
      due: deadline,
      observations: [],
    });
  });

  test("takes the next number", () => {
    const earlier = { ...licensed([slot()]), operation: operation({ n: 7, change: suspend, state: "finished" }) };
    const next = claimed(suspend, { ...earlier, operationCount: 7 });
    expect(next).toMatchObject({ operationCount: 8, operation: { n: 8 } });
    expect(next.parked).toBeUndefined();
  });

  test("parks an operation that is still open, after the ones that are parked already", () => {
    const open = (n: number) => operation({ n, change: suspend, state: "unknown" });
    const { operation: latest, parked } = claimed(order, {
      ...licensed([slot()]),
      operation: open(2),
      parked: [open(1)],
      operationCount: 2,
    });
    expect(latest).toMatchObject({ n: 3, change: order });
    expect(parked?.map(({ n }) => n)).toEqual([1, 2]);
  });

  test("of an order claims its slot, in the order of numbers", () => {
    const slots = claimed(order, licensed([slot({ n: 1 }), slot({ n: 3 })])).slots;
    expect(slots.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(slots[1]).toEqual({ n: 2, generation: 1, product: "vmmanager6", plan: "vm-monthly" });
  });

  test("of an order states in its slot which license it replaces", () => {
    const replacing = orderOf({ slot: 2, replaces: { n: 1, generation: 1 } });
    expect(claimed(replacing).slots[1]?.replaces).toEqual({ n: 1, generation: 1 });
    expect(claimed(order).slots[1]).not.toHaveProperty("replaces");
  });

  test.each([
    ["its slot", { spentThrough: utc("2027-03-01") }, {}, "2027-03-01"],
    ["the license that it replaces", {}, { spentThrough: utc("2027-04-01") }, "2027-04-01"],
    ["a license that was bought by other means", {}, {}, "2027-02-01"],
  ])("of an order keeps the time that was spent on %s", (_, own, replaced, spent) => {
    const empty = { n: 2, generation: 1, product: "vmmanager6", plan: "vm-monthly", ...own };
    const replacing = orderOf({ slot: 2, replaces: { n: 1, generation: 1 } });
    const { slots } = claimed(replacing, licensed([{ ...slot(), ...replaced }, empty]));
    expect(slots[1]?.spentThrough).toBe(utc(spent));
  });

  test("does not change the subscription that it gets", () => {
    const before = licensed([slot()]);
    const copy = structuredClone(before);
    claimed(order, before);
    expect(before).toEqual(copy);
  });
});

describe("a call's outcome", () => {
  test("F6: of an order keeps the license number outside the slot until a read proves it", () => {
    const { slots, operation } = outcomeOf(order, { outcome: "done", response: "ordered license 77", elid: "77" });
    expect(slots.map(({ license }) => license?.elid)).toEqual(["101", undefined]);
    expect(operation).toMatchObject({ state: "unconfirmed", elid: "77", due: utc("2027-01-10T10:00:05") });
  });

  test("done is unconfirmed until a read confirms it, and does not change the license yet", () => {
    const done = outcomeOf(suspend, { outcome: "done", response: "ok" });
    expect(done.operation).toMatchObject({
      state: "unconfirmed",
      attempt: { startedAt: now, endedAt: utc("2027-01-10T10:00:05"), outcome: "done", response: "ok" },
    });
    expect(done.slots[0]?.license?.suspended).toBe(false);
  });

  test("not sent finishes the operation and backs off", () => {
    const { operation, backoff, attention } = outcomeOf(suspend, { outcome: "not_sent", response: "ECONNREFUSED" });
    expect(operation).toMatchObject({ state: "finished", outcome: "not_sent" });
    expect(operation).not.toHaveProperty("due");
    expect(backoff).toEqual({
      since: utc("2027-01-10T10:00:05"),
      until: utc("2027-01-10T10:00:35"),
      why: "ECONNREFUSED",
      times: 1,
    });
    expect(attention).toBeUndefined();
  });

  test("refused needs attention, and blocks that change alone", () => {
    const refused = outcomeOf(suspend, { outcome: "refused", response: "error value: No", error: { type: "value" } });
    expect(refused).toMatchObject({ operation: { state: "finished", outcome: "refused" } });
    expect(refused.attention).toEqual([
      {
        reason: { code: "refused", change: suspend, response: "error value: No" },
        since: utc("2027-01-10T10:00:05"),
        blocks: { kind: "suspend", slot: 1, target: "101" },
      },
    ]);
    expect(refused.backoff).toBeUndefined();
  });

  test("refused for the login only backs off: the circuit breaker stops all calls then", () => {
    const refused = outcomeOf(suspend, { outcome: "refused", response: "error auth: No", error: { type: "auth" } });
    expect(refused).toMatchObject({ operation: { outcome: "refused" }, backoff: { times: 1 } });
    expect(refused.attention).toBeUndefined();
  });

  test.each([
    [{ outcome: "unknown", response: "no answer within 60 s" } as const, undefined],
    [{ outcome: "unknown", response: "ok leads to list", inCart: true } as const, true],
  ])("unknown is observed after a minute", (call, inCart) => {
    const { operation } = outcomeOf(order, call);
    expect(operation).toMatchObject({
      state: "unknown",
      due: utc("2027-01-10T10:01:05"),
      attempt: { outcome: "unknown" },
    });
    expect(operation?.inCart).toBe(inCart);
  });

  test("unknown keeps the license number that the reply named", () => {
    const { operation, slots } = outcomeOf(order, { outcome: "unknown", response: "x", inCart: true, elid: "77" });
    expect(operation).toMatchObject({ state: "unknown", elid: "77" });
    expect(slots[1]?.license).toBeUndefined();
  });

  test("that is recorded twice changes nothing the second time", () => {
    const finished = outcomeOf(suspend, { outcome: "not_sent", response: "x" });
    expect(record(finished, { outcome: "done", response: "ok" }, now)).toBe(finished);
  });
});

describe("a change that is already done", () => {
  test("finishes without a call", () => {
    const done = alreadyDone(claim(licensed([slot()]), intend(suspend), { now, deadline: now }), now);
    expect(done.operation).toMatchObject({ n: 1, state: "finished", outcome: "already_done", finishedAt: now });
    expect(done.operation?.attempt).toBeUndefined();
    expect(done.slots[0]?.license).toMatchObject({ suspended: true, expiry: "2027-02-01" });
  });

  test("keeps the expiry that was read, or else the known one", () => {
    const expiryAfter = (before: { expiry?: string }) =>
      alreadyDone(claim(licensed([slot()]), { ...intend(suspend), before }, { now, deadline: now }), now).slots[0]
        ?.license?.expiry;
    expect([expiryAfter({ expiry: "2027-05-01" }), expiryAfter({})]).toEqual(["2027-05-01", "2027-02-01"]);
  });

  test("ends the backoff", () => {
    const paused = { ...licensed([slot()]), backoff: { since: now, until: now, why: "x", times: 3 } };
    const claimed = claim(paused, intend(suspend), { now, deadline: now });
    expect(alreadyDone(claimed, now).backoff).toBeUndefined();
  });
});

describe("an operation among several", () => {
  const open = (n: number, change: Change) => operation({ n, change, state: "unconfirmed" });
  const achieved = { at: now, verdict: "achieved", evidence: "license 101 is stopped", isStopped: true } as const;
  const several: Subscription = {
    ...licensed([slot()]),
    operationCount: 3,
    parked: [open(1, suspend), open(2, { ...held, kind: "resume" })],
    operation: open(3, { ...held, kind: "delete" }),
  };

  test("that is the latest is changed in its place", () => {
    const { operation, parked, slots } = onOperation(several, 3, (focused) => recordObservation(focused, achieved));
    expect(operation).toMatchObject({ n: 3, state: "finished" });
    expect(parked?.map(({ n }) => n)).toEqual([1, 2]);
    expect(slots[0]?.license).toBeUndefined();
  });

  test("that is parked is not parked any longer once it is finished", () => {
    const { operation, parked, slots } = onOperation(several, 1, (focused) => recordObservation(focused, achieved));
    expect(operation).toEqual(several.operation);
    expect(parked).toEqual([open(2, { ...held, kind: "resume" })]);
    expect(slots[0]?.license?.suspended).toBe(true);
  });

  test("that is parked stays parked, in the order of numbers, while it is open", () => {
    const pending = { at: now, verdict: "pending", evidence: "HTTP 502" } as const;
    const { operation, parked } = onOperation(several, 1, (focused) => recordObservation(focused, pending));
    expect(operation).toEqual(several.operation);
    expect(parked).toMatchObject([
      { n: 1, observations: [pending] },
      { n: 2, observations: [] },
    ]);
  });

  test("is the last parked one: nothing is parked then", () => {
    const { parked, ...rest } = several;
    const one = { ...rest, parked: [open(1, suspend)] };
    expect(onOperation(one, 1, (focused) => recordObservation(focused, achieved))).not.toHaveProperty("parked");
  });
});

test("F5: paid time is not spent twice on a slot", () => {
  const spends = (from: string, to: string) => ({ from: utc(from), to: utc(to) });
  const spent = licensed([{ ...slot(), spentThrough: utc("2027-02-01") }]);
  const prolong = (from: string, to: string): Change => ({
    ...held,
    kind: "prolong",
    plan: "vm-monthly",
    period: 1,
    expiry: "2027-03-01",
    spends: spends(from, to),
  });
  expect(() => assertUnspent(spent, prolong("2027-01-31", "2027-02-28"))).toThrow(/which is spent through 2027-02-01/);
  expect(() => assertUnspent(spent, prolong("2027-02-01", "2027-03-01"))).not.toThrow();
  expect(() => assertUnspent(spent, suspend)).not.toThrow();
  expect(() => assertUnspent(licensed([slot()]), prolong("2027-01-31", "2027-02-28"))).not.toThrow();
});

test("backoffs grow from half a minute to an hour", () => {
  let subscription = licensed([slot()]);
  const seconds = Array.from({ length: 10 }, () => {
    subscription = backOff(subscription, now, "billmgr cannot be reached");
    return (Date.parse(subscription.backoff?.until ?? "") - Date.parse(now)) / 1000;
  });
  expect(seconds).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
});
