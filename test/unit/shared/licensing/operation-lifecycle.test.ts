import { describe, expect, test } from "vitest";
import type { CallOutcome, Change, Operation } from "../../../../shared/licensing/operation.ts";
import { alreadyDone, backOff, claim, record } from "../../../../shared/licensing/operation-lifecycle.ts";
import type { Subscription } from "../../../../shared/licensing/subscription.ts";
import { licensed, orderOf, slot, utc } from "../../../support/events.ts";

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
  test("holds the whole intent, until its deadline", () => {
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

  test("is counted after the one before", () => {
    const finished = { ...claimed(suspend).operation, n: 7, state: "finished" } as Operation;
    expect(claimed(suspend, { ...licensed([slot()]), operation: finished }).operation?.n).toBe(8);
  });

  test("of an order takes its slot, among the others by number", () => {
    const slots = claimed(order, licensed([slot({ n: 1 }), slot({ n: 3 })])).slots;
    expect(slots.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(slots[1]).toEqual({ n: 2, generation: 1, product: "vmmanager6", plan: "vm-monthly" });
  });

  test("of an order says in its slot whose place the license is to take", () => {
    const replacing = orderOf({ slot: 2, replaces: { n: 1, generation: 1 } });
    expect(claimed(replacing).slots[1]?.replaces).toEqual({ n: 1, generation: 1 });
    expect(claimed(order).slots[1]).not.toHaveProperty("replaces");
  });

  test("leaves the subscription that it was given as it was", () => {
    const before = licensed([slot()]);
    const copy = structuredClone(before);
    claimed(order, before);
    expect(before).toEqual(copy);
  });
});

describe("a call's outcome", () => {
  test("of an order keeps the license's id at once, to be seen by reading", () => {
    const { slots, operation } = outcomeOf(order, { outcome: "done", response: "ordered license 77", elid: "77" });
    expect(slots[0]?.license?.elid).toBe("101");
    expect(slots[1]?.license).toEqual({
      elid: "77",
      family: "platform",
      trial: false,
      suspended: false,
      addons: { "55165": 4 },
    });
    expect(operation).toMatchObject({ state: "unconfirmed", due: utc("2027-01-10T10:00:05") });
  });

  test("done is unconfirmed until it is seen, and nothing of the license has changed", () => {
    const done = outcomeOf(suspend, { outcome: "done", response: "ok" });
    expect(done.operation).toMatchObject({
      state: "unconfirmed",
      attempt: { startedAt: now, endedAt: utc("2027-01-10T10:00:05"), outcome: "done", response: "ok" },
    });
    expect(done.slots[0]?.license?.suspended).toBe(false);
  });

  test("not sent finishes it and waits a while before the next", () => {
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

  test("refused asks for a person", () => {
    const refused = outcomeOf(suspend, { outcome: "refused", response: "error value: No", error: { type: "value" } });
    expect(refused).toMatchObject({
      operation: { state: "finished", outcome: "refused" },
      attention: { reason: "billmgr refused to suspend license 101: error value: No" },
    });
    expect(refused.backoff).toBeUndefined();
  });

  test("refused for the login only waits: all calls are halted then", () => {
    const refused = outcomeOf(suspend, { outcome: "refused", response: "error auth: No", error: { type: "auth" } });
    expect(refused).toMatchObject({ operation: { outcome: "refused" }, backoff: { times: 1 } });
    expect(refused.attention).toBeUndefined();
  });

  test.each([
    [{ outcome: "unknown", response: "no answer within 60 s" } as const, undefined],
    [{ outcome: "unknown", response: "put into the basket", inCart: true } as const, true],
  ])("unknown is looked for after a minute", (call, basket) => {
    const { operation } = outcomeOf(order, call);
    expect(operation).toMatchObject({
      state: "unknown",
      due: utc("2027-01-10T10:01:05"),
      attempt: { outcome: "unknown" },
    });
    expect(operation?.inCart).toBe(basket);
  });

  test("that comes twice changes nothing the second time", () => {
    const finished = outcomeOf(suspend, { outcome: "not_sent", response: "x" });
    expect(record(finished, { outcome: "done", response: "ok" }, now)).toBe(finished);
  });
});

describe("what is so already", () => {
  test("is done without a call", () => {
    const done = alreadyDone(claim(licensed([slot()]), intend(suspend), { now, deadline: now }), now);
    expect(done.operation).toMatchObject({ n: 1, state: "finished", outcome: "already_done", finishedAt: now });
    expect(done.operation?.attempt).toBeUndefined();
    expect(done.slots[0]?.license).toMatchObject({ suspended: true, expiry: "2027-02-01" });
  });

  test("keeps the expiry that was read, and the known one where none was", () => {
    const expiryAfter = (before: { expiry?: string }) =>
      alreadyDone(claim(licensed([slot()]), { ...intend(suspend), before }, { now, deadline: now }), now).slots[0]
        ?.license?.expiry;
    expect([expiryAfter({ expiry: "2027-05-01" }), expiryAfter({})]).toEqual(["2027-05-01", "2027-02-01"]);
  });

  test("ends the pause", () => {
    const paused = { ...licensed([slot()]), backoff: { since: now, until: now, why: "x", times: 3 } };
    const claimed = claim(paused, intend(suspend), { now, deadline: now });
    expect(alreadyDone(claimed, now).backoff).toBeUndefined();
  });
});

test("pauses grow from half a minute to an hour", () => {
  let subscription = licensed([slot()]);
  const seconds = Array.from({ length: 10 }, () => {
    subscription = backOff(subscription, now, "billmgr is not reached");
    return (Date.parse(subscription.backoff?.until ?? "") - Date.parse(now)) / 1000;
  });
  expect(seconds).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
});
