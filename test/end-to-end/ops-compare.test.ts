import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { preview } from "../../operator/actions/preview.ts";
import { reconcile } from "../../operator/actions/reconcile.ts";
import { type Connection, connect } from "../../operator/cli/connect.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { authinfo, done, inDays, paid, startTestStack, tell } from "../support/local.ts";
import { invoice, stripeEvent } from "../support/stripe.ts";

let stack: LocalStack;
let deps: Connection;
beforeEach(async () => {
  stack = await startTestStack();
  deps = await connect({ url: stack.url });
});
afterEach(async () => {
  deps.close();
  await stack.stop();
});

const minutes = (count: number) => stack.advanceTo(new Date(stack.clock.now().getTime() + count * 60_000));
const buy = (subscription: string) => tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }));
/** The connection goes by the time at which it was made. */
const connectAgain = async () => {
  deps.close();
  deps = await connect({ url: stack.url });
  return deps;
};
/** As somebody in billmgr's client area. */
const inBillmgr = (form: Record<string, string>) =>
  fetch(`${stack.url}/manager/billmgr`, {
    method: "POST",
    body: new URLSearchParams({ authinfo, out: "xml", ...form }),
  });
const order = {
  func: "platform.order.param",
  clicked_button: "finish",
  sok: "ok",
  skipbasket: "on",
  pricelist: "55161",
  period: "1",
};

describe("reconcile", () => {
  test("finds all in agreement, and reads only", async () => {
    await buy("a");
    await buy("b");
    await tell(stack, "subscription.paused", { subscription: "b" });
    await minutes(1);
    const before = done(stack);
    expect(await reconcile(deps)).toEqual({
      subscriptions: 2,
      licenses: 2,
      differences: [],
      orphans: [],
      expired: [],
      others: 0,
      incomplete: {},
    });
    expect(done(stack)).toEqual(before);
  });

  test("finds each difference that somebody made in billmgr, and licenses that nobody knows", async () => {
    for (const subscription of ["a", "b", "c", "d"]) await buy(subscription);
    await minutes(1);
    await inBillmgr({ func: "service.prolong", elid: "334673", period: "1", sok: "ok" });
    await inBillmgr({ func: "platform.suspend", elid: "334674" });
    await inBillmgr({ func: "platform.delete", elid: "334675" });
    await inBillmgr({ ...order, comment: "bw-0123456789abcdef-1-1" });
    await inBillmgr({ ...order, comment: "my own" });
    await inBillmgr({ ...order, comment: "bw-0123456789abcdef-1-2" });
    await inBillmgr({ func: "platform.delete", elid: "334679" });
    await minutes(1);
    const { differences, ...found } = await reconcile(deps);
    expect(
      differences.map(({ subscription, elid, what, known, billmgr }) => [subscription, elid, what, known, billmgr]),
    ).toEqual(
      expect.arrayContaining([
        ["standard/a", "334673", "expiry", "2026-12-23", "2027-01-23"],
        ["standard/b", "334674", "status", "active", "stopped"],
        ["standard/c", "334675", "deleted", "there", "deleted"],
      ]),
    );
    expect(differences).toHaveLength(3);
    expect(found).toMatchObject({
      licenses: 4,
      orphans: [{ elid: "334677", family: "platform", reference: "bw-0123456789abcdef-1-1" }],
      expired: [],
      others: 1,
    });
  });

  test("tells which licenses billmgr has stopped at their expiry, which is no difference", async () => {
    await buy("a");
    await stack.advanceTo(inDays(stack, 31));
    await buy("b");
    await minutes(1);
    const expired = [{ subscription: "standard/a", elid: "334673", expiry: "2026-12-23" }];
    expect(await reconcile(await connectAgain())).toMatchObject({ licenses: 2, differences: [], orphans: [], expired });
  });

  test("tells whose a license is that was ordered and lost, and that its operation is open", async () => {
    stack.sandbox?.plan({ fault: "act_then_drop", func: "order" });
    await buy("a");
    await stack.settle();
    expect(await reconcile(deps)).toMatchObject({ orphans: [{ elid: "334673", of: "standard/a" }], differences: [] });
    await minutes(5);
    stack.sandbox?.plan({ fault: "act_then_drop", func: "suspend" });
    await tell(stack, "subscription.paused", { subscription: "a" });
    await stack.settle();
    expect(await reconcile(deps)).toMatchObject({ orphans: [], differences: [{ what: "status", settling: true }] });
  });

  test("a deleted license that billmgr does not list any more is missing; two subscriptions with one license are told", async () => {
    await buy("a");
    await buy("b");
    await minutes(1);
    stack.sandbox?.configure({ deletedLinger: false });
    await inBillmgr({ func: "platform.delete", elid: "334673" });
    const held = await stack.table.load("subscription#standard/b");
    if (!held) throw new Error("nothing is stored");
    const [slot] = held.subscription.slots;
    if (!slot?.license) throw new Error("no license is stored");
    const slots = [slot, { ...slot, n: 2, license: { ...slot.license, elid: "334674" } }];
    await stack.table.save("subscription#standard/b", { ...held, subscription: { ...held.subscription, slots } });
    const { differences } = await reconcile(deps);
    expect(differences.map(({ elid, what }) => [elid, what])).toEqual([
      ["334674", "held twice"],
      ["334673", "missing"],
      ["334674", "reference"],
    ]);
  });

  test("what the list does not show is no difference, and what a filter may hide is told", async () => {
    await buy("a");
    await minutes(1);
    stack.sandbox?.configure({ listShowsRemoteid: false, listShowsComment: false, filterSubmit: "refused" });
    expect(await reconcile(deps)).toMatchObject({
      differences: [],
      orphans: [],
      incomplete: { platform: "the filter of the list could not be emptied" },
    });
  });
});

