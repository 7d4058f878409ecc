import { describe, expect, test } from "vitest";
import { stripe } from "../../../../shared/storefronts/stripe.ts";
import { utc } from "../../../support/events.ts";
import { invoice, line, oldInvoice, oldLine, stripeEvent, unix } from "../../../support/stripe.ts";

type Fields = Record<string, unknown>;

const parse = (type: string, object: Fields, of: Fields = {}) => stripe.events(stripeEvent(type, object, of), {})[0];
const factsOf = (object: Fields) => {
  const parsed = parse("invoice.paid", object);
  return parsed?.kind === "facts" ? parsed : expect.fail(JSON.stringify(parsed));
};
const paymentOf = (object: Fields) => {
  const [event] = factsOf(object).events;
  return event?.type === "payment.succeeded" ? event : expect.fail(JSON.stringify(event));
};
const lines = (...data: unknown[]) => ({ lines: { data, has_more: false } });
const proration = (of: Fields = {}) => line(of, { proration: true });
const credit = (of: Fields = {}) => proration({ amount: -700, ...of });
const priced = (price: string, product: string) => ({
  pricing: { type: "price_details", price_details: { price, product } },
});
const period = (start: string, end: string) => ({ period: { start: unix(start), end: unix(end) } });
const until = (end: string) => period("2027-01-31T10:00", end);
const update = { billing_reason: "subscription_update" };
const aboutSubscription = { about: { subscription: "sub_1" } };

