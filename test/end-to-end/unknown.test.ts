import { describe, expect, test } from "vitest";
import {
  advanceDays,
  advanceMinutes,
  authinfo,
  done,
  inDays,
  lastOperation,
  paid,
  postToBillmgr,
  stateOf,
  tell,
  testCatalog,
} from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";
import { knowingly } from "../support/watch.ts";

const stack = useTestStack();

const minutes = (count: number) => advanceMinutes(stack, count);
const buy = (subscription = "42") => tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }));
const calls = (operation: string) =>
  fetch(`${stack.url}/sandbox/calls`)
    .then((response) => response.json() as Promise<{ operation: string }[]>)
    .then((all) => all.filter((call) => call.operation === operation).length);

/** Orders a license for another subscription, which proves that the list shows references. */
async function orderKnownLicense() {
  await buy("an earlier one");
  await minutes(1);
}

describe("an order whose outcome is unknown", () => {
  test.each(["act_then_drop", "long_request", "truncated", "malformed", "empty", "reply_without_id"])(
    "%s: finds the license by its reference, adopts it, and does not order again",
    async (fault) => {
      stack.sandbox?.plan({ fault: fault as "act_then_drop", func: "order" });
      await buy();
      await minutes(10);
      expect(done(stack)).toEqual(["order 334673"]);
      expect(await stateOf(stack)).toMatchObject({
        slots: [{ license: { elid: "334673", expiry: "2026-12-23" } }],
      });
      expect(await lastOperation(stack)).toMatchObject({ state: "finished", outcome: "done" });
    },
  );

  test.each(["drop_before_acting", "html", "captcha", "503"])(
    "%s: orders again only after absence was proved over half an hour",
    async (fault) => {
      await orderKnownLicense();
      stack.sandbox?.plan({ fault: fault as "html", func: "order" });
      await buy();
      await minutes(29);
      expect(await calls("order")).toBe(2);
      await minutes(15);
      expect(done(stack)).toEqual(["order 334673", "order 334674"]);
    },
  );

  test("needs attention and is not repeated while no known license proves the absence", async () => {
    stack.sandbox?.plan({ fault: "drop_before_acting", func: "order" });
    await buy();
    await advanceDays(stack, 3);
    expect(await calls("order")).toBe(1);
    expect((await stateOf(stack))?.attention).toMatchObject([{ reason: { code: "absence_not_proved" } }]);
  });

  test("is never repeated while the order is in billmgr's cart", async () => {
    await orderKnownLicense();
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy();
    await advanceDays(stack, 2);
    expect(await calls("order")).toBe(2);
    expect((await stateOf(stack))?.attention).toMatchObject([{ reason: { code: "in_cart" } }]);
  });

  test("is resolved by the forms of new licenses if the list shows no references", async () => {
    stack.sandbox?.configure({ listShowsRemoteid: false, listShowsComment: false });
    stack.sandbox?.plan({ fault: "act_then_drop", func: "order" });
    await buy();
    await minutes(10);
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid: "334673" } }]);
  });

  test("is resolved although a filter was left in the account", async () => {
    await orderKnownLicense();
    await postToBillmgr(stack, { func: "platform.filter", sok: "ok", id: "1" });
    stack.sandbox?.plan({ fault: "act_then_drop", func: "order" });
    await buy();
    await minutes(10);
    expect(done(stack)).toEqual(["order 334673", "order 334674"]);
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid: "334674" } }]);
  });
});

