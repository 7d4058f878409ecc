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

const option = (name: string, value: unknown, type = "quantity") => ({ id: 1, option: name, type, value });
const withOptions = (...options: object[]) => ({ configoptions: { configoption: options } });
const service = (of: object = {}) => ({
  id: "7",
  clientid: "6",
  pid: "12",
  nextduedate: day(0),
  status: "Pending",
  ...withOptions(option("Nodes", "3")),
  ...of,
});
const invoice = (id: number, ...items: [string, number][]) => ({
  invoiceid: id,
  userid: 6,
  status: "Unpaid",
  datepaid: "0000-00-00 00:00:00",
  items: { item: items.map(([type, relid]) => ({ type, relid })) },
  transactions: "",
});

function sell(of: object = {}, more: object = {}): void {
  shop.setState({
    services: { 7: service(of), 8: service({ id: "8", pid: "99" }) },
    invoices: {
      101: invoice(101, ["Hosting", 7], ["Hosting", 8], ["Domain", 7], ["Addon", 7]),
      102: invoice(102, ["Hosting", 7]),
      103: invoice(103, ["Upgrade", 501]),
    },
    ...more,
  });
}
const whmcs = (...operations: [string, ...unknown[]][]) => shop.run("whmcs", ...operations);

describe.skipIf(canSkipPhp)("WHMCS", () => {
  test("a service is ordered, prolonged, suspended, resumed, and ended", async () => {
    sell();
    await whmcs(["pay", 101]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await whmcs(["pay", 102]);
    expect(await shop.done()).toEqual(["prolong"]);
    await whmcs(["module", "Suspend", 7]);
    expect(await shop.done()).toEqual(["suspend"]);
    await whmcs(["module", "Unsuspend", 7]);
    expect(await shop.done()).toEqual(["resume"]);
    await whmcs(["module", "Terminate", 7]);
    expect(await shop.endOf("whmcs-7")).toBe("ended");
    expect(await shop.done()).toEqual(["suspend"]);
    expect(await stateOf(shop.stack, "standard/whmcs-8")).toBeUndefined();
    expect((await stateOf(shop.stack, "standard/whmcs-7"))?.email?.value).toBe("customer@example.com");
    expect(shop.unsent()).toEqual([]);
  });

  test("a hook that runs for an add-on does not change the service", async () => {
    sell();
    await whmcs(["pay", 101]);
    await shop.done();
    await whmcs(["module", "Suspend", 7, 31], ["module", "Terminate", 7, 31], ["module", "ChangePackage", 7, 31]);
    expect(await shop.done()).toEqual([]);
    expect(await shop.endOf("whmcs-7")).toBeUndefined();
  });

  test("nodes and virtual machines are two options, of any type", async () => {
    shop.configure({
      options: { Machines: { soldAs: "vm6-vms", units: { "Up to 100": 100 } }, Backup: "vm6-vms" },
    });
    const chosen = [option("Machines", "Up to 100", "dropdown"), option("Backup", "Yes", "yesno")];
    sell({ qty: "2", ...withOptions(option("Nodes", 3), ...chosen) });
    await whmcs(["pay", 101]);
    expect(await shop.done()).toEqual(["order 55164=202 55165=6"]);
  });

  test("units that cannot be read never become 0: the payment is sent, and needs attention", async () => {
    sell(withOptions(option("Nodes", "five nodes", "dropdown")));
    const { stderr } = await whmcs(["pay", 101]);
    expect(stderr).toContain('option "Nodes" is "five nodes"; expected a whole number');
    expect(await shop.done()).toEqual([]);
    expect((await shop.stack.table.attention()).keys).toHaveLength(1);
    shop.configure({ quantity: null });
    await whmcs(["save", 7, {}]);
    expect(await shop.done()).toEqual(["order 55165=1"]);
  });

  test("a renewal whose units cannot be read keeps the units it had", async () => {
    sell();
    await whmcs(["pay", 101]);
    await shop.done();
    await whmcs(["save", 7, withOptions(option("Nodes", "0"))], ["pay", 102]);
    expect(await shop.done()).toEqual(["prolong"]);
  });

  test("an upgrade counts when WHMCS has made it, with or without a module", async () => {
    const toFive = { type: "configoptions", relid: 7, to: withOptions(option("Nodes", "5")) };
    const ofAddon = { type: "addon", relid: 7, to: withOptions(option("Nodes", "9")) };
    sell({}, { tblupgrades: { 501: { id: 501, ...toFive }, 502: { id: 502, ...ofAddon } } });
    await whmcs(["pay", 101]);
    await shop.done();
    await whmcs(["upgrade", 501]);
    expect(await shop.done()).toEqual(["edit 55165=5"]);
    await whmcs(["upgrade", 502]);
    expect(await shop.done()).toEqual([]);
  });

  test("an upgrade from a free product to a license orders it", async () => {
    const paid = { pid: "12", nextduedate: day(31), status: "Active" };
    const free = { pid: "99", nextduedate: "0000-00-00", status: "Active" };
    sell(free, { tblupgrades: { 501: { id: 501, type: "package", relid: 7, to: paid } } });
    await whmcs(["pay", 103]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
  });

  test("a due date that an administrator moves counts as paid; one that moves back changes nothing", async () => {
    sell();
    await whmcs(["pay", 101]);
    await shop.done();
    await whmcs(["save", 7, { nextduedate: day(62) }]);
    expect(await shop.done()).toEqual(["prolong"]);
    expect((await whmcs(["save", 7, { nextduedate: day(40) }])).stderr).toContain("moves back");
    await whmcs(["save", 7, { notes: "called the customer" }]);
    expect(await shop.done()).toEqual([]);
    await whmcs(["module", "Suspend", 7], ["save", 7, { nextduedate: day(93) }], ["module", "Unsuspend", 7]);
    expect(await shop.done()).toContain("prolong");
  });

  test("a status that an administrator sets counts without a module", async () => {
    sell();
    await whmcs(["pay", 101]);
    await shop.done();
    await whmcs(["save", 7, { status: "Suspended" }]);
    expect(await shop.done()).toEqual(["suspend"]);
    await whmcs(["save", 7, { status: "Active" }]);
    expect(await shop.done()).toEqual(["resume"]);
    await whmcs(["save", 7, { status: "Cancelled" }]);
    expect(await shop.done()).toEqual(["suspend"]);
    await whmcs(["save", 7, { status: "Active" }]);
    expect(await shop.done()).toEqual(["resume"]);
  });

  test("a cancellation ends with what is paid, also if another period is paid before the end", async () => {
    sell();
    await whmcs(["pay", 101], ["requestCancellation", 7, "Immediate"]);
    expect(await shop.endOf("whmcs-7")).toBeUndefined();
    await whmcs(["requestCancellation", 7, "End of Billing Period"]);
    expect(await shop.endOf("whmcs-7")).toBe("scheduled");
    await shop.done();
    await whmcs(["pay", 102]);
    expect(await shop.done()).toEqual(["prolong"]);
  });

  test("a withdrawn cancellation is found by the daily cron, and by the next payment", async () => {
    sell();
    await whmcs(["pay", 101], ["requestCancellation", 7, "End of Billing Period"], ["cron"]);
    expect(await shop.endOf("whmcs-7")).toBe("scheduled");
    await whmcs(["withdrawCancellation", 7], ["cron"]);
    expect(await shop.endOf("whmcs-7")).toBe("open");
    await whmcs(["requestCancellation", 7, "End of Billing Period"], ["withdrawCancellation", 7]);
    expect(await shop.endOf("whmcs-7")).toBe("scheduled");
    await whmcs(["pay", 102]);
    expect(await shop.endOf("whmcs-7")).toBe("open");
  });

  test("a refunded invoice is taken back, and stands when it is paid again", async () => {
    sell();
    await whmcs(["pay", 101]);
    await shop.done();
    await whmcs(["refund", 101]);
    expect(await shop.done()).toEqual(["suspend"]);
    await whmcs(["pay", 101]);
    expect(await shop.done()).toContain("resume");
  });

  test("a deleted service ends", async () => {
    sell();
    await whmcs(["pay", 101]);
    await shop.done();
    await whmcs(["delete", 7]);
    expect(await shop.done()).toEqual(["suspend"]);
  });

  test("the shop continues when its own calls fail, or when the sender is missing", async () => {
    sell({}, { broken: ["GetInvoice"] });
    expect((await whmcs(["pay", 101])).stderr).toContain("InvoicePaid: GetInvoice: the database has gone away");
    sell({}, { broken: ["GetClientsDetails"] });
    await whmcs(["pay", 101]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    rmSync(join(shop.folder, "billmgr-webhooks.php"));
    expect((await whmcs(["pay", 101], ["openAdminHomepage"])).stderr).toContain("InvoicePaid: ");
  });

  test("the administrator's page shows the number of unsent events", async () => {
    sell();
    expect((await whmcs(["openAdminHomepage"])).stdout).toBe("");
    shop.configure({ url: "http://127.0.0.1:1/webhooks/standard" });
    await whmcs(["pay", 101]);
    expect((await whmcs(["openAdminHomepage"])).stdout).toContain("1 not sent");
  });
});