describe("invoice.paid", () => {
  test("is a payment of the period that its lines bill", () => {
    expect(parse("invoice.paid", invoice({ billing_reason: "subscription_create" }))).toEqual({
      id: "evt_1",
      type: "invoice.paid",
      occurredAt: utc("2027-01-31T10:00"),
      test: false,
      kind: "facts",
      about: { subscription: "sub_1" },
      links: [{ reference: "in_1", to: { subscription: "sub_1" } }],
      events: [
        {
          id: "evt_1",
          occurredAt: utc("2027-01-31T10:00"),
          customer: { id: "cus_1", email: "jo@example.com" },
          type: "payment.succeeded",
          payment: "in_1",
          covers: { from: utc("2027-01-31T10:00"), through: utc("2027-02-28T10:00") },
          trial: false,
          items: { asOf: utc("2027-01-31T09:58:59.999"), list: [{ names: ["price_vm", "prod_vm"], quantity: 1 }] },
        },
      ],
    });
  });

  test("of a cycle lists items only for a subscription without an event of its own", () => {
    expect(paymentOf(invoice()).items?.asOf).toBe("1970-01-01T00:00:00.000Z");
  });

  test.each([
    ["an update", invoice(update)],
    ["more lines than are listed", invoice({ lines: { data: [line()], has_more: true } })],
  ])("lists no items with %s", (_, object) => {
    expect(paymentOf(object).items).toBeUndefined();
  });

  test("lists several items that are paid to one end, the lines of one price together", () => {
    const several = lines(
      line({ ...priced("price_vm", "prod_vm"), quantity: 5 }),
      line({ ...priced("price_dci", "prod_dci"), quantity: 2 }),
      line({ ...priced("price_vm", "prod_vm"), quantity: 3 }),
    );
    expect(paymentOf(invoice({ ...several, billing_reason: "subscription_create" }))).toMatchObject({
      covers: { through: utc("2027-02-28T10:00") },
      items: {
        list: [
          { names: ["price_vm", "prod_vm"], quantity: 8 },
          { names: ["price_dci", "prod_dci"], quantity: 2 },
        ],
      },
    });
  });

  test("ignores metered usage of the period that is over", () => {
    const metered = line(period("2026-12-31T10:00", "2027-01-31T09:59"));
    expect(paymentOf(invoice(lines(metered, line()))).covers).toMatchObject({ through: utc("2027-02-28T10:00") });
    expect(parse("invoice.paid", invoice(lines(metered)))).toMatchObject({ kind: "ignored", ...aboutSubscription });
  });

  test("ignores lines of another subscription and one-off charges", () => {
    const mixed = lines(
      line(until("2029-01-01"), { subscription: "sub_2" }),
      { ...line(until("2029-01-01")), parent: { invoice_item_details: { proration: false } } },
      { ...line(until("2029-01-01")), parent: { type: "of another kind" } },
      line(),
    );
    expect(paymentOf(invoice(mixed)).covers).toMatchObject({ through: utc("2027-02-28T10:00") });
  });

  test("takes ids from expanded objects", () => {
    const expanded = invoice({
      customer: { id: "cus_9", object: "customer" },
      parent: { subscription_details: { subscription: { id: "sub_9", object: "subscription" } } },
      ...lines(
        line(
          { pricing: { price_details: { price: { id: "price_9" }, product: { id: "prod_9" } } } },
          { subscription: { id: "sub_9" } },
        ),
      ),
    });
    expect(factsOf(expanded).about).toEqual({ subscription: "sub_9" });
    expect(paymentOf(expanded)).toMatchObject({
      customer: { id: "cus_9" },
      items: { list: [{ names: ["price_9", "prod_9"] }] },
    });
  });

  test.each([
    ["of no subscription", invoice({ parent: null })],
    ["of a quote", invoice({ parent: { type: "quote_details", quote_details: { quote: "qt_1" } } })],
  ])("%s is ignored", (_, object) => {
    expect(parse("invoice.paid", object)).toMatchObject({ kind: "ignored", reason: "an invoice of no subscription" });
  });

  test("without any line is ignored: Stripe makes such manual invoices", () => {
    const empty = invoice({ billing_reason: "manual", total: 0, ...lines() });
    expect(parse("invoice.paid", empty)).toMatchObject({ kind: "ignored", ...aboutSubscription });
  });

  test.each([
    ["settled by a credit note", { amount_paid: 0, pre_payment_credit_notes_amount: 2000 }, "ignored"],
    ["credited although it is paid", { amount_paid: 2000, pre_payment_credit_notes_amount: 2000 }, "facts"],
    ["credited in part", { amount_paid: 500, pre_payment_credit_notes_amount: 1500 }, "facts"],
    ["credited in part, the rest paid by a balance", { amount_paid: 0, pre_payment_credit_notes_amount: 500 }, "facts"],
    ["credited after its payment", { amount_paid: 2000, post_payment_credit_notes_amount: 2000 }, "facts"],
    ["free by a discount", { total: 0, amount_paid: 0, pre_payment_credit_notes_amount: 0 }, "facts"],
    ["without these amounts", { total: null, amount_paid: null, pre_payment_credit_notes_amount: null }, "facts"],
  ])("%s: %j is %s", (_, of, kind) => {
    expect(parse("invoice.paid", invoice(of))).toMatchObject({ kind, ...aboutSubscription });
  });
});

