import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stateOf } from "../support/local.ts";
import { canSkipPhp, day, type Shop, startShop } from "../support/senders/shop.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await startShop();
});
afterEach(() => shop.stop());

const choice = (name: string, value: object) => ({ configOption: { name }, configValue: value });
const service = (of: object = {}) => ({
  id: 27,
  user_id: 6,
  product_id: 12,
  plan_id: 5,
  quantity: 3,
  status: "pending",
  expires_at: null,
  ...of,
});
const sell = (of: object = {}): void =>
  shop.setState({
    Service: { 27: service(of), 28: service({ id: 28, product_id: 99 }) },
    ServiceUpgrade: { 1: { id: 1, service_id: 27, status: "pending" } },
  });
const paymenter = (...operations: [string, ...unknown[]][]) => shop.run("paymenter", ...operations);

describe.skipIf(canSkipPhp)("Paymenter", () => {
  test("a service is ordered, prolonged, suspended, resumed, and ended", async () => {
    sell();
    await paymenter(["pay", 27], ["pay", 28]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await paymenter(["pay", 27]);
    expect(await shop.done()).toEqual(["prolong"]);
    await paymenter(["save", 27, { status: "suspended" }]);
    expect(await shop.done()).toEqual(["suspend"]);
    await paymenter(["save", 27, { status: "active" }]);
    expect(await shop.done()).toEqual(["resume"]);
    await paymenter(["save", 27, { quantity: 5 }]);
    expect(await shop.done()).toEqual(["edit 55165=5"]);
    await paymenter(["cancel", 27, "immediate"]);
    expect(await shop.done()).toEqual(["suspend"]);
    expect(await stateOf(shop.stack, "standard/paymenter-28")).toBeUndefined();
    expect((await stateOf(shop.stack, "standard/paymenter-27"))?.email?.value).toBe("customer@example.com");
    expect(shop.unsent()).toEqual([]);
  });

  test("a cancellation for the end of the period is scheduled, and can be withdrawn", async () => {
    sell();
    await paymenter(["pay", 27], ["cancel", 27, "end_of_period"]);
    expect(await shop.endOf("paymenter-27")).toBe("scheduled");
    await paymenter(["withdrawCancellation", 27]);
    expect(await shop.endOf("paymenter-27")).toBe("open");
  });

  test("options count, both chosen and typed ones", async () => {
    shop.configure({
      quantity: null,
      options: { Machines: "vm6-vms", Extra: { soldAs: "vm6-vms", units: { Few: 1 } } },
    });
    const configs = [choice("Machines", { name: "Up to 50", env_variable: "50" })];
    sell({ configs, properties: [{ key: "extra", name: "Extra", value: "Few" }] });
    await paymenter(["pay", 27]);
    expect(await shop.done()).toEqual(["order 55164=153 55165=3"]);
    const more = [choice("Machines", { name: "Up to 70", env_variable: "70" })];
    await paymenter(["upgrade", 1, { plan_id: 5, product_id: 12 }, more]);
    expect(await shop.done()).toEqual(["edit 55164=213 55165=3"]);
  });

  test("a choice that is text is refused, and never counts as 0", async () => {
    shop.configure({ quantity: "Nodes" });
    sell({ configs: [choice("Nodes", { name: "Five", env_variable: null })] });
    expect((await paymenter(["pay", 27])).stderr).toContain('option "Nodes" is "Five"');
    expect(await shop.done()).toEqual([]);
    expect((await shop.stack.table.attention()).keys).toHaveLength(1);
  });

  test("a free order counts as paid, and a rolled-back one is not sent", async () => {
    sell();
    const { stdout } = await paymenter(["orderFree", service({ id: 29 }), true]);
    expect(stdout).toBe("The cart is out of stock");
    expect(await shop.done()).toEqual([]);
    await paymenter(["orderFree", service({ id: 29 }), false]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
  });

  test("a service that an administrator creates or extends counts as paid; a deleted one ends", async () => {
    sell();
    await paymenter(["create", service({ id: 30, status: "active", expires_at: day(31) })]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await paymenter(["save", 30, { expires_at: day(62) }]);
    expect(await shop.done()).toEqual(["prolong"]);
    await paymenter(["delete", 30], ["delete", 28]);
    expect(await shop.done()).toEqual(["suspend"]);
    expect(await stateOf(shop.stack, "standard/paymenter-28")).toBeUndefined();
  });

  test("a failure of the sender never prevents the shop from saving", async () => {
    sell();
    rmSync(join(shop.folder, "billmgr-webhooks.php"));
    expect((await paymenter(["pay", 27])).stderr).toContain("Updated: ");
    expect(shop.state().Service?.["27"]).toMatchObject({ status: "active" });
  });
});
