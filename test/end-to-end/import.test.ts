import { describe, expect, test } from "vitest";
import { replayForSubscription } from "../../operator/actions/events.ts";
import { halt, resume } from "../../operator/actions/halt.ts";
import { checkImport, executeMove, type Line } from "../../operator/actions/import.ts";
import { reconcile } from "../../operator/actions/reconcile.ts";
import { resolve } from "../../operator/actions/repair.ts";
import { show } from "../../operator/actions/show.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { referenceOf } from "../../shared/licensing/operation.ts";
import { startOf } from "../../shared/licensing/time.ts";
import { done, inDays, lastOperation, paid, stateOf, tell, tellStripe, testCatalog } from "../support/local.ts";
import { lineOf, useShop } from "../support/moving-in.ts";
import { invoice, line as invoiceLine, stripeEvent, unix } from "../support/stripe.ts";

const shop = useShop();
const { stack, deps } = shop;

describe("an imported license", () => {
  test("is prolonged by its customer's next payment, and nothing is ordered", async () => {
    const elid = await shop.buy({ comment: "for Mr. Miller" });
    const { moves } = await shop.importAll(lineOf({ elid, customer: "c-7", email: "m@example.com" }));
    expect(moves).toMatchObject([{ steps: [], next: { kind: "settled" } }]);
    expect(done(stack)).toEqual([`order ${elid}`]);
    expect(await stateOf(stack)).toMatchObject({
      customerId: { value: "c-7" },
      email: { value: "m@example.com" },
      items: { value: [{ names: ["vm6-monthly"], quantity: 1 }] },
      payments: [{ id: `import-${elid}`, paid: { value: { covers: { through: startOf("2026-12-23") } } } }],
      slots: [{ n: 1, generation: 1, license: { elid, imported: true, suspended: false, expiry: "2026-12-23" } }],
    });
    await stack.advanceTo(new Date("2026-12-22T08:00:00Z"));
    await tell(stack, "payment.succeeded", paid(new Date("2027-01-23T00:00:00Z")));
    await shop.minute();
    expect(done(stack)).toEqual([`order ${elid}`, `prolong ${elid}`]);
    expect(await reconcile(deps)).toMatchObject({ licenses: 1, differences: [], orphans: [], others: 0 });
  });

  test("follows its subscription: more nodes, unpaid, paid again, ended", async () => {
    const elid = await shop.buy({ comment: "for Mr. Miller" });
    await shop.importAll(lineOf({ elid }));
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 3 });
    await stack.settle();
    await stack.advanceTo(new Date("2026-12-27T08:00:00Z"));
    await tell(stack, "payment.succeeded", paid(new Date("2027-01-23T00:00:00Z"), { quantity: 3 }));
    await shop.minute();
    await tell(stack, "subscription.cancelled", {});
    await stack.settle();
    // billmgr itself stops the license at its expiry, and starts it with the prolong.
    expect(done(stack).slice(1)).toEqual([`edit ${elid}`, `prolong ${elid}`, `suspend ${elid}`]);
    expect(await reconcile(deps)).toMatchObject({ differences: [], orphans: [], others: 0 });
  });

  test("is prolonged by months from the day it was paid through", async () => {
    const elid = await shop.buy();
    await shop.importAll(lineOf({ elid }));
    await stack.advanceTo(new Date("2026-12-20T08:00:00Z"));
    await tell(stack, "payment.succeeded", { payment: "p1", plan: "vm6-monthly", months: 1 });
    await shop.minute();
    expect((await stateOf(stack))?.slots[0]?.license?.expiry).toBe("2027-01-23");
  });

  test("with earlier payments in months is refused until paidThrough is given", async () => {
    const elid = await shop.buy();
    const months = (payment: string) => ({ payment, plan: "vm6-monthly", quantity: 1, months: 1 });
    await halt("moving in", deps);
    await tell(stack, "payment.succeeded", months("early"));
    await stack.settle();
    const { refused } = await shop.importAll(lineOf({ elid }));
    expect(refused).toEqual([
      {
        line: 2,
        why: "the storefront sent payment early, which counts in months: set paidThrough to the day until which it was paid before the storefront's payments",
      },
    ]);
    expect(await stateOf(stack)).toMatchObject({ slots: [] });
    const { moves } = await shop.importAll(lineOf({ elid, paidThrough: startOf("2026-12-23") }));
    expect(moves).toMatchObject([{ steps: [{ change: { kind: "prolong" } }] }]);
    await tell(stack, "payment.succeeded", months("next"));
    await stack.settle();
    // Later payments add up, and the same file can still be imported again.
    expect(await shop.importAll(lineOf({ elid }))).toMatchObject({ held: ["standard/42"], refused: [] });
    await resume(deps);
    await shop.minute();
    await shop.minute();
    expect((await stateOf(stack))?.slots[0]?.license?.expiry).toBe("2027-02-23");
  });

  test("is imported once, even if the file is imported twice", async () => {
    const elid = await shop.buy();
    await shop.importAll(lineOf({ elid }));
    const [events, state] = [await deps.table.events("subscription#standard/42"), await stateOf(stack)];
    expect(await shop.importAll(lineOf({ elid, quantity: 5 }))).toEqual({
      moves: [],
      held: ["standard/42"],
      cutOff: [],
      refused: [],
    });
    expect(await deps.table.events("subscription#standard/42")).toEqual(events);
    expect(await stateOf(stack)).toEqual(state);
  });

  test("is not stored by an import that stopped before the write, and completely by the next one", async () => {
    const elid = await shop.buy();
    const { moves } = await checkImport([lineOf({ elid, quantity: 1 })], deps);
    const dies = { ...deps, table: { ...deps.table, save: () => Promise.reject(new Error("killed")) } };
    for (const move of moves) await expect(executeMove(move, dies)).rejects.toThrow("killed");
    expect(await stateOf(stack)).toBeUndefined();
    expect(await deps.table.events("subscription#standard/42")).toEqual([]);
    await shop.importAll(lineOf({ elid, quantity: 9 }));
    expect(await stateOf(stack)).toMatchObject({ items: { value: [{ quantity: 9 }] }, slots: [{ license: { elid } }] });
    expect(await deps.table.events("subscription#standard/42")).toHaveLength(1);
  });

  test("gets the event of the first import from the next one, if the first stopped before it", async () => {
    const elid = await shop.buy();
    const { moves } = await checkImport([lineOf({ elid, customer: "c-7" })], deps);
    const dies = { ...deps, table: { ...deps.table, putEvent: () => Promise.reject(new Error("killed")) } };
    for (const move of moves) await expect(executeMove(move, dies)).rejects.toThrow("killed");
    await tell(stack, "payment.succeeded", paid(new Date("2027-01-23T00:00:00Z"), { quantity: 2 }), { id: "e1" });
    await shop.minute();
    const before = await stateOf(stack);
    await expect(replayForSubscription("standard/42", "e1", deps)).rejects.toThrow(
      `payment import-${elid} is not contained in any stored event`,
    );
    // The license now ends later and has one more node. The event must still contain the first state.
    const { cutOff } = await shop.importAll(lineOf({ elid, customer: "c-7" }));
    expect(cutOff).toMatchObject([{ event: { id: `import-${elid}`, covers: { through: startOf("2026-12-23") } } }]);
    await replayForSubscription("standard/42", "e1", deps);
    await stack.settle();
    expect(await stateOf(stack)).toEqual(before);
    expect((await shop.importAll(lineOf({ elid, customer: "c-7" }))).cutOff).toEqual([]);
    expect(await deps.table.events("subscription#standard/42")).toHaveLength(2);
    expect(done(stack).filter((one) => one.startsWith("prolong"))).toHaveLength(1);
  });

  test("shows the import in its history, and survives a refold", async () => {
    const elid = await shop.buy();
    await shop.importAll(lineOf({ elid }));
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 1 }, { id: "e1" });
    await stack.settle();
    const before = await stateOf(stack);
    await replayForSubscription("standard/42", "e1", deps);
    await stack.settle();
    expect(await stateOf(stack)).toEqual(before);
    expect((await show("standard/42", deps))?.entries[0]).toMatchObject({
      event: { received: { id: `import-${elid}`, type: "import" }, status: "applied" },
    });
    await expect(replayForSubscription("standard/42", `import-${elid}`, deps)).rejects.toThrow(PreconditionFailed);
  });

  test("that is gone is replaced by a new license with our reference", async () => {
    const elid = await shop.buy();
    await shop.importAll(lineOf({ elid, paidThrough: startOf("2026-12-23") }));
    await shop.inBillmgr({ func: "platform.delete", elid });
    await resolve("standard/42", { as: "gone", elid }, deps);
    await shop.minute();
    const state = await stateOf(stack);
    expect(state?.slots).toMatchObject([{ generation: 2, license: { elid: "334674" } }]);
    expect(state?.slots[0]?.license).not.toHaveProperty("imported");
    expect(await lastOperation(stack)).not.toHaveProperty("secondsFromPayment");
  });

  test("keeps its own reference after the table was lost", async () => {
    const elid = await shop.buy({
      comment: referenceOf({ storefront: "standard", id: "42" }, { n: 2, generation: 3 }),
    });
    await shop.importAll(lineOf({ elid }));
    expect(await reconcile(deps)).toMatchObject({ licenses: 1, differences: [], orphans: [] });
  });
});