describe("the paid time of prorations", () => {
  test("extends a subscription whose interval changed, although Stripe flags the whole line", () => {
    const toYearly = lines(
      credit(),
      proration({ amount: 18500, ...priced("price_y", "prod_vm"), ...until("2028-01-31") }),
    );
    expect(paymentOf(invoice({ ...update, ...toYearly }))).toMatchObject({
      covers: { from: utc("2027-01-31T10:00"), through: utc("2028-01-31") },
      trial: false,
    });
  });

  test("of more units reaches to the end of the period that is paid already", () => {
    const more = lines(credit(period("2027-02-10", "2027-02-28")), proration(period("2027-02-10", "2027-02-28")));
    expect(paymentOf(invoice({ ...update, ...more }))).toMatchObject({
      covers: { from: utc("2027-02-10"), through: utc("2027-02-28") },
    });
  });

  test("joins that of the next period, whose items alone count", () => {
    const cycle = lines(
      proration({ quantity: 5, ...period("2027-02-10", "2027-02-28T10:00") }),
      line({ quantity: 7, ...period("2027-02-28T10:00", "2027-03-31T10:00") }),
    );
    expect(paymentOf(invoice({ created: unix("2027-02-09"), ...cycle }))).toMatchObject({
      covers: { from: utc("2027-02-10"), through: utc("2027-03-31T10:00") },
      items: { list: [{ quantity: 7 }] },
    });
  });

  test("to the end of the next period adds nothing to its quantity", () => {
    // Stripe keeps a renewal's invoice open for an hour, in which a change can still come.
    const cycle = lines(line({ quantity: 5 }), proration({ quantity: 7 }));
    expect(paymentOf(invoice(cycle)).items?.list).toMatchObject([{ quantity: 5 }]);
  });

  test("is cut where a credit of the same invoice gives it back", () => {
    const changes = lines(
      proration({ quantity: 5, ...period("2027-02-05", "2027-02-28") }),
      credit({ quantity: 5, ...period("2027-02-10", "2027-02-28") }),
      proration({ ...priced("price_y", "prod_vm"), ...period("2027-02-10", "2028-02-10") }),
    );
    expect(paymentOf(invoice({ ...update, ...changes })).covers).toEqual({
      from: utc("2027-02-05"),
      through: utc("2028-02-10"),
    });
  });

  test("of an invoice item counts as well", () => {
    const item = {
      ...line(until("2028-01-31")),
      parent: { invoice_item_details: { proration: true, subscription: "sub_1" } },
    };
    expect(paymentOf(invoice({ ...update, ...lines(item) })).covers).toMatchObject({ through: utc("2028-01-31") });
  });

  test("of credits alone is none", () => {
    expect(parse("invoice.paid", invoice({ ...update, ...lines(credit(), credit()) }))).toMatchObject({
      kind: "ignored",
      ...aboutSubscription,
    });
  });
});

describe("an invoice of several periods", () => {
  const months = ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"];
  const monthly = (first: number, last: number) =>
    months.slice(first, last).map((start, i) => line(period(start, months[first + i + 1] ?? "")));

  test("that are billed ahead is paid to the end of the last, and lists one quantity", () => {
    const ahead = invoice({ billing_reason: "subscription_create", ...lines(...monthly(2, 5)) });
    expect(paymentOf(ahead)).toMatchObject({
      covers: { from: utc("2027-01-31"), through: utc("2027-04-30") },
      items: { list: [{ names: ["price_vm", "prod_vm"], quantity: 1 }] },
    });
  });

  test("of a backdated subscription pays the one that is not over, and lists one quantity", () => {
    const backdated = invoice({ billing_reason: "subscription_create", ...lines(...monthly(0, 3)) });
    expect(paymentOf(backdated)).toMatchObject({
      covers: { from: utc("2027-01-31"), through: utc("2027-02-28") },
      items: { list: [{ names: ["price_vm", "prod_vm"], quantity: 1 }] },
    });
  });

  test.each([
    ["items of several intervals", lines(line(), line(until("2028-01-31"))), /different ends/],
    ["the same, in the other order", lines(line(until("2028-01-31")), line()), /different ends/],
    ["periods that are not all listed", { lines: { data: monthly(2, 4), has_more: true } }, /does not list all/],
    ["a period that is not listed", { lines: { data: [credit()], has_more: true } }, /does not list/],
    ["lines that are not sent", { lines: null }, /does not list/],
  ])("needs attention with %s", (_, of, reason) => {
    expect(parse("invoice.paid", invoice(of))).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(reason),
      ...aboutSubscription,
    });
  });

  test("is paid to the end that all listed lines have", () => {
    const cut = invoice({ lines: { data: [line(), line(priced("price_dci", "prod_dci"))], has_more: true } });
    expect(paymentOf(cut).covers).toMatchObject({ through: utc("2027-02-28T10:00") });
  });
});

