import { describe, expect, test } from "vitest";
import {
  cancelled,
  cancelScheduled,
  cancelWithdrawn,
  changed,
  failed,
  paid,
  paused,
  refunded,
  resumed,
  subscriptionOf,
  utc,
} from "../../../support/events.ts";

const february = { through: "2027-02-01" };

test("a new subscription is empty", () => {
  expect(subscriptionOf()).toEqual({
    storefront: "standard",
    id: "shop-1",
    quantities: [],
    payments: [],
    failures: [],
    operationCount: 0,
    slots: [],
  });
});

describe("payments", () => {
  test("are a set by their id: the latest statement of one counts", () => {
    const again = subscriptionOf(
      paid("2027-01-02", { through: "2027-03-01" }, { payment: "p" }),
      paid("2027-01-01", february, { payment: "p" }),
    );
    expect(again.payments).toMatchObject([{ id: "p", paid: { value: { covers: { through: utc("2027-03-01") } } } }]);
  });

  test("F1: keep the time of their first statement, in any order", () => {
    const first = paid("2027-01-01", { months: 12 }, { payment: "p" });
    const again = paid("2027-06-01", { months: 12 }, { payment: "p" });
    const corrected = paid("2027-06-02", { months: 6 }, { payment: "p" });
    for (const events of [
      [first, again, corrected],
      [corrected, again, first],
      [again, first, corrected, first],
    ]) {
      expect(subscriptionOf(...events).payments).toMatchObject([
        { id: "p", statedAt: utc("2027-01-01"), paid: { value: { covers: { months: 6 } } } },
      ]);
    }
  });

  test("with different ids are all kept", () => {
    const two = subscriptionOf(paid("2027-01-02", february), paid("2027-01-01", february));
    expect(two.payments.map(({ id }) => id)).toEqual(["payment of 2027-01-01", "payment of 2027-01-02"]);
  });

  test("can be refunded before they are stated", () => {
    const early = subscriptionOf(refunded("2027-01-05", "p"), paid("2027-01-01", february, { payment: "p" }));
    expect(early.payments).toMatchObject([
      { id: "p", paid: {}, revocations: [{ id: "payment.refunded", held: { value: true } }] },
    ]);
  });

  test.each([
    ["reversed later", [refunded("2027-01-05", "p"), refunded("2027-01-06", "p", { reversed: true })], false],
    [
      "taken back after a reversal",
      [refunded("2027-01-06", "p"), refunded("2027-01-05", "p", { reversed: true })],
      true,
    ],
    ["both at the same time", [refunded("2027-01-05", "p", { reversed: true }), refunded("2027-01-05", "p")], true],
  ])("whose refund was %s", (_, events, value) => {
    expect(subscriptionOf(...events).payments[0]?.revocations?.[0]?.held.value).toBe(value);
  });
});

describe("registers", () => {
  test("keep the later fact, in any order", () => {
    const [older, newer] = [changed("2027-01-01", "vm-monthly"), changed("2027-01-02", "vm-yearly")];
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      expect(subscriptionOf(...order).items?.value).toEqual([{ names: ["vm-yearly"] }]);
    }
  });

  test("of items compare when they were true, not when that was stated", () => {
    const folded = subscriptionOf(
      changed("2027-01-02", "vm-yearly"),
      paid("2027-01-03", february, { items: ["vm-monthly"], asOf: "2027-01-01" }),
    );
    expect(folded.items).toMatchObject({ value: [{ names: ["vm-yearly"] }], at: utc("2027-01-02") });
  });

  test.each([
    ["ended before scheduled", [cancelled("2027-01-01"), cancelScheduled("2027-01-01")], "ended"],
    ["scheduled before open", [cancelScheduled("2027-01-01"), cancelWithdrawn("2027-01-01")], "scheduled"],
    ["open when that is later", [cancelled("2027-01-01"), cancelWithdrawn("2027-01-02")], "open"],
  ])("prefer the more final of two facts of one moment: %s", (_, events, is) => {
    expect(subscriptionOf(...events).end?.value.kind).toBe(is);
    expect(subscriptionOf(...events.reverse()).end?.value.kind).toBe(is);
  });

  test("prefer a pause to a resumption of the same moment", () => {
    expect(subscriptionOf(resumed("2027-01-01"), paused("2027-01-01")).paused?.value).toBe(true);
    expect(subscriptionOf(resumed("2027-01-02"), paused("2027-01-01")).paused?.value).toBe(false);
  });

  test("of one moment keep the one with the greater event id", () => {
    const [a, b] = [changed("2027-01-01", "vm-monthly"), changed("2027-01-01", "vm-yearly")];
    const folded = subscriptionOf({ ...b, id: "b" }, { ...a, id: "a" });
    expect(folded.items).toMatchObject({ event: "b", value: [{ names: ["vm-yearly"] }] });
  });

  test("of the customer keep what a later event omits", () => {
    const folded = subscriptionOf(
      { ...paused("2027-01-01"), customer: { id: "c1", email: "old@example.com" } },
      { ...paused("2027-01-02"), customer: { email: "new@example.com" } },
    );
    expect([folded.customerId?.value, folded.email?.value]).toEqual(["c1", "new@example.com"]);
  });
});

describe("failed payments", () => {
  test.each([
    [
      "are kept since the last good one, oldest first",
      [failed("2027-02-03"), failed("2027-02-02")],
      ["2027-02-02", "2027-02-03"],
    ],
    ["are kept once", [failed("2027-02-02"), failed("2027-02-02")], ["2027-02-02"]],
    ["are forgotten by a payment", [failed("2027-02-02"), paid("2027-02-04", february)], []],
    ["are forgotten by a resumption", [failed("2027-02-02"), resumed("2027-02-04")], []],
    ["are forgotten by a payment that arrives first", [paid("2027-02-04", february), failed("2027-02-02")], []],
    ["are forgotten by a payment of the same moment", [failed("2027-02-02"), paid("2027-02-02", february)], []],
    ["are kept when the payment was before", [failed("2027-02-02"), paid("2027-02-01", february)], ["2027-02-02"]],
    ["are kept when a plan changes", [failed("2027-02-02"), changed("2027-02-04", "vm-monthly")], ["2027-02-02"]],
  ])("%s", (_, events, failures) => {
    expect(subscriptionOf(...events).failures).toEqual(failures.map(utc));
  });
});
