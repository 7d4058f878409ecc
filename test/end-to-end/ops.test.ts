import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Options } from "../../local/stack.ts";
import { attention } from "../../operator/actions/attention.ts";
import { dismiss, replay, replayForSubscription } from "../../operator/actions/events.ts";
import { halt, resume } from "../../operator/actions/halt.ts";
import { reconcile } from "../../operator/actions/reconcile.ts";
import { resolve, retry } from "../../operator/actions/repair.ts";
import { show, showEvent } from "../../operator/actions/show.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import {
  advanceMinutes,
  done,
  inDays,
  orderForm,
  paid,
  postToBillmgr,
  stateOf,
  tell,
  tellStripe,
  testCatalog,
} from "../support/local.ts";
import { invoice, stripeEvent, unix } from "../support/stripe.ts";
import { useConnection, useTestStack } from "../support/test-stack.ts";

const stack = useTestStack();
const deps = useConnection(stack);
const restart = async (options: Partial<Options>) => {
  await stack.restart(options);
  await deps.reconnect();
};

const minutes = (count: number) => advanceMinutes(stack, count);
const buy = (subscription = "42") => tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }));
/** Acts as a user of billmgr's client area. */
const inBillmgr = (form: Record<string, string>) => postToBillmgr(stack, form);
const buyInBillmgr = (more: Record<string, string>) => inBillmgr({ ...orderForm, ...more });

/** The response was lost, and no list shows the result of the order. */
async function loseOrder(fault: "act_then_drop" | "drop_before_acting") {
  stack.sandbox?.configure({ listShowsRemoteid: false, listShowsComment: false });
  stack.sandbox?.plan({ fault, func: "order" });
  await buy();
  await stack.settle();
  stack.sandbox?.plan({ fault: "error", func: "list", type: "access", times: 999 });
  await minutes(26 * 60);
}