test("a reference of another subscription is a difference, any other comment is not", async () => {
  const elid = await shop.buy({ comment: "for Mr. Miller" });
  await shop.importAll(lineOf({ elid }));
  expect(await reconcile(deps)).toMatchObject({ differences: [] });
  const comment = referenceOf({ storefront: "standard", id: "43" }, { n: 1, generation: 1 });
  await shop.inBillmgr({ func: "platform.edit", elid, sok: "ok", comment });
  await shop.minute();
  expect(await reconcile(deps)).toMatchObject({ differences: [{ what: "reference", billmgr: comment }] });
});

describe("the check shows the calls that would follow", () => {
  test("for surplus addons, a past end, and paid time without a license", async () => {
    const [nodes, unpaid, ahead] = [await shop.buy({ addon_55165: "4" }), await shop.buy(), await shop.buy()];
    const { moves } = await checkImport(
      [
        lineOf({ elid: nodes, subscription: "standard/nodes", quantity: 2 }),
        lineOf({ elid: unpaid, subscription: "standard/unpaid", paidThrough: startOf("2026-11-01") }),
        lineOf({ elid: ahead, subscription: "standard/ahead", paidThrough: startOf("2027-01-23") }),
      ],
      deps,
    );
    expect(moves.map(({ steps }) => steps.map(({ change }) => change.kind))).toEqual([
      ["edit"],
      ["suspend"],
      ["prolong"],
    ]);
    expect(done(stack)).toHaveLength(3);
  });

  test("with the quantity that the license shows, unless the line states one", async () => {
    const elid = await shop.buy({ addon_55165: "4" });
    const { moves } = await checkImport([lineOf({ elid })], deps);
    expect(moves).toMatchObject([{ event: { items: { list: [{ quantity: 4 }] } }, steps: [] }]);
  });

  test("without changing an addon that the catalog does not list", async () => {
    const { products, ...catalog } = testCatalog();
    const vmmanager6 = { pricelist: 55163, addons: { nodes: 55165 } };
    await stack.restart({ catalog: parseCatalog({ ...catalog, products: { ...products, vmmanager6 } }) });
    await deps.reconnect();
    const elid = await shop.buy({ addon_55164: "5" });
    const { moves } = await checkImport([lineOf({ elid })], deps);
    expect(moves).toMatchObject([{ steps: [], licenses: [{ license: { addons: { 55165: 1 } } }] }]);
  });

  test("for a suspended license of an ended subscription: retention starts now", async () => {
    const elid = await shop.buy();
    await shop.inBillmgr({ func: "platform.suspend", elid });
    await tell(stack, "subscription.cancelled", {}, { at: inDays(stack, -60) });
    await stack.settle();
    const { moves } = await checkImport([lineOf({ elid })], deps);
    expect(moves).toMatchObject([
      { steps: [], next: { kind: "settled", until: expect.stringMatching(/^2026-12-07/) } },
    ]);
  });

  test("with an extra in addition to a plan", async () => {
    const elid = await shop.buy({ addon_55165: "3" });
    const { moves, refused } = await checkImport(
      [lineOf({ elid, quantity: 1 }), lineOf({ line: 3, elid, plan: "vm6-node", quantity: 2 })],
      deps,
    );
    expect(refused).toEqual([]);
    expect(moves).toMatchObject([{ steps: [], event: { items: { list: [{ quantity: 1 }, { quantity: 2 }] } } }]);
  });

  test("a resume for a suspended license, and a prolong for an expired and paid one", async () => {
    const [stopped, ended] = [await shop.buy(), await shop.buy()];
    await shop.inBillmgr({ func: "platform.suspend", elid: stopped });
    const { moves } = await checkImport([lineOf({ elid: stopped })], deps);
    expect(moves).toMatchObject([{ steps: [{ change: { kind: "resume" } }] }]);
    await stack.advanceTo(new Date("2026-12-24T08:00:00Z"));
    await shop.importAll(lineOf({ elid: ended, subscription: "standard/late", paidThrough: startOf("2027-01-23") }));
    expect(done(stack).slice(3)).toEqual([`prolong ${ended}`]);
  });
});