describe("a payment of nothing", () => {
  test.each([
    ["a trial", { total: 0, ...lines(line({ amount: 0 })) }, true],
    ["a trial that was extended", { ...update, total: 0, ...lines(credit(), proration({ amount: 0 })) }, true],
    ["a full discount", { total: 0, ...lines(line({ amount: 2000 })) }, false],
    ["a credit balance that pays it", { total: 2000, amount_paid: 0 }, false],
    ["a trial next to a setup fee", { total: 500, ...lines(line({ amount: 0 })) }, true],
    ["a free item next to a paid one", lines(line(), line({ amount: 0, ...priced("price_free", "prod_free") })), false],
    ["a line without an amount", lines(line({ amount: null })), false],
  ])("of %s: trial %s", (_, of, trial) => {
    expect(paymentOf(invoice(of))).toMatchObject({ trial, covers: { through: utc("2027-02-28T10:00") } });
  });

  test("counts the units of a free tier", () => {
    const tiers = lines(line({ amount: 0, quantity: 5 }), line({ quantity: 2 }));
    expect(paymentOf(invoice(tiers)).items?.list).toMatchObject([{ quantity: 7 }]);
  });
});

describe("invoice.paid before 2025-03-31.basil", () => {
  test("is the same payment, and links its payment intent and charge", () => {
    expect(factsOf(oldInvoice())).toMatchObject({
      about: { subscription: "sub_1" },
      links: [
        { reference: "in_1", to: { subscription: "sub_1" } },
        { reference: "pi_1", to: { reference: "in_1" } },
        { reference: "ch_1", to: { reference: "in_1" } },
      ],
      events: [
        { covers: { through: utc("2027-02-28T10:00") }, trial: false },
        { type: "payment.part", payment: "in_1", part: "pi_1" },
      ],
    });
  });

  test("of a charge alone has that for its part", () => {
    expect(factsOf(oldInvoice({ payment_intent: null })).events[1]).toMatchObject({ part: "ch_1" });
  });

  test("ignores an invoice item", () => {
    const item = oldLine({ type: "invoiceitem", ...until("2029-01-01") });
    expect(paymentOf(oldInvoice(lines(item, oldLine()))).covers).toMatchObject({ through: utc("2027-02-28T10:00") });
    expect(parse("invoice.paid", oldInvoice(lines(item)))).toMatchObject({ kind: "ignored" });
  });

  test("counts a proration, also as an invoice item", () => {
    const yearly = { proration: true, ...until("2028-01-31") };
    for (const one of [oldLine(yearly), oldLine({ type: "invoiceitem", ...yearly })]) {
      expect(paymentOf(oldInvoice(lines(one))).covers).toMatchObject({ through: utc("2028-01-31") });
    }
  });

  test("names an item by its plan where it has no price", () => {
    const object = oldInvoice({ billing_reason: "subscription_create", ...lines(oldLine({ price: null })) });
    expect(paymentOf(object).items?.list).toEqual([{ names: ["price_vm", "prod_vm"], quantity: 1 }]);
  });
});

describe("invoice.payment_failed", () => {
  test.each([
    ["since basil", invoice()],
    ["before", oldInvoice()],
    ["without its lines", { ...invoice(), created: undefined, lines: null }],
  ])("of a renewal is a failed payment (%s)", (_, object) => {
    expect(parse("invoice.payment_failed", object)).toMatchObject({
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [{ type: "payment.failed", payment: "in_1", occurredAt: utc("2027-01-31T10:00") }],
    });
  });

  test.each(["manual", "subscription_update", "subscription_create", "subscription_threshold", null])(
    "with the reason %j leaves the paid period paid",
    (billing_reason) => {
      expect(parse("invoice.payment_failed", invoice({ billing_reason }))).toMatchObject({
        kind: "ignored",
        ...aboutSubscription,
      });
    },
  );

  test("of no subscription is ignored", () => {
    expect(parse("invoice.payment_failed", invoice({ parent: null }))).toMatchObject({ kind: "ignored" });
  });
});
