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

test("nothing is known of a new subscription", () => {
  expect(subscriptionOf()).toEqual({
    storefront: "standard",
    id: "shop-1",
    quantities: [],
    payments: [],
    failures: [],
    slots: [],
  });
});

describe("payments", () => {
  test("are a set by their id: one that is told twice counts once, by what was told last", () => {
    const again = subscriptionOf(
      paid("2027-01-02", { through: "2027-03-01" }, { payment: "p" }),
      paid("2027-01-01", february, { payment: "p" }),
    );
    expect(again.payments).toMatchObject([{ id: "p", paid: { value: { covers: { through: utc("2027-03-01") } } } }]);
  });

  test("stay beside each other under different ids", () => {
    const two = subscriptionOf(paid("2027-01-02", february), paid("2027-01-01", february));
    expect(two.payments.map(({ id }) => id)).toEqual(["payment of 2027-01-01", "payment of 2027-01-02"]);
  });

  test("that were refunded are known before they are told", () => {
    const early = subscriptionOf(refunded("2027-01-05", "p"), paid("2027-01-01", february, { payment: "p" }));
    expect(early.payments).toMatchObject([{ id: "p", paid: {}, refunded: { value: true } }]);
  });

  test.each([
    ["reversed later", [refunded("2027-01-05", "p"), refunded("2027-01-06", "p", { reversed: true })], false],
    [
      "taken back after a reversal",
      [refunded("2027-01-06", "p"), refunded("2027-01-05", "p", { reversed: true })],
      true,
    ],
    ["both at once", [refunded("2027-01-05", "p", { reversed: true }), refunded("2027-01-05", "p")], true],
  ])("of which the refund was %s", (_, events, value) => {
    expect(subscriptionOf(...events).payments[0]?.revocations?.[0]?.held.value).toBe(value);
  });
});

describe("registers", () => {
  test("keep the later fact, whichever comes first", () => {
    const [older, newer] = [changed("2027-01-01", "vm-monthly"), changed("2027-01-02", "vm-yearly")];
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      expect(subscriptionOf(...order).items?.value).toEqual([{ names: ["vm-yearly"] }]);
    }
  });

  test("of items go by when they were true, not by when that was told", () => {
    const told = subscriptionOf(
      changed("2027-01-02", "vm-yearly"),
      paid("2027-01-03", february, { items: ["vm-monthly"], asOf: "2027-01-01" }),
    );
    expect(told.items).toMatchObject({ value: [{ names: ["vm-yearly"] }], at: utc("2027-01-02") });
  });

  test.each([
    ["ended before scheduled", [cancelled("2027-01-01"), cancelScheduled("2027-01-01")], "ended"],
    ["scheduled before open", [cancelScheduled("2027-01-01"), cancelWithdrawn("2027-01-01")], "scheduled"],
    ["open when that is later", [cancelled("2027-01-01"), cancelWithdrawn("2027-01-02")], "open"],
  ])("take the more final of two facts of one moment: %s", (_, events, is) => {
    expect(subscriptionOf(...events).end?.value.kind).toBe(is);
    expect(subscriptionOf(...events.reverse()).end?.value.kind).toBe(is);
  });

  test("take a pause before a resumption of the same moment", () => {
    expect(subscriptionOf(resumed("2027-01-01"), paused("2027-01-01")).paused?.value).toBe(true);
    expect(subscriptionOf(resumed("2027-01-02"), paused("2027-01-01")).paused?.value).toBe(false);
  });

  test("take the greater event id at last", () => {
    const [a, b] = [changed("2027-01-01", "vm-monthly"), changed("2027-01-01", "vm-yearly")];
    const told = subscriptionOf({ ...b, id: "b" }, { ...a, id: "a" });
    expect(told.items).toMatchObject({ event: "b", value: [{ names: ["vm-yearly"] }] });
  });

  test("of the customer keep what a later event leaves out", () => {
    const told = subscriptionOf(
      { ...paused("2027-01-01"), customer: { id: "c1", email: "old@example.com" } },
      { ...paused("2027-01-02"), customer: { email: "new@example.com" } },
    );
    expect([told.customerId?.value, told.email?.value]).toEqual(["c1", "new@example.com"]);
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
    ["are forgotten by a payment that is told first", [paid("2027-02-04", february), failed("2027-02-02")], []],
    ["are forgotten by a payment of the same moment", [failed("2027-02-02"), paid("2027-02-02", february)], []],
    ["are kept when the payment was before", [failed("2027-02-02"), paid("2027-02-01", february)], ["2027-02-02"]],
    ["are kept when a plan changes", [failed("2027-02-02"), changed("2027-02-04", "vm-monthly")], ["2027-02-02"]],
  ])("%s", (_, events, failures) => {
    expect(subscriptionOf(...events).failures).toEqual(failures.map(utc));
  });
});
