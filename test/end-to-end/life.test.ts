import { describe, expect, test } from "vitest";
import { advanceDays, done, inDays, paid, stateOf, tell, testCatalog } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const stack = useTestStack();

describe("a customer of the storefront standard", () => {
  test("buys, renews, changes, fails to pay, is suspended, pays, is resumed, cancels, and is deleted", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { quantity: 2 }));
    await advanceDays(stack, 30);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { quantity: 2 }));
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 5 });
    await advanceDays(stack, 30);
    await tell(stack, "payment.failed", {});
    await advanceDays(stack, 2);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { quantity: 5 }));
    await tell(stack, "subscription.paused", {});
    await advanceDays(stack, 1);
    await tell(stack, "subscription.resumed", {});
    await advanceDays(stack, 1);
    await tell(stack, "subscription.cancelled", {});
    await advanceDays(stack, 15);

    expect(stack.sandbox?.ledger()).toMatchObject([
      { operation: "order", pricelist: 55163, period: 1, addons: { 55165: 2 } },
      { operation: "prolong", period: 1 },
      { operation: "edit", addons: { 55165: 5 } },
      { operation: "prolong", period: 1 },
      { operation: "suspend" },
      { operation: "resume" },
      { operation: "suspend" },
      { operation: "delete" },
    ]);
  });

  test("gets an order with one reference in remoteid and comment, and without autoprolong", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await stack.settle();
    const [order] = stack.sandbox?.ledger() ?? [];
    expect(order?.params).toMatchObject({ autoprolong: "null", skipbasket: "on", clicked_button: "finish" });
    expect(order?.params.remoteid).toMatch(/^[\x21-\x7e]{1,32}$/);
    expect(order?.params.comment).toBe(order?.params.remoteid);
  });

  test("buys once if the same event is delivered five times", async () => {
    const payment = paid(inDays(stack, 30));
    const at = stack.clock.now();
    for (let i = 0; i < 5; i++) await tell(stack, "payment.succeeded", payment, { id: "msg_again", at });
    await stack.settle();
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("buys once if two events contain the same payment", async () => {
    const payment = paid(inDays(stack, 30));
    await tell(stack, "payment.succeeded", payment);
    await advanceDays(stack, 1);
    await tell(stack, "payment.succeeded", payment);
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("is not affected by an older change that arrives after a newer one", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 2);
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 7 });
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 3 }, { at: inDays(stack, -1) });
    await stack.settle();
    expect(stack.sandbox?.licenses()[0]?.addons).toEqual({ 55165: 7 });
  });

  test("gets one period for each of twelve monthly payments, although months drift", async () => {
    await stack.advanceTo(new Date("2027-01-31T12:00:00Z"));
    for (let month = 1; month <= 12; month++) {
      await tell(stack, "payment.succeeded", { payment: `month-${month}`, plan: "vm6-monthly", months: 1 });
      const end = new Date(Date.UTC(2027, 0 + month + 1, 0, 12));
      await stack.advanceTo(month === 12 ? inDays(stack, 1) : end);
    }
    expect(done(stack).filter((one) => /order|prolong/.test(one))).toHaveLength(12);
  }, 20_000);

  test("is not suspended if monthly payments arrive some minutes late", async () => {
    await stack.advanceTo(new Date("2027-01-31T10:00:00Z"));
    for (const month of ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]) {
      await stack.advanceTo(new Date(`${month}T10:05:00Z`));
      await tell(stack, "payment.succeeded", { payment: month, plan: "vm6-monthly", months: 1 });
      await stack.settle();
    }
    expect(done(stack)).toEqual(["order 334673", ...Array(4).fill("prolong 334673")]);
  });

  test("gets a period from the receipt of a payment that is dated in the future, and none at that date", async () => {
    const payment = { payment: "p", plan: "vm6-monthly", months: 1 };
    await tell(stack, "payment.succeeded", payment, { at: inDays(stack, 40) });
    await stack.settle();
    expect(done(stack)).toEqual(["order 334673"]);
    await advanceDays(stack, 45);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("loses the newest licenses first", async () => {
    const plan = "dci6-monthly";
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { plan, quantity: 3 }));
    await advanceDays(stack, 1);
    await tell(stack, "subscription.changed", { plan, quantity: 1 });
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673", "order 334674", "order 334675", "suspend 334674", "suspend 334675"]);
  });

  test("gets another product before the old license is deleted", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 1);
    await tell(stack, "subscription.changed", { plan: "dci6-monthly", quantity: 1 });
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673", "order 334674", "delete 334673"]);
  });

  test("gets a paid license in place of the trial at the first payment", async () => {
    const plan = "dci6-trial";
    await tell(stack, "payment.succeeded", paid(inDays(stack, 14), { plan, trial: true }));
    await advanceDays(stack, 14);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { plan }));
    await advanceDays(stack, 1);
    expect(stack.sandbox?.ledger()).toMatchObject([
      { operation: "order", period: -100 },
      { operation: "order", period: 1 },
      { operation: "delete", elid: "334673" },
    ]);
  });

  test("is suspended immediately after a refund, and resumed when it is reversed", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { payment: "p" }));
    await advanceDays(stack, 1);
    await tell(stack, "payment.refunded", { payment: "p" });
    await advanceDays(stack, 1);
    await tell(stack, "payment.refunded", { payment: "p", reversed: true });
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673", "suspend 334673", "resume 334673"]);
  });

  test("gets a new license when paying again after the deletion", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 1);
    await tell(stack, "subscription.cancelled", {});
    await advanceDays(stack, 15);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673", "suspend 334673", "delete 334673", "order 334674"]);
    expect((await stateOf(stack))?.slots).toMatchObject([{ n: 1, generation: 2 }]);
  });

  test("gets a new license after a long gap, and the gap is not bought", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 200);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673", "order 334674", "delete 334673"]);
  });

  test.each([
    ["order", ["order 334673", "order 334674", "delete 334673"]],
    ["prolong", ["order 334673", "prolong 334673"]],
  ] as const)("a payment some days late, with policy.late %s", async (late, expected) => {
    await stack.restart({ catalog: testCatalog({ late }) });
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 50);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 10)));
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(expected);
    await advanceDays(stack, 40);
    const purchases = (all: readonly string[]) => all.filter((one) => /order|prolong/.test(one));
    expect(purchases(done(stack))).toEqual(purchases(expected));
  });

  test("gets nothing for a payment that is implausibly far ahead", async () => {
    await tell(stack, "payment.succeeded", paid(new Date("2126-12-23T00:00:00Z")));
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual([]);
    expect((await stack.table.attention()).keys).toHaveLength(1);
  });

  test("gets no license for an old debt that is paid after the end", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await advanceDays(stack, 10);
    await tell(stack, "subscription.cancelled", {});
    await advanceDays(stack, 15);
    await tell(stack, "payment.succeeded", paid(inDays(stack, -20)));
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673", "suspend 334673", "delete 334673"]);
  });

  test("loses the license of a removed item by policy", async () => {
    const items = [
      { plan: "vm6-monthly", quantity: 1 },
      { plan: "dci6-monthly", quantity: 1 },
    ];
    await tell(stack, "payment.succeeded", { payment: "p", paidThrough: inDays(stack, 60).toISOString(), items });
    await advanceDays(stack, 1);
    await tell(stack, "subscription.changed", { items: items.slice(0, 1) });
    await advanceDays(stack, 9);
    await tell(stack, "subscription.changed", { items: items.slice(0, 1) });
    await advanceDays(stack, 9);
    const ended = ["suspend 334674", "delete 334674"];
    expect(done(stack).filter((one) => /suspend|delete/.test(one))).toEqual(ended);
  });

  test("keeps the quantity if a renewal omits it", async () => {
    const plan = "dci6-monthly";
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { plan, quantity: 2 }));
    await advanceDays(stack, 29);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 31), { plan, quantity: undefined }));
    await advanceDays(stack, 1);
    expect(done(stack)).toEqual(["order 334673", "order 334674", "prolong 334673", "prolong 334674"]);
  });

  test("is suspended if a payment is refunded after its period", async () => {
    await stack.restart({ catalog: testCatalog({ graceDays: 60 }) });
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { payment: "p" }));
    await advanceDays(stack, 31);
    await tell(stack, "payment.refunded", { payment: "p" });
    await advanceDays(stack, 60);
    // billmgr stopped the license itself at its expiry: there is nothing to call.
    expect(done(stack)).toEqual(["order 334673"]);
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { suspended: true } }]);
  });

  test("gets monthly periods for a yearly payment with before_expiry", async () => {
    await stack.restart({
      catalog: testCatalog({ renew: "before_expiry" }),
    });
    await tell(stack, "payment.succeeded", paid(new Date("2027-11-23T08:00:00Z")));
    await advanceDays(stack, 100);
    expect(done(stack)).toEqual(["order 334673", ...Array(3).fill("prolong 334673")]);
    await advanceDays(stack, 265);
    expect(done(stack).filter((one) => one.startsWith("prolong"))).toHaveLength(11);
  }, 20_000);
});
