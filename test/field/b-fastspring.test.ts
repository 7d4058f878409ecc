import { checkReports, dateOn, newId, type Sent } from "./report.ts";

type Fields = Record<string, unknown>;

const ms = (day: number): number => dateOn(day).getTime();

const sends = (day: number, type: string, data: Fields): Sent => ({
  day,
  body: { events: [{ id: newId("fs"), processed: false, created: ms(day), type, live: true, data }] },
});

const subscription = (of: Fields = {}) => ({
  id: "sub1",
  state: "active",
  account: { id: "account1", contact: { email: "jo@example.com" } },
  product: { product: "vm-month" },
  sku: null,
  quantity: 1,
  begin: ms(0),
  next: ms(31),
  deactivationDate: null,
  ...of,
});

checkReports("fastspring", [
  {
    happens: "the charge of a proration fails within a paid month",
    source:
      "developer.fastspring.com: charges are rebills and prorations; that a failed proration sends this is assumed",
    sends: [
      sends(0, "subscription.activated", subscription()),
      sends(5, "subscription.charge.failed", { reason: "DECLINED", subscription: subscription() }),
    ],
    licenses: [
      [12, "active"],
      [35, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "one order of two subscriptions is returned",
    source: "developer.fastspring.com: order.completed lists the subscription of each item",
    sends: [
      sends(0, "order.completed", {
        id: "order1",
        items: ["sub1", "sub2"].map((one) => ({ product: "vm-month", subscription: one })),
      }),
      sends(0, "subscription.activated", subscription()),
      sends(0, "subscription.activated", subscription({ id: "sub2" })),
      sends(1, "return.created", { completed: true, totalReturn: 38, original: { id: "order1", total: 38 } }),
    ],
    licenses: [
      [0.5, "active", "active"],
      [2, "suspended", "suspended"],
    ],
    buys: ["order 1", "order 1"],
  },
]);
