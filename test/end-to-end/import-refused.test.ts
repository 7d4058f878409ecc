import { describe, expect, test } from "vitest";
import { replayForSubscription } from "../../operator/actions/events.ts";
import { halt } from "../../operator/actions/halt.ts";
import { checkImport, executeMove, type Line } from "../../operator/actions/import.ts";
import { listUnassigned } from "../../operator/actions/unassigned.ts";
import { referenceOf } from "../../shared/licensing/operation.ts";
import { done, inDays, paid, stateOf, tell } from "../support/local.ts";
import { lineOf, useShop } from "../support/moving-in.ts";

const shop = useShop();
const { stack, deps } = shop;

const refusals = async (...lines: Line[]) => {
  const before = [done(stack), await deps.table.subscriptions()];
  const { refused } = await shop.importAll(...lines);
  expect([done(stack), await deps.table.subscriptions()]).toEqual(before);
  return refused.map(({ line, why }) => `line ${line}: ${why}`);
};

describe("a subscription whose webhooks came first", () => {
  test("gets the license in place of its open order", async () => {
    const elid = await shop.buy();
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
    await tell(stack, "payment.succeeded", paid(new Date("2026-12-23T00:00:00Z")));
    await stack.settle();
    expect(await stateOf(stack)).toMatchObject({ attention: [{ reason: { code: "refused" } }] });
    await shop.importAll(lineOf({ elid }));
    const state = await stateOf(stack);
    expect(state).toMatchObject({ slots: [{ license: { elid } }], payments: [{ id: expect.stringMatching(/^p_/) }] });
    expect(state).not.toHaveProperty("attention");
    expect(done(stack)).toEqual([`order ${elid}`]);
  });

  test("keeps the quantity that its storefront sent, not the one of the line", async () => {
    const elid = await shop.buy();
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 1 });
    await stack.settle();
    await shop.importAll(lineOf({ elid, quantity: 5 }));
    expect(await stateOf(stack)).toMatchObject({ items: { value: [{ quantity: 1 }] }, slots: [{ license: { elid } }] });
  });

  test("that already has its license cannot import a second one", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await shop.minute();
    const elid = await shop.buy();
    expect(await refusals(lineOf({ elid }))).toEqual([
      `line 2: it has no place for license ${elid}: it is entitled to 1 of vm6-monthly, and holds 334673`,
    ]);
  });

  test("with an open order is refused until the order is settled", async () => {
    const elid = await shop.buy();
    stack.sandbox?.plan({ fault: "drop_before_acting", func: "order" });
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await stack.settle();
    expect(await refusals(lineOf({ elid }))).toEqual(["line 2: its operation 1 is still open: settle that first"]);
  });

  test("that buys between the check and the import keeps its license", async () => {
    const elid = await shop.buy();
    const { moves } = await checkImport([lineOf({ elid })], deps);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
    await shop.minute();
    for (const move of moves) await expect(executeMove(move, deps)).rejects.toThrow("no place for license");
    expect(await deps.table.events("subscription#standard/42")).toHaveLength(1);
    expect(done(stack)).toEqual([`order ${elid}`, "order 334674"]);
  });

  test("that receives a payment in months between the check and the import is refused", async () => {
    const elid = await shop.buy();
    await halt("moving in", deps);
    const { moves } = await checkImport([lineOf({ elid })], deps);
    await tell(stack, "payment.succeeded", { payment: "p1", plan: "vm6-monthly", months: 1 });
    await stack.settle();
    for (const move of moves)
      await expect(executeMove(move, deps)).rejects.toThrow("payment p1, which counts in months");
    expect(await deps.table.events("subscription#standard/42")).toHaveLength(1);
  });

  test("that another worker changed, so that no slot is free, stores nothing of the import", async () => {
    const elid = await shop.buy();
    const { moves } = await checkImport([lineOf({ elid })], deps);
    const save: typeof deps.table.save = async (key, stored) => {
      await tell(stack, "subscription.changed", { plan: "dci6-monthly", quantity: 1 }, { id: "e1" });
      await stack.settle();
      return deps.table.save(key, stored);
    };
    const raced = { ...deps, table: { ...deps.table, save } };
    for (const move of moves) await expect(executeMove(move, raced)).rejects.toThrow("no place for license");
    expect(await deps.table.events("subscription#standard/42")).toMatchObject([{ received: { id: "e1" } }]);
    await replayForSubscription("standard/42", "e1", deps);
    await shop.minute();
    expect(await stateOf(stack)).toMatchObject({ payments: [], slots: [] });
    expect(done(stack)).toEqual([`order ${elid}`]);
  });

  test("that another worker writes meanwhile is checked again", async () => {
    const elid = await shop.buy();
    const { moves } = await checkImport([lineOf({ elid })], deps);
    let saves = 0;
    const save: typeof deps.table.save = async (key, stored) => {
      if (++saves === 1) await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 2 });
      if (saves === 1) await stack.settle();
      return deps.table.save(key, stored);
    };
    for (const move of moves) await executeMove(move, { ...deps, table: { ...deps.table, save } });
    expect(saves).toBe(2);
    expect(await stateOf(stack)).toMatchObject({ items: { value: [{ quantity: 2 }] }, slots: [{ license: { elid } }] });
  });
});

