import { describe, expect, test } from "vitest";
import { decide } from "../../../../shared/licensing/decide.ts";
import type { Change, Operation } from "../../../../shared/licensing/operation.ts";
import { recordObservation, withExpiry } from "../../../../shared/licensing/operation-lifecycle.ts";
import type { Attention, Subscription } from "../../../../shared/licensing/subscription.ts";
import { catalogWith, licensed, paid, slot, subscriptionOf, utc } from "../../../support/events.ts";
import {
  called,
  codesOf,
  done,
  edit,
  observation,
  observeWhenDue,
  order,
  prolong,
  remove,
  resume,
  start,
  suspend,
  unknown,
} from "../../../support/operations.ts";

describe("observed as achieved", () => {
  const expiry = "2027-03-01";

  test.each([
    ["an edit", edit, { plan: "vm-yearly", license: { addons: { "55165": 4 }, expiry } }],
    ["a prolong", prolong, { plan: "vm-yearly", license: { expiry } }],
    ["a suspend", suspend, { license: { suspended: true, expiry } }],
    ["a resume", resume, { license: { suspended: false, expiry } }],
  ])("%s changes what is known of its license", (_, change, expected) => {
    const { operation, slots } = recordObservation(
      called(change, done),
      observation(1, { verdict: "achieved", expiry }),
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

  test("an order puts its license with the expiry into the slot", () => {
    const ordered = called(order, { outcome: "done", response: "", elid: "77" }, []);
    const { slots } = recordObservation(ordered, observation(1, { verdict: "achieved", expiry }));
    expect(slots).toMatchObject([{ n: 1, generation: 3, license: { elid: "77", expiry } }]);
  });

  test("F6: an order whose reply was lost keeps the license that was found outside the slot, and is observed again", () => {
    const found = recordObservation(called(order, unknown, []), observation(1, { verdict: "achieved", elid: "77" }));
    expect(found.slots[0]).not.toHaveProperty("license");
    expect(found.operation).toMatchObject({ state: "unconfirmed", elid: "77", due: observation(1, {}).at });
    const proved = recordObservation(found, observation(1, { verdict: "achieved", expiry }));
    expect(proved.slots[0]?.license).toMatchObject({ elid: "77", expiry });
  });

  test("its attention item goes, and no other", () => {
    const item = (operation?: number): Attention => ({
      reason: { code: "license_missing", elid: "101", change: suspend },
      since: start,
      ...(operation && { operation }),
    });
    const settled = (operation?: number) =>
      recordObservation(
        { ...called(suspend, unknown), attention: [item(operation)] },
        observation(1, { verdict: "achieved" }),
      ).attention;
    expect(settled(1)).toBeUndefined();
    expect(settled(2)).toEqual([item(2)]);
    expect(settled()).toEqual([item()]);
  });

  test.each([
    ["F7: a prolong that leaves the license stopped: it is suspended then", prolong, true, true],
    ["a prolong that starts it", prolong, false, false],
    ["a prolong whose license shows no status: as it was", prolong, undefined, true],
  ])("%s", (_, change, isStopped, suspended) => {
    const before = called(change, done, [slot({ suspended: true, suspendedAt: utc("2027-01-05") })]);
    const { slots } = recordObservation(before, { ...observation(1, { verdict: "achieved" }), expiry, isStopped });
    expect(slots[0]?.license).toMatchObject({ suspended, ...(suspended && { suspendedAt: utc("2027-01-05") }) });
    expect(slots[0]?.license?.suspendedAt === undefined).toBe(!suspended);
  });

  test("F7: a license that the prolong left stopped is resumed", () => {
    const seen = { ...observation(1, { verdict: "achieved" }), expiry, isStopped: true };
    const after = recordObservation(called(prolong, done), seen);
    expect(after.slots[0]?.license).toMatchObject({ suspended: true, suspendedAt: seen.at });
    const paidOn = { ...after, payments: licensed([], paid("2027-01-01", { through: "2027-03-01" })).payments };
    expect(decide(paidOn, catalogWith(), seen.at)).toMatchObject({ change: { kind: "resume", elid: "101" } });
  });

  test("a purchase spends its paid time on the slot, and never gives any back", () => {
    const spentAfter = (spentThrough?: string) =>
      recordObservation(
        called(prolong, done, [{ ...slot(), ...(spentThrough && { spentThrough }) }]),
        observation(1, { verdict: "achieved" }),
      ).slots[0]?.spentThrough;
    expect([spentAfter(), spentAfter(utc("2027-02-01")), spentAfter(utc("2027-05-01"))]).toEqual(
      ["2027-03-01", "2027-03-01", "2027-05-01"].map(utc),
    );
  });

  test("a purchase that no payment pays for is counted as an exchange, and no other", () => {
    const { spends, ...unpaid } = prolong;
    const exchangesOf = (change: Change) =>
      recordObservation(called(change, done), observation(1, { verdict: "achieved" })).exchanges;
    expect([exchangesOf(unpaid), exchangesOf(prolong), exchangesOf(edit)]).toEqual([
      [observation(1, {}).at],
      undefined,
      undefined,
    ]);
    const exchangesAfter = (of: Partial<typeof order>, adopted?: object) => {
      const ordered = called({ ...order, ...of }, { ...done, elid: "77" }, []);
      const operation = { ...ordered.operation, ...(adopted && { adopted }) } as Operation;
      return recordObservation({ ...ordered, operation }, observation(1, { verdict: "achieved" })).exchanges;
    };
    expect(exchangesAfter({})).toEqual([observation(1, {}).at]);
    expect(exchangesAfter({ spends: { from: start, to: start } })).toBeUndefined();
    expect(exchangesAfter({ trial: true })).toBeUndefined();
    expect(exchangesAfter({}, { suspended: false, addons: {} })).toBeUndefined();
  });
});

describe("answered ok", () => {
  test("F4: and unpaid needs attention after ten minutes, and is observed until it is paid", () => {
    const unpaid = { verdict: "pending", unpaid: true, evidence: "license 101 is ordered, not paid" } as const;
    const { current, at } = observeWhenDue(called(order, { ...done, elid: "101" }, []), unpaid);
    expect(current.attention).toMatchObject([{ operation: 1, reason: { code: "unpaid_at_billmgr" } }]);
    expect(at.at(-1)).toBeGreaterThanOrEqual(10);
    expect(at.at(-1)).toBeLessThan(30);
    expect(recordObservation(current, observation(60, { verdict: "achieved" })).attention).toBeUndefined();
    const ordered = called(order, { ...done, elid: "101" }, []);
    expect(recordObservation(ordered, observation(9.9, unpaid)).attention).toBeUndefined();
    expect(recordObservation(ordered, observation(10, unpaid)).attention).toBeDefined();
  });

  test("F4: and possibly in the cart needs attention after ten minutes, while nothing shows that it is paid", () => {
    const named = called(order, { ...unknown, inCart: true, elid: "101" }, []);
    const pending = (minutes: number) => recordObservation(named, observation(minutes, { verdict: "pending" }));
    expect([codesOf(pending(9.9)), codesOf(pending(10))]).toEqual([[], ["in_cart"]]);
    expect(recordObservation(pending(10), observation(60, { verdict: "achieved" })).attention).toBeUndefined();
  });

  test("and pending is observed ever more rarely, and needs attention after a day", () => {
    const { current, at } = observeWhenDue(called(suspend, done), {
      verdict: "pending",
      evidence: "license 101 is processing",
    });
    expect(at.slice(0, 4).map((minutes) => minutes * 60)).toEqual([0, 2, 7, 22]);
    expect(current.attention).toMatchObject([
      {
        operation: 1,
        reason: {
          code: "unresolved",
          evidence: "license 101 is processing",
          where: "Look at license 101 and its history since 2027-01-10T10:00:00.000Z",
        },
      },
    ]);
    expect(at.at(-1)).toBeGreaterThan(24 * 60);
    const pending = (minutes: number) =>
      codesOf(recordObservation(called(suspend, done), observation(minutes, { verdict: "pending" })));
    expect([pending(1440), pending(1441)]).toEqual([[], ["unresolved"]]);
  });

  test.each([
    ["a prolong", prolong],
    ["a suspend", suspend],
  ])("yet absent is never called again, and needs attention after ten minutes: %s", (_, change) => {
    const { current, at } = observeWhenDue(called(change, done), {});
    expect(current.operation?.state).toBe("unconfirmed");
    expect(codesOf(current)).toEqual(["not_confirmed"]);
    const later = [40, 100, 3000].reduce((held, minutes) => recordObservation(held, observation(minutes, {})), current);
    expect(later.operation?.state).toBe("unconfirmed");
    expect(at.at(-1)).toBeGreaterThanOrEqual(10);
    expect(at.at(-1)).toBeLessThan(30);
  });

  test("yet absent needs attention after six observations in a row over ten minutes, and after neither alone", () => {
    const attentionAfter = (...at: number[]) =>
      at.reduce((held, minutes) => recordObservation(held, observation(minutes, {})), called(suspend, done)).attention;
    expect(attentionAfter(1, 2, 3, 4, 5, 9.9)).toBeUndefined();
    expect(attentionAfter(1, 2, 3, 4, 10)).toBeUndefined();
    expect(attentionAfter(1, 2, 3, 4, 5, 10)).toBeDefined();
  });

  describe("and conflicting", () => {
    const conflict = (minutes: number, evidence: string) => observation(minutes, { verdict: "conflicting", evidence });
    const conflicting = recordObservation(called(suspend, done), conflict(1, "license 101 is deleted"));

    test("needs attention immediately, until it settles automatically", () => {
      expect(conflicting.attention).toMatchObject([
        { operation: 1, reason: { code: "conflicting", evidence: "license 101 is deleted" } },
      ]);
      const settled = recordObservation(conflicting, observation(2, { verdict: "achieved" }));
      expect(settled).toMatchObject({ operation: { state: "finished" } });
      expect(settled.attention).toBeUndefined();
    });

    test("keeps its item when a read fails, and its time when another one shows more", () => {
      const failed = recordObservation(conflicting, observation(3000, { verdict: "pending", evidence: "HTTP 502" }));
      expect(failed.attention).toEqual(conflicting.attention);
      const other = recordObservation(failed, conflict(3001, "license 101 is gone"));
      expect(other.attention).toMatchObject([
        { since: observation(1, {}).at, reason: { evidence: "license 101 is gone" } },
      ]);
    });
  });
});

describe("a claim whose worker died", () => {
  const abandoned = () => {
    const { operation, ...rest } = called(suspend, done);
    return { ...rest, operation: { ...operation, state: "claimed" } } as Subscription;
  };

  test("is unknown from the first observation on", () => {
    expect(recordObservation(abandoned(), observation(1, {})).operation?.state).toBe("unknown");
  });

  test("states that there was no response when it had no effect", () => {
    const { attempt, ...operation } = abandoned().operation as NonNullable<Subscription["operation"]>;
    const { outcome, response, endedAt, ...begun } = attempt as NonNullable<typeof attempt>;
    const unanswered = { ...abandoned(), operation: { ...operation, attempt: begun } };
    const absent = [10, 20, 40].reduce<Subscription>(
      (held, at) => recordObservation(held, observation(at, {})),
      unanswered,
    );
    expect(absent.backoff?.why).toBe("suspend license 101 had no effect (no response)");
  });

  test("is finished by an observation of its effect", () => {
    expect(recordObservation(abandoned(), observation(1, { verdict: "achieved" })).operation?.state).toBe("finished");
  });
});

test("an observation of a finished operation changes nothing", () => {
  const finished = called(suspend, { outcome: "not_sent", response: "x" });
  expect(recordObservation(finished, observation(1, { verdict: "achieved" }))).toBe(finished);
});

test("no more than twenty observations are kept", () => {
  const { current } = observeWhenDue(called(suspend, done), { verdict: "pending" }, 25);
  expect(current.operation?.observations).toHaveLength(20);
});

test("an expiry that was read belongs to its license alone", () => {
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
