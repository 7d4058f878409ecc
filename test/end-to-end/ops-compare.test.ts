import { describe, expect, test } from "vitest";
import { preview } from "../../operator/actions/preview.ts";
import { reconcile } from "../../operator/actions/reconcile.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { advanceMinutes, done, inDays, orderForm, paid, postToBillmgr, tell } from "../support/local.ts";
import { invoice, stripeEvent } from "../support/stripe.ts";
import { useConnection, useTestStack } from "../support/test-stack.ts";

const stack = useTestStack();
const deps = useConnection(stack);

const minutes = (count: number) => advanceMinutes(stack, count);
const buy = (subscription: string) => tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }));
/** Acts as a user of billmgr's client area. */
const inBillmgr = (form: Record<string, string>) => postToBillmgr(stack, form);
const order = { ...orderForm, pricelist: "55161" };

describe("reconcile", () => {
  test("reports no differences, and only reads", async () => {
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

  test("reports each change that was made in billmgr, and unknown licenses", async () => {
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
      differences.map(({ subscription, elid, what, recorded, billmgr }) => [
        subscription,
        elid,
        what,
        recorded,
        billmgr,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ["standard/a", "334673", "expiry", "2026-12-23", "2027-01-23"],
        ["standard/b", "334674", "status", "active", "stopped"],
        ["standard/c", "334675", "deleted", "exists", "deleted"],
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

  test("lists licenses that billmgr stopped at expiry, but not as differences", async () => {
    await buy("a");
    await stack.advanceTo(inDays(stack, 31));
    await buy("b");
    await minutes(1);
    const expired = [{ subscription: "standard/a", elid: "334673", expiry: "2026-12-23" }];
    expect(await reconcile(deps)).toMatchObject({ licenses: 2, differences: [], orphans: [], expired });
  });

  test("names the subscription of a license whose order got no response, and marks open operations", async () => {
    stack.sandbox?.plan({ fault: "act_then_drop", func: "order" });
    await buy("a");
    await stack.settle();
    expect(await reconcile(deps)).toMatchObject({
      orphans: [{ elid: "334673", subscription: "standard/a" }],
      differences: [],
    });
    await minutes(5);
    stack.sandbox?.plan({ fault: "act_then_drop", func: "suspend" });
    await tell(stack, "subscription.paused", { subscription: "a" });
    await stack.settle();
    expect(await reconcile(deps)).toMatchObject({ orphans: [], differences: [{ what: "status", settling: true }] });
  });

  test("reports a license that is no longer listed as missing, and one in two subscriptions", async () => {
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
      ["334674", "assigned twice"],
      ["334673", "missing"],
      ["334674", "reference"],
    ]);
  });

  test("ignores fields that the list does not show, and reports an incomplete list", async () => {
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

  test("shows the calls of a first purchase with their parameters, and makes none", async () => {
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
        next: { kind: "settled", until: expect.stringContaining("2027-01-21"), attention: [], blocked: [] },
      },
    ]);
    await minutes(1);
    expect(done(stack)).toEqual([]);
    expect(await stack.table.load("subscription#standard/42")).toBeUndefined();
  });

  test("shows exactly the calls that are made later", async () => {
    await buy("42");
    await minutes(1);
    const known = await stack.table.load("subscription#standard/42");
    const [previewed] = await preview(standard("subscription.changed", { plan: "dci6-monthly" }), now(), deps);
    expect(await stack.table.load("subscription#standard/42")).toEqual(known);
    const calls = previewed && "changes" in previewed ? previewed.changes.map(({ params }) => params) : [];
    await tell(stack, "subscription.changed", { plan: "dci6-monthly" });
    await minutes(1);
    const made = (stack.sandbox?.ledger() ?? []).slice(1).map(({ params }) => params);
    expect(made).toEqual(calls);
    expect(calls.map(({ func }) => func)).toEqual(["platform.order.param", "platform.delete"]);
  });

  test("uses the given time", async () => {
    await buy("42");
    await minutes(1);
    const [previewed] = await preview(standard("payment.failed", {}), toInstant(inDays(stack, 34)), deps);
    expect(previewed).toMatchObject({ known: true, changes: [{ what: "suspend license 334673" }] });
  });

  test.each<[string, unknown, string]>([
    [
      "says that an event is not understood",
      { type: "payment.succeeded", timestamp: "2026-11-23T08:00:00Z", data: {} },
      "not understood, needs attention",
    ],
    ["says that an event is ignored", { type: "tea.ready" }, "ignored: no such type"],
  ])("%s", async (_, body, why) => {
    const previews = await preview({ storefront: "standard", headers: {}, body }, now(), deps);
    expect(previews).toMatchObject([{ nothing: expect.stringContaining(why) }]);
  });

  test("follows the links of a payment, or reports that there is none yet", async () => {
    const refund = stripeEvent("charge.refunded", {
      id: "ch_1",
      amount: 2000,
      amount_refunded: 2000,
      refunded: true,
      payment_intent: "pi_1",
    });
    const of = { storefront: "stripe", headers: {}, body: refund };
    expect(await preview(of, now(), deps)).toMatchObject([
      { nothing: expect.stringContaining("stripe/pi_1 is not linked to") },
    ]);
    const bought = { storefront: "stripe", headers: {}, body: stripeEvent("invoice.paid", invoice()) };
    expect(await preview(bought, now(), deps)).toMatchObject([{ subscription: "stripe/sub_1" }]);
    await deps.table.putLink("reference#stripe/pi_1", "reference#stripe/in_1");
    await deps.table.putLink("reference#stripe/in_1", "subscription#stripe/sub_1");
    expect(await preview(of, now(), deps)).toMatchObject([{ subscription: "stripe/sub_1", changes: [] }]);
  });

  test("refuses test mode unless the policy accepts it", async () => {
    const body = stripeEvent("invoice.paid", invoice(), { livemode: false });
    const { policy, ...catalog } = deps.catalog;
    const strict = { ...deps, catalog: { ...catalog, policy: { ...policy, acceptTestMode: false } } };
    const previews = await preview({ storefront: "stripe", headers: {}, body }, now(), strict);
    expect(previews).toMatchObject([{ nothing: expect.stringContaining("test mode") }]);
  });

  test("refuses an unknown storefront", async () => {
    await expect(preview({ storefront: "strip", headers: {}, body: {} }, now(), deps)).rejects.toThrow(
      PreconditionFailed,
    );
  });
});