describe("an order with an unknown outcome", () => {
  test("needs attention, with the repairs that apply", async () => {
    await loseOrder("act_then_drop");
    expect(await attention(deps)).toMatchObject({
      items: [{ kind: "subscription", name: "standard/42", repairs: ["retry", "adopt", "never-bought"] }],
    });
  });

  test("is resolved by adopting the license that the operator found", async () => {
    await loseOrder("act_then_drop");
    await resolve("standard/42", { as: "adopt", elid: "334673" }, deps);
    await minutes(1);
    expect(await stateOf(stack)).toMatchObject({
      slots: [{ license: { elid: "334673", expiry: "2026-12-23" } }],
    });
    expect(await stack.table.operations("subscription#standard/42")).toMatchObject([
      { n: 1, outcome: "done", resolved: { as: "adopt 334673" } },
    ]);
    expect((await attention(deps)).items).toEqual([]);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("is repeated exactly once after never-bought", async () => {
    await loseOrder("drop_before_acting");
    // The guard of the next order has to read the list.
    stack.sandbox?.faults.clear();
    await resolve("standard/42", { as: "never-bought" }, deps);
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
    expect(await stack.table.operations("subscription#standard/42")).toMatchObject([
      { n: 1, outcome: "gave_up", resolved: { as: "never bought" } },
      { n: 2, outcome: "done" },
    ]);
    await expect(resolve("standard/42", { as: "never-bought" }, deps)).rejects.toThrow("no operation is open");
    await minutes(60);
    expect(done(stack)).toHaveLength(1);
  });

  test("is not changed by a resolution of another operation", async () => {
    await loseOrder("drop_before_acting");
    const resolving = resolve("standard/42", { as: "never-bought", operation: 2 }, deps);
    await expect(resolving).rejects.toThrow(
      "standard/42 is at operation 1 now, and this resolution is for 2; look again",
    );
    expect((await stateOf(stack))?.operation).toMatchObject({ n: 1, state: "unknown" });
    await resolve("standard/42", { as: "never-bought", operation: 1 }, deps);
    expect((await stack.table.operations("subscription#standard/42"))[0]).toMatchObject({ n: 1, outcome: "gave_up" });
  });

  test.each<[string, string, string]>([
    ["does not exist", "1", "billmgr has no license 1 of platform"],
    ["was bought by other means, for something else", "334673", 'has the comment "for myself" instead of bw-'],
    ["is deleted", "334674", "license 334674 is deleted"],
    ["is not a number", "x", "expected a license number"],
  ])("a license that %s is not adopted, and nothing is changed", async (_, elid, why) => {
    await buyInBillmgr({ comment: "for myself" });
    await buyInBillmgr({});
    await inBillmgr({ func: "platform.delete", elid: "334674" });
    await loseOrder("drop_before_acting");
    const before = await stack.table.load("subscription#standard/42");
    const adopting = resolve("standard/42", { as: "adopt", elid }, deps);
    await expect(adopting).rejects.toThrow(why);
    await expect(adopting).rejects.toThrow(PreconditionFailed);
    expect(await stack.table.load("subscription#standard/42")).toEqual(before);
  });

  test("is filled, after a refusal, by a license without a reference, for one subscription only", async () => {
    await buyInBillmgr({ addon_55165: "1" });
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist", times: 2 });
    await buy("41");
    await buy("42");
    await minutes(1);
    await resolve("standard/42", { as: "adopt", elid: "334673" }, deps);
    await minutes(1);
    expect(await stateOf(stack)).toMatchObject({ slots: [{ license: { elid: "334673" } }] });
    expect(await stack.table.operations("subscription#standard/42")).toMatchObject([{}, { n: 2, outcome: "done" }]);
    const again = resolve("standard/41", { as: "adopt", elid: "334673" }, deps);
    await expect(again).rejects.toThrow("license 334673 is already assigned to standard/42");
    expect(done(stack)).toEqual(["order 334673"]);
    expect(await reconcile(deps)).toMatchObject({ licenses: 1, differences: [] });
  });
});

describe("other repairs", () => {
  test("a retry repeats a refused call immediately", async () => {
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
    await buy();
    await stack.settle();
    expect((await attention(deps)).items).toMatchObject([{ reason: expect.stringContaining("error value/pricelist") }]);
    const sent: unknown[] = [];
    const send: typeof deps.send = async (messages) => {
      sent.push(...messages.map(({ message }) => message));
      await deps.send(messages);
    };
    await retry("standard/42", { ...deps, send });
    await stack.settle();
    expect(sent).toEqual([{ key: "subscription#standard/42", kind: "wake" }]);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("concurrent retries all succeed, despite version conflicts", async () => {
    await buy();
    await stack.settle();
    await Promise.all([retry("standard/42", deps), retry("standard/42", deps), retry("standard/42", deps)]);
    await stack.settle();
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("a license that was deleted in billmgr is replaced only after gone", async () => {
    await buy();
    await minutes(1);
    await expect(resolve("standard/42", { as: "gone", elid: "334673" }, deps)).rejects.toThrow(
      "as active, so it is not gone",
    );
    await inBillmgr({ func: "platform.delete", elid: "334673" });
    await resolve("standard/42", { as: "gone", elid: "334673" }, deps);
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673", "delete 334673", "order 334674"]);
    expect(await stateOf(stack)).toMatchObject({ slots: [{ generation: 2, license: { elid: "334674" } }] });
    expect(await stack.table.operations("subscription#standard/42")).toMatchObject([
      { n: 1 },
      { n: 2, outcome: "already_done", resolved: { as: "gone" } },
      { n: 3, outcome: "done" },
    ]);
  });

  test("done is refused while billmgr shows the opposite", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await minutes(1);
    stack.sandbox?.plan({ fault: "drop_before_acting", func: "suspend" });
    await tell(stack, "subscription.paused", {});
    await minutes(3);
    await expect(resolve("standard/42", { as: "done" }, deps)).rejects.toThrow("is active until");
    await inBillmgr({ func: "platform.suspend", elid: "334673" });
    await resolve("standard/42", { as: "done" }, deps);
    expect((await stateOf(stack))?.slots[0]?.license?.suspended).toBe(true);
  });

  test("done is refused for a prolong until the expiry has moved and the license is active", async () => {
    await buy();
    await minutes(1);
    stack.sandbox?.configure({ stuckProcessing: true });
    stack.sandbox?.plan({ fault: "drop_before_acting", func: "prolong" });
    await tell(stack, "payment.succeeded", paid(inDays(stack, 60)));
    await minutes(5);
    await expect(resolve("standard/42", { as: "done" }, deps)).rejects.toThrow("until 2026-12-23");
    await inBillmgr({ func: "service.prolong", elid: "334673", period: "1", sok: "ok" });
    await expect(resolve("standard/42", { as: "done" }, deps)).rejects.toThrow("is processing");
    stack.sandbox?.configure({ stuckProcessing: false });
    await minutes(90);
    expect((await stateOf(stack))?.slots[0]?.license?.expiry).toBe("2027-01-23");
    expect(done(stack).filter((one) => one.startsWith("prolong"))).toHaveLength(1);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ["an unknown subscription", () => retry("standard/none", deps), "no subscription standard/none is known"],
    ["an unknown storefront", () => retry("strpe/1", deps), 'did you mean "stripe"?'],
    ["a name without an id", () => retry("standard", deps), "expected a storefront and an id"],
  ])("%s is explained", async (_, act, why) => {
    await expect(act()).rejects.toThrow(why);
  });
});

test("a halt stops all calls; resuming makes them immediately, and none twice", async () => {
  expect(await halt("maintenance", deps)).toMatchObject({ reason: "maintenance" });
  expect(await halt("another", deps)).toMatchObject({ reason: "maintenance" });
  await buy("a");
  await buy("b");
  await minutes(30);
  expect(done(stack)).toEqual([]);
  expect(await attention(deps)).toMatchObject({ halt: { reason: "maintenance" }, items: [] });
  expect(await resume(deps)).toMatchObject({ lifted: { reason: "maintenance" }, woken: 2 });
  await stack.settle();
  expect(done(stack)).toEqual(["order 334673", "order 334674"]);
  expect(await resume(deps)).toEqual({ woken: 0 });
});

test("a backoff that ends after the resume keeps its time", async () => {
  stack.sandbox?.plan({ fault: "error", type: "auth", func: "order" });
  await buy("a");
  await stack.settle();
  expect(await stack.table.halt()).toBeDefined();
  expect(await resume(deps)).toMatchObject({ woken: 1 });
  await stack.settle();
  expect(done(stack)).toEqual([]);
  await minutes(1);
  expect(done(stack)).toEqual(["order 334673"]);
});

test("a license bought by other means is adopted instead of ordered during a halt", async () => {
  await buyInBillmgr({ addon_55165: "1", addon_55164: "5" });
  await halt("moving in", deps);
  await buy();
  await minutes(1);
  await resolve("standard/42", { as: "adopt", elid: "334673" }, deps);
  await minutes(1);
  expect((await stateOf(stack))?.operation).toMatchObject({ state: "unconfirmed" });
  await resume(deps);
  await minutes(1);
  expect(done(stack)).toEqual(["order 334673", "edit 334673"]);
  expect(stack.sandbox?.licenses()).toMatchObject([{ addons: { 55165: 1, 55164: 0 } }]);
});

test("a password refused to an operator halts the system, and is not tried again by the same command", async () => {
  stack.sandbox?.plan({ fault: "error", func: "read", type: "auth", object: "badpassword", times: 9 });
  await expect(deps.billmgr.license("platform", "1")).rejects.toThrow("badpassword");
  await expect(deps.billmgr.license("platform", "1")).rejects.toThrow("all calls are halted");
  expect(await stack.table.halt()).toMatchObject({ reason: expect.stringContaining("badpassword") });
  expect(stack.sandbox?.snapshot().calls.filter(({ operation }) => operation === "read")).toHaveLength(1);
});

describe("an event", () => {
  /** Cannot be understood until the shop is fixed. */
  const sendUnparseable = () => tell(stack, "payment.succeeded", { plan: "vm6-monthly", payment: "p1" }, { id: "odd" });

  test("that is still not understood keeps its attention item; dismiss removes the item and keeps the event", async () => {
    await sendUnparseable();
    await stack.settle();
    expect(await attention(deps)).toMatchObject({ items: [{ kind: "event", name: "standard/odd" }] });
    expect(await replay("standard/odd", deps)).toEqual({
      kind: "unparseable",
      reason: "data.paidThrough or data.months: missing",
    });
    expect((await attention(deps)).items).toHaveLength(1);
    await dismiss("standard/odd", "the shop's own test", deps);
    expect((await attention(deps)).items).toEqual([]);
    const [event] = await stack.table.events("event#standard/odd");
    expect(event).toMatchObject({ status: "unparseable", resolution: { as: "dismissed", why: "the shop's own test" } });
    await expect(dismiss("standard/odd", "again", deps)).rejects.toThrow("does not need attention");
    await expect(replay("standard/none", deps)).rejects.toThrow("no event standard/none is known");
  });

  test("with the same id as another has its own attention item", async () => {
    await sendUnparseable();
    await stack.settle();
    const [first] = await stack.table.events("event#standard/odd");
    if (!first) throw new Error("nothing is stored");
    const second = { ...first.received, occurredAt: "2026-01-01T00:00:00.000Z" };
    await stack.table.putEvent("event#standard/odd", second, [], { status: "unparseable", reason: "another" });
    await stack.table.resolveEvent("event#standard/odd", first.received, [], { as: "dismissed", at: "", why: "" });
    expect((await attention(deps)).items).toMatchObject([{ reason: "another" }]);
  });

  test("that the current version understands is applied and leaves the list", async () => {
    // As an earlier version would have stored it: only this version understands it.
    const data = { subscription: "42", ...paid(inDays(stack, 30)) };
    const body = JSON.stringify({ type: "payment.succeeded", timestamp: stack.clock.now().toISOString(), data });
    const now = stack.clock.now().toISOString();
    const received = { id: "odd", type: "payment.succeeded", occurredAt: now, receivedAt: now, body };
    const of = { ...received, headers: { "webhook-id": "odd" } };
    await stack.table.putEvent("event#standard/odd", of, [], { status: "unparseable", reason: "not understood" });
    expect(await replay("standard/odd", deps)).toEqual({
      kind: "understood",
      as: "replayed",
      why: "payment.succeeded of standard/42",
    });
    await stack.settle();
    expect(done(stack)).toEqual(["order 334673"]);
    expect((await attention(deps)).items).toEqual([]);
    // A second replay changes nothing.
    await replay("standard/odd", deps);
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("for a plan that was missing in the catalog is applied after the catalog is fixed", async () => {
    const data = mkdtempSync(join(tmpdir(), "billmgr-webhooks-ops-"));
    const { "vm6-monthly": _, ...plans } = testCatalog().plans;
    await restart({ data, catalog: { ...testCatalog(), plans } });
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)), { id: "bought" });
    await stack.settle();
    expect((await attention(deps)).items).toMatchObject([{ reason: expect.stringContaining("as vm6-monthly") }]);
    await restart({ data, clock: inDays(stack, 1) });
    const replayed = await replayForSubscription("standard/42", "bought", deps);
    expect(replayed).toEqual({ kind: "understood", as: "replayed", why: "payment.succeeded of standard/42" });
    await stack.settle();
    expect(done(stack)).toEqual(["order 334673"]);
    await restart({});
    rmSync(data, { recursive: true });
  });

  test("of a subscription that was misread is replayed, and the subscription is refolded", async () => {
    await buy();
    await minutes(1);
    const key = "subscription#standard/42";
    const [event] = await stack.table.events(key);
    const stored = await stack.table.load(key);
    if (!event || !stored) throw new Error("nothing is stored");
    // As an earlier version could have misread it: paid for nine more years.
    const longer = JSON.parse(
      JSON.stringify([event.events, stored.subscription]).replaceAll('"through":"2026', '"through":"2035'),
    );
    const settled = { as: "replayed" as const, at: stack.clock.now().toISOString(), why: "misread" };
    await stack.table.resolveEvent(key, event.received, longer[0], settled);
    await stack.table.save(key, { ...stored, subscription: longer[1] });
    expect((await stateOf(stack))?.payments).not.toEqual(stored.subscription.payments);
    expect(await replayForSubscription("standard/42", event.received.id, deps)).toMatchObject({ as: "replayed" });
    await stack.settle();
    expect((await stateOf(stack))?.payments).toEqual(stored.subscription.payments);
    expect(done(stack)).toEqual(["order 334673"]);
    await expect(replayForSubscription("standard/42", "none", deps)).rejects.toThrow("has no event none");
  });

  test("about a linked payment is replayed under the payment id that is used here", async () => {
    const tellAll = async (...all: [string, object][]) => {
      for (const [i, [type, object]] of all.entries()) {
        await tellStripe(
          stack,
          stripeEvent(type, { ...object }, { id: `evt_${type}`, created: unix(`2027-02-0${i + 1}`) }),
        );
        await stack.settle();
      }
    };
    await tellAll(
      ["invoice.paid", invoice()],
      [
        "invoice_payment.paid",
        { id: "inpay_1", invoice: "in_1", payment: { type: "payment_intent", payment_intent: "pi_1" } },
      ],
      ["charge.refunded", { id: "ch_1", amount: 2000, amount_refunded: 2000, refunded: true, payment_intent: "pi_1" }],
    );
    const payments = (await stateOf(stack, "stripe/sub_1"))?.payments;
    expect(payments).toMatchObject([{ id: "in_1", revocations: [{ held: { value: true } }] }]);
    expect(await replayForSubscription("stripe/sub_1", "evt_charge.refunded", deps)).toMatchObject({ as: "replayed" });
    await stack.settle();
    expect((await stateOf(stack, "stripe/sub_1"))?.payments).toEqual(payments);
  });

  test("with a long body is stored compressed and replayed", async () => {
    const long = "x".repeat(50_000);
    await tell(stack, "payment.succeeded", { plan: "vm6-monthly", payment: "p1", note: long }, { id: "long" });
    await stack.settle();
    expect((await stack.table.events("event#standard/long"))[0]?.received.body).toMatch(/^gzip:/);
    expect((await showEvent("standard/long", deps))[0]?.body).toContain(long);
    expect(await replay("standard/long", deps)).toEqual({
      kind: "unparseable",
      reason: "data.paidThrough or data.months: missing",
    });
  });

  test("is not replayed if that would lose a payment that no stored event contains", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)), { id: "bought" });
    await minutes(1);
    const key = "subscription#standard/42";
    const stored = await stack.table.load(key);
    if (!stored) throw new Error("nothing is stored");
    const payments = [...stored.subscription.payments, { id: "of long ago" }];
    await stack.table.save(key, { ...stored, subscription: { ...stored.subscription, payments } });
    await expect(replayForSubscription("standard/42", "bought", deps)).rejects.toThrow(
      "payment of long ago is not contained in any stored event",
    );
    expect((await stateOf(stack))?.payments).toEqual(payments);
  });
});

