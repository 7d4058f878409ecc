import { checkReports, type Sent, timeOn } from "./report.ts";

type Fields = Record<string, unknown>;

const sends = (day: number, type: string, data: Fields = {}): Sent => ({
  day,
  body: { type, timestamp: timeOn(day), data: { subscription: "shop-1", ...data } },
});
const paid = (day: number, payment: string, months: number, quantity = 1): Sent =>
  sends(day, "payment.succeeded", { payment, months, plan: "vm-month", quantity });

const paidLate = [0, 39, 75, 114].map((day, i) => paid(day, `inv-${i}`, 1));

checkReports("standard", [
  {
    happens: "a yearly payment is sent again after eleven months, with the later time",
    source: "assumed: a shop that repeats its queue",
    sends: [paid(0, "inv-1", 12), paid(334, "inv-1", 12)],
    licenses: [
      [360, "active"],
      [375, "suspended"],
    ],
    buys: ["order 1", ...Array.from({ length: 11 }, () => "prolong 1")],
  },
  {
    happens: "each of four months is paid eight days late",
    source: "assumed: a late payer",
    sends: paidLate,
    licenses: [
      [38, "suspended"],
      [40, "active"],
      [120, "active"],
    ],
    buys: ["order 1", "order 1", "order 1", "order 1"],
  },
  {
    happens: "a payment is refunded, disputed as well, and the dispute is won",
    source: "github.com/stripe: a dispute can follow a refund, and is won by showing it",
    sends: [
      paid(0, "inv-1", 1),
      sends(3, "payment.refunded", { payment: "inv-1" }),
      sends(4, "payment.disputed", { payment: "inv-1" }),
      sends(12, "payment.disputed", { payment: "inv-1", reversed: true }),
    ],
    licenses: [
      [2, "active"],
      [5, "suspended"],
      [13, "suspended"],
    ],
    buys: ["order 1"],
  },
  {
    happens: "a month is paid for the quantity 0",
    source: "a sender that reads an option's text as a number",
    sends: [paid(0, "inv-1", 1, 0)],
    licenses: [[1]],
    buys: [],
    attention: 1,
  },
]);