describe("an import is refused and stores nothing for", () => {
  test("a line with an unknown license, plan, or storefront", async () => {
    const elid = await shop.buy();
    expect(
      await refusals(
        lineOf({ elid: "999999" }),
        lineOf({ line: 3, elid: "12a" }),
        lineOf({ line: 4, elid, plan: "vm6-montly" }),
        lineOf({ line: 5, elid, subscription: "strpe/1" }),
        lineOf({ line: 6, elid, subscription: "stripe/1", plan: "dci6-monthly" }),
        lineOf({ line: 7, elid, subscription: "paddle/1", plan: "dci6-monthly" }),
        lineOf({ line: 8, elid, subscription: "standard/8", plan: "vm6-node" }),
      ),
    ).toEqual([
      "line 2: billmgr has no license 999999 of platform",
      'line 3: elid: found "12a", expected a license number',
      'line 4: the catalog has no plan "vm6-montly"; did you mean "vm6-monthly"?',
      'line 5: "strpe/1": no such storefront; did you mean "stripe"?',
      `line 6: license ${elid} is already in line 4`,
      'line 7: "dci6-monthly" is not sold at paddle: the catalog lists nothing under its soldAs.paddle',
      `line 8: "vm6-node" is an extra; add a line of standard/8 with the plan of license ${elid}`,
    ]);
  });

  test("a license in a wrong state or of a wrong product", async () => {
    const [deleted, odd] = [await shop.buy(), await shop.buy()];
    await shop.inBillmgr({ func: "platform.delete", elid: deleted });
    expect(
      await refusals(
        lineOf({ elid: deleted }),
        lineOf({ line: 3, elid: odd, plan: "dci6-monthly", subscription: "stripe/1" }),
      ),
    ).toEqual([
      `line 2: license ${deleted} is deleted`,
      `line 3: license ${odd} is of product vmmanager6 (pricelist 55163), but the plan is of dcimanager6`,
    ]);
    stack.sandbox?.configure({ stuckProcessing: true });
    const [busy] = [await shop.buy()];
    expect(await refusals(lineOf({ elid: busy }))).toEqual([
      `line 2: license ${busy} is processing; import it when billmgr has finished`,
    ]);
    stack.sandbox?.configure({ formHides: ["expiry"] });
    expect(await refusals(lineOf({ elid: odd }))).toEqual([
      `line 2: billmgr shows no expiry for license ${odd}, so it could not be renewed`,
    ]);
  });

  test("a license with a pricelist that is not in the catalog, but not for one that shows no code", async () => {
    const elid = await shop.buy();
    const showing = (pricelist: string) => {
      const license: typeof deps.billmgr.license = async (...of) => {
        const seen = await deps.billmgr.license(...of);
        return seen && { ...seen, pricelist };
      };
      return checkImport([lineOf({ elid })], { ...deps, billmgr: { ...deps.billmgr, license } });
    };
    expect((await showing("55199")).refused).toEqual([
      {
        line: 2,
        why: `license ${elid} has pricelist 55199, which is not in the catalog; the plan is of vmmanager6`,
      },
    ]);
    for (const shown of ["55163", "VMmanager 6"]) expect(await showing(shown)).toMatchObject({ refused: [] });
  });

  test("a license that is assigned elsewhere or has the reference of another subscription", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription: "other" }));
    await shop.minute();
    const reference = referenceOf({ storefront: "standard", id: "third" }, { n: 1, generation: 1 });
    const marked = await shop.buy({ comment: reference });
    expect(
      await refusals(lineOf({ elid: "334673" }), lineOf({ line: 3, elid: marked, subscription: "standard/3" })),
    ).toEqual([
      "line 2: license 334673 is already assigned to standard/other",
      `line 3: license ${marked} has the reference ${reference}, which belongs to another subscription`,
    ]);
  });

  test("a license that cannot be read; a refused login stops the whole check", async () => {
    const elid = await shop.buy();
    stack.sandbox?.plan({ fault: "500", func: "read" });
    expect(await refusals(lineOf({ elid }))).toEqual([expect.stringMatching(/^line 2: reading platform.edit: /)]);
    stack.sandbox?.plan({ fault: "error", func: "read", type: "auth" });
    await expect(checkImport([lineOf({ elid })], deps)).rejects.toThrow("reading platform.edit: error auth");
  });

  test("lines that contradict each other", async () => {
    const [one, two] = [await shop.buy(), await shop.buy()];
    expect(await refusals(lineOf({ elid: one, customer: "a" }), lineOf({ line: 3, elid: two, customer: "b" }))).toEqual(
      ["line 2: customer: its lines contain both a and b"],
    );
  });
});

test("licenses without a subscription are listed, with the plan if exactly one matches", async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await shop.minute();
  const [vm, gone] = [await shop.buy({ comment: "=1+1", addon_55165: "4" }), await shop.buy()];
  const dci = await shop.buyDci();
  await shop.inBillmgr({ func: "platform.delete", elid: gone });
  expect(await listUnassigned(deps)).toEqual({
    licenses: [
      {
        elid: vm,
        family: "platform",
        plan: "vm6-monthly",
        quantity: 4,
        pricelist: "VMmanager 6",
        expiry: "2026-12-23",
        status: "active",
        comment: "=1+1",
      },
      { elid: dci, family: "platform", pricelist: "DCImanager 6", expiry: "2026-12-23", status: "active" },
    ],
    incomplete: {},
  });
});
