import { catalogOf, checkReports, timeOn } from "./report.ts";

const day = (number: number): string => timeOn(number).slice(0, 10);

const created = {
  day: 0,
  headers: { "hb-event": "after_accountcreate" },
  body: { account_id: "49", product_id: "77", details: {}, account: { id: "49", client_id: "6", product_id: "77" } },
};
const invoice = (on: number, id: string, ...periods: [from: number, to: number][]) => ({
  day: on,
  headers: { "hb-event": "after_invoicefullpaid" },
  body: {
    id,
    status: "Paid",
    client_id: "6",
    items: periods.map(([from, to]) => ({
      type: "Hosting",
      item_id: "49",
      description: `VMmanager 6 vm.example.com (${day(from)} - ${day(to)})`,
      amount: "20.00",
      qty: "1",
    })),
  },
});

checkReports(
  "hostbill",
  [
    {
      happens: "after December, February's invoice is paid ten minutes before January's",
      source: "a customer with two open invoices; the text of a line is from api.hostbillapp.com/invoices",
      sends: [created, invoice(0, "58", [0, 31]), invoice(50, "60", [62, 90]), invoice(50.007, "59", [31, 62])],
      licenses: [
        [60, "active"],
        [89, "active"],
      ],
      buys: ["order 1", "prolong 1", "prolong 1"],
    },
    {
      happens: "the first invoice is prorated to the first of a month",
      source: "HostBill's proration; the text of its line is assumed",
      sends: [created, invoice(0, "58", [0, 20]), invoice(20, "59", [20, 51])],
      licenses: [
        [19, "active"],
        [50, "active"],
      ],
      buys: ["order 1", "prolong 1"],
    },
  ],
  catalogOf({ "vm-monthly": ["77"] }),
);