describe("preview", () => {
  const standard = (type: string, data: object) => ({
    storefront: "standard",
    headers: { "webhook-id": "m1" },
    body: { type, timestamp: stack.clock.now().toISOString(), data: { subscription: "42", ...data } },
  });
  const now = () => toInstant(stack.clock.now());

  test("the calls of a first purchase, with their parameters and what comes then; nothing is done", async () => {
    expect(await preview(standard("payment.succeeded", paid(inDays(stack, 59))), now(), deps)).toEqual([
      {
        event: "m1",
        type: "payment.succeeded",
        subscription: "standard/42",
        known: false,
        changes: [
          {
            what: "order vmmanager6 for a month",
            why: expect.stringContaining("paid through 2027-01-21"),
            params: expect.objectContaining({ func: "platform.order.param", pricelist: "55163", addon_55165: "1" }),
          },
          {
            what: "prolong license <license 1> to 2027-01-23",
            why: expect.any(String),
            params: expect.objectContaining({ func: "service.prolong", period: "1" }),
          },
        ],
        next: { kind: "settled", until: expect.stringContaining("2027-01-21") },
      },
    ]);
    await minutes(1);
    expect(done(stack)).toEqual([]);
    expect(await stack.table.load("subscription#standard/42")).toBeUndefined();
  });

  test("what was said would be called is what is called", async () => {
    await buy("42");
    await minutes(1);
    const known = await stack.table.load("subscription#standard/42");
    const [response] = await preview(standard("subscription.changed", { plan: "dci6-monthly" }), now(), deps);
    expect(await stack.table.load("subscription#standard/42")).toEqual(known);
    const calls = response && "changes" in response ? response.changes.map(({ params }) => params) : [];
    await tell(stack, "subscription.changed", { plan: "dci6-monthly" });
    await minutes(1);
    const made = (stack.sandbox?.ledger() ?? []).slice(1).map(({ params }) => params);
    expect(made).toEqual(calls);
    expect(calls.map(({ func }) => func)).toEqual(["platform.order.param", "platform.delete"]);
  });

  test("at another time", async () => {
    await buy("42");
    await minutes(1);
    const [response] = await preview(standard("payment.failed", {}), toInstant(inDays(stack, 34)), deps);
    expect(response).toMatchObject({ known: true, changes: [{ what: "suspend license 334673" }] });
  });

  test.each<[string, unknown, string]>([
    [
      "what nobody understands",
      { type: "payment.succeeded", timestamp: "2026-11-23T08:00:00Z", data: {} },
      "not understood, a person is needed",
    ],
    ["what means nothing", { type: "tea.ready" }, "ignored: no such type"],
  ])("%s", async (_, body, why) => {
    const response = await preview({ storefront: "standard", headers: {}, body }, now(), deps);
    expect(response).toMatchObject([{ nothing: expect.stringContaining(why) }]);
  });

  test("of what is about a payment follows its links, or says that there is none yet", async () => {
    const refund = stripeEvent("charge.refunded", {
      id: "ch_1",
      amount: 2000,
      amount_refunded: 2000,
      refunded: true,
      payment_intent: "pi_1",
    });
    const of = { storefront: "stripe", headers: {}, body: refund };
    expect(await preview(of, now(), deps)).toMatchObject([
      { nothing: expect.stringContaining("stripe/pi_1 is linked to no") },
    ]);
    const bought = { storefront: "stripe", headers: {}, body: stripeEvent("invoice.paid", invoice()) };
    expect(await preview(bought, now(), deps)).toMatchObject([{ subscription: "stripe/sub_1" }]);
    await deps.table.putLink("reference#stripe/pi_1", "reference#stripe/in_1");
    await deps.table.putLink("reference#stripe/in_1", "subscription#stripe/sub_1");
    expect(await preview(of, now(), deps)).toMatchObject([{ subscription: "stripe/sub_1", changes: [] }]);
  });

  test("test mode counts only where the policy lets it", async () => {
    const body = stripeEvent("invoice.paid", invoice(), { livemode: false });
    const { policy, ...catalog } = deps.catalog;
    const strict = { ...deps, catalog: { ...catalog, policy: { ...policy, acceptTestMode: false } } };
    const response = await preview({ storefront: "stripe", headers: {}, body }, now(), strict);
    expect(response).toMatchObject([{ nothing: expect.stringContaining("test mode") }]);
  });

  test("of no storefront", async () => {
    await expect(preview({ storefront: "strip", headers: {}, body: {} }, now(), deps)).rejects.toThrow(
      PreconditionFailed,
    );
  });
});