describe("another operation whose outcome is unknown", () => {
  test("is not repeated if the expiry shows that the prolong took effect", async () => {
    await buy();
    await advanceDays(stack, 29);
    stack.sandbox?.plan({ fault: "act_then_drop", func: "prolong" });
    await buy();
    await advanceDays(stack, 2);
    expect(done(stack)).toEqual(["order 334673", "prolong 334673"]);
    expect((await stateOf(stack))?.slots[0]?.license?.expiry).toBe("2027-01-23");
  });

  test("is repeated after half an hour if the prolong had no effect", async () => {
    await buy();
    await advanceDays(stack, 29);
    stack.sandbox?.plan({ fault: "drop_before_acting", func: "prolong" });
    await buy();
    await minutes(25);
    expect(await calls("prolong")).toBe(1);
    await minutes(20);
    expect(done(stack)).toEqual(["order 334673", "prolong 334673"]);
  });

  test.each([
    ["edit", "subscription.changed", { plan: "vm6-monthly", quantity: 4 }],
    ["suspend", "subscription.paused", {}],
    ["delete", "subscription.cancelled", {}],
  ])("%s is done once, whether it took effect before the drop or not", async (operation, type, data) => {
    for (const fault of ["act_then_drop", "drop_before_acting"] as const) {
      const [subscription, policy] = [`of ${fault}`, { onEnd: "delete" }];
      if (operation === "delete" && fault === "act_then_drop") {
        await stack.restart({ catalog: testCatalog(policy) });
      }
      await buy(subscription);
      await minutes(1);
      stack.sandbox?.plan({ fault, func: operation });
      await tell(stack, type, { subscription, ...data });
      await minutes(60);
    }
    expect(done(stack).filter((one) => one.startsWith(operation))).toHaveLength(2);
  });
});

describe("a call that billmgr did not receive or refused", () => {
  test("is retried until billmgr can be reached", async () => {
    await stack.restart({ billmgr: "http://127.0.0.1:9/billmgr" });
    await buy();
    await minutes(120);
    const state = await stateOf(stack);
    expect(state).toMatchObject({ backoff: { times: expect.any(Number) } });
    expect(state?.attention).toBeUndefined();
  });

  test("does not count against the order limit if it was never sent", async () => {
    const catalog = testCatalog({}, { ordersPerHour: 3 });
    await stack.restart({ billmgr: "http://127.0.0.1:1025/billmgr", catalog });
    for (const subscription of ["a", "b", "c"]) await buy(subscription);
    await minutes(50);
    expect((await stack.table.attention()).keys).toEqual([]);
  });

  test("needs attention with billmgr's error if it was refused", async () => {
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
    await buy();
    await advanceDays(stack, 1);
    expect(await calls("order")).toBe(1);
    expect((await stateOf(stack))?.attention).toMatchObject([
      { reason: { code: "refused", response: expect.stringContaining("error value/pricelist") } },
    ]);
  });

  test("halts all calls if the password is wrong, until the halt is lifted", async () => {
    stack.sandbox?.plan({ fault: "error", func: "order", type: "auth", object: "badpassword" });
    await buy("first");
    await stack.settle();
    await buy("second");
    await minutes(30);
    expect(await calls("order")).toBe(1);
    expect(await stack.table.halt()).toMatchObject({ reason: expect.stringContaining("badpassword") });

    await fetch(`${stack.url}/local/halt`, { method: "DELETE" });
    await minutes(10);
    expect(done(stack)).toEqual(["order 334673", "order 334674"]);
  });

  test.each([
    ["an error of its own type", { fundsReply: "error" }],
    ["the definite error of a field", { fundsReply: "error", fundsError: { type: "value", object: "balance" } }],
  ] as const)(
    "an order without money, answered by %s, waits with the reason until the balance rises",
    async (_, of) => {
      await orderKnownLicense();
      stack.sandbox?.configure({ ...of, balance: 3 });
      await buy();
      await minutes(60);
      expect((await stateOf(stack))?.attention).toMatchObject([
        { reason: { code: "insufficient_funds", balance: "3 EUR" }, funds: { balance: { amount: 3 } } },
      ]);
      await minutes(24 * 60);
      expect(await calls("order")).toBe(2);
      stack.sandbox?.configure({ balance: 500 });
      await minutes(15);
      expect(done(stack)).toEqual(["order 334673", "order 334674"]);
      expect((await stateOf(stack))?.attention).toBeUndefined();
    },
  );

  test("is repeated if the balance rises before the absence is proved", async () => {
    await orderKnownLicense();
    stack.sandbox?.configure({ balance: 3 });
    await buy();
    await minutes(5);
    stack.sandbox?.configure({ balance: 500 });
    await minutes(60);
    expect(done(stack)).toEqual(["order 334673", "order 334674"]);
  });

  test("needs attention after a day without success, and continues automatically", { timeout: 60_000 }, async () => {
    stack.sandbox?.configure({ denied: ["read"] });
    await buy();
    await advanceDays(stack, 0.5);
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 3 });
    await advanceDays(stack, 2);
    expect((await stack.table.attention()).keys).toHaveLength(1);
    stack.sandbox?.configure({ denied: [] });
    await advanceDays(stack, 1);
    expect((await stack.table.attention()).keys).toEqual([]);
    expect(done(stack)).toEqual(["order 334673", "edit 334673"]);
  });

  test("needs attention if billmgr leaves the order unpaid", async () => {
    stack.sandbox?.plan({ fault: "unpaid", func: "order" });
    await buy();
    await minutes(30);
    expect((await stateOf(stack))?.attention).toMatchObject([{ reason: { code: "unpaid_at_billmgr" } }]);
  });

  test("is made despite a balance below the minimum, with a warning", async () => {
    const warnings: unknown[] = [];
    const log = { info() {}, error() {}, warn: (message: string, fields: object) => warnings.push([message, fields]) };
    await stack.restart({ catalog: testCatalog({}, { minimumBalance: 100 }), log });
    stack.sandbox?.configure({ balance: 110 });
    await buy("a");
    await stack.settle();
    expect(await stack.table.balance()).toMatchObject({ amount: 110, currency: "EUR", low: false });
    expect(warnings).toEqual([]);
    await buy("b");
    await stack.settle();
    expect(await stack.table.balance()).toMatchObject({ amount: 91.5, low: true });
    expect(warnings).toEqual([["the balance is low", { amount: 91.5, currency: "EUR", minimumBalance: 100 }]]);
    expect(done(stack)).toHaveLength(2);
  });

  test("needs attention past the order limit of the hour", async () => {
    await stack.restart({ catalog: testCatalog({}, { ordersPerHour: 2 }) });
    for (const subscription of ["a", "b", "c"]) await buy(subscription);
    await minutes(5);
    expect(done(stack)).toHaveLength(2);
  });
});

