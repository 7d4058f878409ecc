import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stateOf } from "../support/local.ts";
import { canSkipPhp, midnight, type Shop, startShop } from "../support/senders/shop.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await startShop();
});
afterEach(() => shop.stop());

/** The first day of a month from now, so that terms of months end on one day. */
const first = (months: number): string => {
  const now = new Date();
  return `${new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString().slice(0, 10)} 00:00:00`;
};
const option = (name: string, type: string, chosen: object) => ({ option_name: name, option_type: type, ...chosen });
const service = (of: object = {}) => ({
  id: 37,
  client_id: 6,
  status: "active",
  qty: 3,
  date_renews: first(1),
  date_canceled: null,
  package: { id: 12 },
  package_pricing: { id: 7, term: 1, period: "month" },
  options: [],
  ...of,
});

const sell = (of: object = {}): void =>
  shop.setState({
    Services: { 37: service(of), 38: service({ id: 38, package: { id: 99 } }) },
    Clients: { 6: { id: 6, email: "customer@example.com" } },
    Invoices: {},
    Transactions: {},
  });
const blesta = (...operations: [string, ...unknown[]][]) => shop.run("blesta", ...operations);
const paidTo = async () => {
  await shop.stack.settle();
  const { payments = [] } = (await stateOf(shop.stack, "standard/blesta-37")) ?? {};
  const ends = payments.flatMap(({ paid }) =>
    paid && "through" in paid.value.covers ? [paid.value.covers.through] : [],
  );
  return ends.sort().at(-1)?.slice(0, 10);
};

describe.skipIf(canSkipPhp)("Blesta", () => {
  test("a service is ordered, prolonged, suspended, resumed, and ended", async () => {
    sell({ date_renews: midnight(31) });
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    await blesta(["invoiceTerm", 202, 37]);
    expect(await shop.done()).toEqual([]);
    await blesta(["pay", 202, 2]);
    expect(await shop.done()).toEqual(["prolong"]);
    await blesta(["suspend", 37]);
    expect(await shop.done()).toEqual(["suspend"]);
    await blesta(["unsuspend", 37]);
    expect(await shop.done()).toEqual(["resume"]);
    await blesta(["edit", 37, { qty: 5 }]);
    expect(await shop.done()).toEqual(["edit 55165=5"]);
    await blesta(["cancel", 37, midnight(0)]);
    expect(await shop.done()).toEqual(["suspend"]);
    expect(await stateOf(shop.stack, "standard/blesta-38")).toBeUndefined();
    expect((await stateOf(shop.stack, "standard/blesta-37"))?.email?.value).toBe("customer@example.com");
    expect(shop.unsent()).toEqual([]);
  });

  test("a first term that is prorated ends on its day", async () => {
    sell({ date_renews: midnight(9) });
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
    expect(await paidTo()).toBe(midnight(9).slice(0, 10));
  });

  test("an invoice for a proration or a fee pays no term", async () => {
    sell();
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1]);
    await blesta(["addInvoice", 202, 37], ["pay", 202, 2], ["addInvoice", 203, 37], ["pay", 203, 3]);
    expect(await paidTo()).toBe(first(1).slice(0, 10));
    expect(await shop.done()).toEqual(["order 55165=3"]);
  });

  test("an open invoice for another term is not paid by the paid one; an open upgrade takes nothing away", async () => {
    sell();
    await blesta(["invoiceTerm", 201, 37], ["invoiceTerm", 202, 37], ["invoiceTerm", 203, 37], ["pay", 201, 1]);
    expect(await paidTo()).toBe(first(2).slice(0, 10));
    await blesta(["addInvoice", 204, 37, first(1).replace("-01 ", "-11 ")], ["pay", 202, 2]);
    expect(await paidTo()).toBe(first(3).slice(0, 10));
    await blesta(["pay", 203, 3]);
    expect(await paidTo()).toBe(first(4).slice(0, 10));
  });

  test("an invoice of nothing is closed before the renew date moves, and a renew date that moves counts as paid", async () => {
    sell();
    await blesta(["invoiceTerm", 201, 37, true]);
    expect(await paidTo()).toBe(first(2).slice(0, 10));
    await blesta(["edit", 37, { date_renews: first(3) }]);
    expect(await paidTo()).toBe(first(3).slice(0, 10));
    await blesta(["addInvoice", 202, 37], ["edit", 37, { date_renews: first(4) }]);
    expect(await paidTo()).toBe(first(3).slice(0, 10));
  });

  test("terms of weeks are paid to the renew date", async () => {
    sell({ date_renews: midnight(7), package_pricing: { id: 7, term: 1, period: "week" } });
    await blesta(["invoiceTerm", 201, 37], ["invoiceTerm", 202, 37], ["pay", 201, 1]);
    expect(await paidTo()).toBe(midnight(14).slice(0, 10));
  });

  test("options count, of any type; text is refused, never 0", async () => {
    const machines = { soldAs: "vm6-vms", units: { "Up to 50": 50 } };
    shop.configure({ quantity: "nodes", options: { machines } });
    const options = (nodes: object) => [
      option("nodes", "quantity", nodes),
      option("machines", "select", { qty: 1, value: "Up to 50" }),
    ];
    sell({ qty: 1, options: options({ qty: 4, value: null }) });
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1]);
    expect(await shop.done()).toEqual(["order 55164=50 55165=4"]);
    const { stderr } = await blesta(["edit", 37, { options: options({ qty: 0, value: null }) }]);
    expect(stderr).toContain("the quantity is 0");
    expect(await shop.done()).toEqual([]);
  });

  test("a scheduled cancellation ends at its date; its withdrawal is found by the next event", async () => {
    sell();
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1], ["cancel", 37, first(1)]);
    expect(await shop.endOf("blesta-37")).toBe("scheduled");
    await blesta(["unCancel", 37], ["invoiceTerm", 202, 37], ["pay", 202, 2]);
    expect(await shop.endOf("blesta-37")).toBe("open");
  });

  test("a fee for the cancellation does not bring the service back", async () => {
    sell();
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1], ["cancel", 37, midnight(0)]);
    expect(await shop.done()).toEqual(["order 55165=3", "suspend"]);
    await blesta(["addInvoice", 202, 37], ["pay", 202, 2]);
    expect(await shop.done()).toEqual([]);
  });

  test("a refunded invoice is taken back, and stands when it is paid again", async () => {
    sell();
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1]);
    await shop.done();
    await blesta(["refund", 1]);
    expect(await shop.done()).toEqual(["suspend"]);
    await blesta(["pay", 201, 2, new Date(Date.now() + 60_000).toISOString().slice(0, 19).replace("T", " ")]);
    expect(await shop.done()).toContain("resume");
  });

  test("the refund of a duplicate payment changes nothing", async () => {
    sell();
    await blesta(["addInvoice", 201, 37], ["pay", 201, 1], ["pay", 201, 2]);
    await shop.done();
    await blesta(["refund", 2]);
    expect(await shop.done()).toEqual([]);
  });

  test("a failure never reaches the shop", async () => {
    sell();
    shop.configure({ spool: "" });
    expect((await blesta(["suspend", 37])).stderr).toContain("spool is missing");
    expect(shop.state().Services?.["37"]).toMatchObject({ status: "suspended" });
  });
});