test("attention includes an overdue subscription and a low balance", async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await minutes(1);
  const stored = await stack.table.load("subscription#standard/42");
  if (!stored) throw new Error("nothing is stored");
  expect(await attention(deps)).toEqual({ items: [] });
  const due = new Date(stack.clock.now().getTime() - 6 * 60_000).toISOString();
  await stack.table.save("subscription#standard/42", { ...stored, due });
  const balance = { amount: 5, currency: "EUR", at: due, low: true };
  await stack.table.putBalance(balance);
  expect(await attention(deps)).toEqual({ overdue: { name: "standard/42", since: due }, balance, items: [] });
});

test("the history contains events and operations in order, and no secret", async () => {
  await buy();
  await minutes(1);
  await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 3 });
  await minutes(1);
  const history = await show("standard/42", deps);
  expect(history?.entries.map((one) => ("event" in one ? one.event.received.type : one.operation.change.kind))).toEqual(
    ["payment.succeeded", "order", "subscription.changed", "edit"],
  );
  expect(history).toMatchObject({
    next: { kind: "settled" },
    subscription: { slots: [{ license: { elid: "334673" } }] },
  });
  expect(JSON.stringify(history)).not.toContain("correct-horse");
  expect(await show("standard/none", deps)).toBeUndefined();
});