describe("several licenses of one subscription", () => {
  const dci = (elid: string, of: Partial<Line> = {}) =>
    lineOf({ elid, plan: "dci6-monthly", subscription: "stripe/sub_1", ...of });

  test("get one slot each, and the quantity that the storefront will send", async () => {
    const bought = [await shop.buyDci(), await shop.buyDci(), await shop.buyDci()];
    await shop.importAll(...bought.map((elid, i) => dci(elid, { line: i + 2 })));
    expect(await stateOf(stack, "stripe/sub_1")).toMatchObject({
      items: { value: [{ names: ["price_dci6"], quantity: 3 }] },
      slots: bought.map((elid, i) => ({ n: i + 1, plan: "dci6-monthly", license: { elid } })),
    });
  });

  test("may have different plans; a payment at Stripe prolongs each", async () => {
    const [vm, one] = [await shop.buy(), await shop.buyDci()];
    await shop.importAll(lineOf({ elid: vm, subscription: "stripe/sub_1" }), dci(one, { line: 3 }));
    await stack.advanceTo(new Date("2026-12-21T08:00:00Z"));
    const period = { start: unix("2026-12-23"), end: unix("2027-01-23") };
    const lines = ["price_vm6", "price_dci6"].map((price) =>
      invoiceLine({ period, pricing: { type: "price_details", price_details: { price } } }),
    );
    const invoiced = invoice({
      created: unix("2026-12-21T08:00"),
      lines: { object: "list", data: lines, has_more: false },
    });
    await tellStripe(stack, stripeEvent("invoice.paid", invoiced, { created: unix("2026-12-21T08:00") }));
    await shop.minute();
    const state = await stateOf(stack, "stripe/sub_1");
    expect(state?.slots.map(({ license }) => license?.elid)).toEqual([vm, one]);
    expect(done(stack).slice(2).sort()).toEqual([`prolong ${vm}`, `prolong ${one}`]);
  });

  test("can be imported one by one during a halt, if the storefront has sent the full quantity", async () => {
    const [first, second] = [await shop.buyDci(), await shop.buyDci()];
    const subscription = "standard/42";
    await tell(stack, "subscription.changed", { plan: "dci6-monthly", quantity: 2 });
    await stack.settle();
    await halt("moving in", deps);
    const [alone] = (await shop.importAll(dci(first, { subscription }))).moves;
    expect(alone?.steps.map(({ change }) => change.kind)).toEqual(["order"]);
    const { moves } = await shop.importAll(dci(first, { subscription }), dci(second, { line: 3, subscription }));
    expect(moves).toMatchObject([{ licenses: [{ license: { elid: second } }] }]);
    expect((await stateOf(stack))?.slots.map(({ license }) => license?.elid)).toEqual([first, second]);
    await resume(deps);
    await shop.minute();
    expect(done(stack)).toHaveLength(2);
  });

  test("need one line each", async () => {
    const elid = await shop.buyDci();
    expect((await checkImport([dci(elid, { quantity: 2 })], deps)).refused).toEqual([
      { line: 2, why: "quantity is 2; each license of dci6-monthly needs its own line with quantity 1" },
    ]);
  });

  test("that end on different days need paidThrough", async () => {
    const first = await shop.buyDci();
    await stack.advanceTo(inDays(stack, 3));
    const second = await shop.buyDci();
    const both = (of: Partial<Line> = {}) => [dci(first, of), dci(second, { line: 3, ...of })];
    expect((await checkImport(both(), deps)).refused).toEqual([
      {
        line: 2,
        why: "its licenses end on different days (2026-12-23, 2026-12-26): set paidThrough to the day until which it is paid",
      },
    ]);
    const { moves } = await checkImport(both({ paidThrough: startOf("2026-12-23") }), deps);
    expect(moves).toMatchObject([{ steps: [] }]);
  });
});
