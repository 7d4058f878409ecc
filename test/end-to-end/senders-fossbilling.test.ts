import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stateOf } from "../support/local.ts";
import { canSkipPhp, midnight, type Shop, startShop } from "../support/senders/shop.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await startShop();
});
afterEach(() => shop.stop());

const order = (of: object = {}) => ({
  id: 17,
  client_id: 6,
  product_id: 12,
  quantity: 3,
  period: "1M",
  status: "pending_setup",
  setup: "after_payment",
  expires_at: null,
  unpaid_invoice_id: 201,
  config: {},
  client: { email: "customer@example.com" },
  ...of,
});
const invoice = (id: number, task: string, period = "1M", ...orders: number[]) => ({
  id,
  status: "unpaid",
  paid_at: null,
  lines: [17, ...orders].map((rel_id) => ({ type: "order", rel_id, task, period, status: "pending_payment" })),
});

function sell(of: object = {}, more: object = {}): void {
  shop.setState({
    orders: { 17: order(of), 18: order({ id: 18, product_id: 99 }) },
    invoices: { 201: invoice(201, "activate", "1M", 18), 202: invoice(202, "renew"), 203: invoice(203, "renew") },
    failed: [],
    ...more,
  });
}
const fossbilling = (...operations: [string, ...unknown[]][]) => shop.run("fossbilling", ...operations);

describe.skipIf(canSkipPhp)("FOSSBilling, without an administrator's session", () => {
  test.each(["0.6", "0.8"])("an order is ordered, prolonged, suspended, resumed, and ended (%s)", async (version) => {
    sell({}, { version });
    await fossbilling(["pay", 201]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await fossbilling(["pay", 202, false], ["cron"], ["cron"]);
    expect(await shop.done()).toEqual(["prolong"]);
    await fossbilling(["suspend", 17]);
    expect(await shop.done()).toEqual(["suspend"]);
    await fossbilling(["unsuspend", 17]);
    expect(await shop.done()).toEqual(["resume"]);
    await fossbilling(["update", 17, { quantity: 5 }]);
    expect(await shop.done()).toEqual(["edit 55165=5"]);
    await fossbilling(["cancel", 17]);
    expect(await shop.done()).toEqual(["suspend"]);
    await fossbilling(["uncancel", 17]);
    expect(await shop.done()).toEqual(["resume"]);
    await fossbilling(["delete", 17], ["delete", 18]);
    expect(await shop.done()).toEqual(["suspend"]);
    expect(await stateOf(shop.stack, "standard/fossbilling-18")).toBeUndefined();
    expect((await stateOf(shop.stack, "standard/fossbilling-17"))?.email?.value).toBe("customer@example.com");
    expect(shop.state().failed).toEqual([]);
    expect(shop.unsent()).toEqual([]);
  });

  test("a failure never reaches the shop: each task is done, once", async () => {
    sell({}, { broken: "order_get" });
    expect((await fossbilling(["pay", 201])).stderr).toContain("onAfterAdminOrderActivate: SQLSTATE");
    await fossbilling(["set", "broken", "invoice_get_list"], ["pay", 202], ["cron"]);
    const { failed, orders, invoices } = shop.state() as Record<string, Record<number, { expires_at?: string }>>;
    expect(failed).toEqual([]);
    expect(JSON.stringify(invoices)).not.toContain('"pending_setup"');
    expect(Date.parse(`${orders?.[17]?.expires_at}Z`)).toBeLessThan(Date.now() + 63 * 86_400_000);
  });

  test("two invoices that are paid before cron runs are two periods", async () => {
    sell();
    await fossbilling(["pay", 201]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await fossbilling(["pay", 202, false], ["pay", 203, false], ["cron"]);
    expect(await shop.done()).toEqual(["prolong", "prolong"]);
  });

  test("an order that is active before it is paid is bought when it is paid", async () => {
    sell({ setup: "after_order" });
    await fossbilling(["activate", 17]);
    expect(await shop.done()).toEqual([]);
    await fossbilling(["pay", 201]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
  });

  test("a paid order that waits for an administrator is bought when he activates it", async () => {
    sell({ setup: "manual" });
    await fossbilling(["pay", 201]);
    expect(await shop.done()).toEqual([]);
    await fossbilling(["activate", 17]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await fossbilling(["refund", 201]);
    expect(await shop.done()).toEqual(["suspend"]);
  });

  test("an order without an invoice, and an expiry that moves, count as paid", async () => {
    sell({ unpaid_invoice_id: null, period: "1W" });
    await fossbilling(["activate", 17]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await fossbilling(["update", 17, { expires_at: midnight(62) }]);
    expect(await shop.done()).toEqual(["prolong"]);
    await fossbilling(["update", 17, { notes: "called" }]);
    expect(await shop.done()).toEqual([]);
  });

  test("weeks are paid to the order's expiry, years are months", async () => {
    const invoices = { 201: invoice(201, "activate", "2W"), 202: invoice(202, "renew", "1Y") };
    sell({ period: "2W" }, { invoices });
    await fossbilling(["pay", 201]);
    const payments = async () => (await stateOf(shop.stack, "standard/fossbilling-17"))?.payments;
    expect(await shop.done()).toEqual(["order 55165=3"]);
    expect(JSON.stringify(await payments())).toContain('"through"');
    await fossbilling(["pay", 202]);
    await shop.stack.settle();
    expect(JSON.stringify(await payments())).toContain('"months":12');
  });

  test("a refunded invoice is taken back, though one of its orders is gone", async () => {
    sell();
    await fossbilling(["pay", 201], ["delete", 18]);
    await shop.done();
    expect((await fossbilling(["refund", 201])).stderr).toContain("Order not found");
    expect(await shop.done()).toEqual(["suspend"]);
  });

  test("the fields of an order form are options; a list is refused", async () => {
    shop.configure({ quantity: null, options: { machines: "vm6-vms" } });
    sell({ quantity: 2, config: { machines: "50", period: "1M" } });
    await fossbilling(["pay", 201]);
    expect(await shop.done()).toEqual(["order 55164=100 55165=2"]);
    const { stderr } = await fossbilling(["update", 17, { config: { machines: ["50"] } }]);
    expect(stderr).toContain('option "machines" is ["50"]; expected a whole number');
    expect(await shop.done()).toEqual([]);
  });

  test("a status that an administrator sets counts", async () => {
    sell();
    await fossbilling(["pay", 201]);
    await shop.done();
    await fossbilling(["update", 17, { status: "suspended" }]);
    expect(await shop.done()).toEqual(["suspend"]);
    await fossbilling(["update", 17, { status: "active" }]);
    expect(await shop.done()).toEqual(["resume"]);
    await fossbilling(["update", 17, { status: "canceled" }]);
    expect(await shop.endOf("fossbilling-17")).toBe("ended");
  });
});