test("a lost purchase is resolved after an outage of hours", async () => {
  await orderKnownLicense();
  stack.sandbox?.plan({ fault: "drop_before_acting", func: "order" });
  stack.sandbox?.plan({ fault: "503", func: "list", times: 5 });
  await buy();
  await minutes(180);
  expect(done(stack)).toEqual(["order 334673", "order 334674"]);
});

test("an order that billmgr finishes after a day is settled, and its attention item is closed", async () => {
  stack.sandbox?.configure({ stuckProcessing: true });
  await buy();
  await minutes(30 * 60);
  expect((await stateOf(stack))?.attention).toBeDefined();
  stack.sandbox?.configure({ stuckProcessing: false });
  await minutes(120);
  await minutes(1);
  expect(await lastOperation(stack)).toMatchObject({ outcome: "done" });
  expect((await stateOf(stack))?.attention).toBeUndefined();
});

test("a license that someone else deleted needs no delete call", async () => {
  await stack.restart({ catalog: testCatalog({ onEnd: "delete" }) });
  await buy();
  await minutes(1);
  stack.sandbox?.configure({ deletedLinger: false });
  await postToBillmgr(stack, { func: "platform.delete", elid: "334673" });
  await tell(stack, "subscription.cancelled", {});
  await advanceDays(stack, 15);
  expect((await stateOf(stack))?.slots).toMatchObject([{ generation: 2 }]);
});

test("an order that billmgr processes for hours is observed repeatedly and not repeated", async () => {
  stack.sandbox?.configure({ stuckProcessing: true });
  await buy();
  await minutes(300);
  expect((await stateOf(stack))?.operation).toMatchObject({ state: "unconfirmed" });
  stack.sandbox?.configure({ stuckProcessing: false });
  await minutes(120);
  expect(done(stack)).toEqual(["order 334673"]);
  expect(await lastOperation(stack)).toMatchObject({ state: "finished", outcome: "done" });
});

test("authinfo is in no URL, stored item, or log, although billmgr echoes it", async () => {
  knowingly("a reply of billmgr");
  const lines: string[] = [];
  const log = (message: string, fields: object) => lines.push(message + JSON.stringify(fields));
  await stack.restart({ log: { info: log, warn: log, error: log } });
  stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: authinfo });
  await buy();
  await stack.settle();
  expect(stack.sandbox?.snapshot().calls.some((call) => call.authinfoInUrl)).toBe(false);
  expect(lines.join("\n") + JSON.stringify(await stateOf(stack))).not.toContain("correct-horse");
});
