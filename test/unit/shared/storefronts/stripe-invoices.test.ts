import { describe, expect, test } from "vitest";
import { stripe } from "../../../../shared/storefronts/stripe.ts";
import { utc } from "../../../support/events.ts";
import { invoice, line, oldInvoice, oldLine, stripeEvent, unix } from "../../../support/stripe.ts";

const tell = (type: string, object: Record<string, unknown>, of: Record<string, unknown> = {}) =>
  stripe.events(stripeEvent(type, object, of), {})[0];
const told = (object: Record<string, unknown>) => {
  const one = tell("invoice.paid", object);
  return one?.kind === "facts" ? one : expect.fail(JSON.stringify(one));
};
const paymentOf = (object: Record<string, unknown>) => {
  const [event] = told(object).events;
  return event?.type === "payment.succeeded" ? event : expect.fail(JSON.stringify(event));
};
const lines = (...data: unknown[]) => ({ lines: { data, has_more: false } });
const proration = (of: object = {}) => line({ amount: -700, ...of }, { proration: true });
const priced = (price: string, product: string) => ({
  pricing: { type: "price_details", price_details: { price, product } },
});
const ahead = (end: string) => ({ start: unix("2027-01-31T10:00"), end: unix(end) });

describe("invoice.paid", () => {
  test("tells a payment to the end of the period that its lines bill", () => {
    expect(tell("invoice.paid", invoice({ billing_reason: "subscription_create" }))).toEqual({
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

  test("of a cycle lists items only for a subscription that has never been told", () => {
    expect(paymentOf(invoice()).items?.asOf).toBe("1970-01-01T00:00:00.000Z");
  });

  test.each([
    ["an update", invoice({ billing_reason: "subscription_update" })],
    ["more lines than are listed", invoice({ lines: { data: [line()], has_more: true } })],
  ])("lists no items with %s", (_, object) => {
    expect(paymentOf(object).items).toBeUndefined();
  });

  test("leaves prorations out of the period and of the items", () => {
    const upgrade = invoice({
      billing_reason: "subscription_cycle",
      ...lines(proration({ period: ahead("2028-01-31") }), line({ quantity: 5 })),
    });
    expect(paymentOf(upgrade)).toMatchObject({
      covers: { through: utc("2027-02-28T10:00") },
      items: { list: [{ quantity: 5 }] },
    });
  });

  test("of prorations alone is no payment of a period", () => {
    const update = invoice({ billing_reason: "subscription_update", ...lines(proration(), proration()) });
    expect(tell("invoice.paid", update)).toMatchObject({ kind: "ignored", reason: expect.stringMatching(/proration/) });
  });

  test("lists several items that are paid to one end, those of one price together", () => {
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

  test("of items that are paid to different ends is for a person", () => {
    const several = lines(line(), line({ period: ahead("2028-01-31") }));
    expect(tell("invoice.paid", invoice(several))).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(/different ends/),
    });
  });

  test("leaves out what was metered in the period that is over", () => {
    const metered = line({ period: { start: unix("2026-12-31T10:00"), end: unix("2027-01-31T09:59") } });
    expect(paymentOf(invoice(lines(metered, line()))).covers).toMatchObject({ through: utc("2027-02-28T10:00") });
    expect(tell("invoice.paid", invoice(lines(metered)))).toMatchObject({ kind: "ignored" });
  });

  test("whose period is on a line that is not listed is for a person", () => {
    const cut = invoice({ lines: { data: [proration()], has_more: true } });
    expect(tell("invoice.paid", cut)).toMatchObject({ kind: "unparseable", reason: expect.stringMatching(/not list/) });
  });

  test.each([
    ["a trial", { total: 0, ...lines(line({ amount: 0 })) }, true],
    ["a full discount", { total: 0, ...lines(line({ amount: 2000 })) }, false],
    ["a credit balance that pays it", { total: 2000, amount_paid: 0 }, false],
    ["a trial beside a setup fee", { total: 500, ...lines(line({ amount: 0 })) }, true],
  ])("of %s", (_, of, trial) => {
    expect(paymentOf(invoice(of))).toMatchObject({ trial, covers: { through: utc("2027-02-28T10:00") } });
  });

  test("takes ids from objects that are expanded", () => {
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
    expect(told(expanded).about).toEqual({ subscription: "sub_9" });
    expect(paymentOf(expanded)).toMatchObject({
      customer: { id: "cus_9" },
      items: { list: [{ names: ["price_9", "prod_9"] }] },
    });
  });

  test("leaves out lines of another subscription and items that stand alone", () => {
    const mixed = lines(
      line({ period: ahead("2029-01-01") }, { subscription: "sub_2" }),
      { ...line({ period: ahead("2029-01-01") }), parent: { invoice_item_details: { proration: false } } },
      line(),
    );
    expect(paymentOf(invoice(mixed)).covers).toMatchObject({ through: utc("2027-02-28T10:00") });
  });

  test.each([
    ["of no subscription", invoice({ parent: null })],
    ["of a quote", invoice({ parent: { type: "quote_details", quote_details: { quote: "qt_1" } } })],
  ])("%s is nothing", (_, object) => {
    expect(tell("invoice.paid", object)).toMatchObject({ kind: "ignored", reason: "an invoice of no subscription" });
  });
});

describe("invoice.paid before 2025-03-31.basil", () => {
  test("tells the same, and links its payment and charge besides", () => {
    expect(told(oldInvoice())).toMatchObject({
      about: { subscription: "sub_1" },
      links: [
        { reference: "in_1", to: { subscription: "sub_1" } },
        { reference: "pi_1", to: { reference: "in_1" } },
        { reference: "ch_1", to: { reference: "in_1" } },
      ],
      events: [{ covers: { through: utc("2027-02-28T10:00") }, trial: false }],
    });
  });

  test.each([
    ["a proration line", oldLine({ proration: true, period: ahead("2029-01-01") })],
    ["an invoice item", oldLine({ type: "invoiceitem", period: ahead("2029-01-01") })],
  ])("leaves out %s", (_, other) => {
    expect(paymentOf(oldInvoice(lines(other, oldLine()))).covers).toMatchObject({ through: utc("2027-02-28T10:00") });
    expect(tell("invoice.paid", oldInvoice(lines(other)))).toMatchObject({ kind: "ignored" });
  });

  test("names an item by its plan where no price is given", () => {
    const object = oldInvoice({ billing_reason: "subscription_create", ...lines(oldLine({ price: null })) });
    expect(paymentOf(object).items?.list).toEqual([{ names: ["price_vm", "prod_vm"], quantity: 1 }]);
  });
});

describe("invoice.payment_failed", () => {
  test.each([
    ["since basil", invoice()],
    ["before", oldInvoice()],
  ])("tells a failed payment (%s)", (_, object) => {
    expect(tell("invoice.payment_failed", object)).toMatchObject({
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [{ type: "payment.failed", payment: "in_1", occurredAt: utc("2027-01-31T10:00") }],
    });
  });

  test("of no subscription is nothing", () => {
    expect(tell("invoice.payment_failed", invoice({ parent: null }))).toMatchObject({ kind: "ignored" });
  });
});

describe("the envelope", () => {
  test("tells the test mode apart", () => {
    expect(tell("invoice.paid", invoice(), { livemode: false })).toMatchObject({ kind: "facts", test: true });
  });

  test("leaves other types alone", () => {
    expect(tell("customer.created", { id: "cus_1" })).toMatchObject({
      kind: "ignored",
      reason: expect.stringMatching(/"customer.created"/),
    });
  });

  test("leaves invoice.payment_succeeded alone, which tells the same as invoice.paid", () => {
    expect(tell("invoice.payment_succeeded", invoice())).toMatchObject({ kind: "ignored" });
  });

  test("asks for the other payload style on thin events", () => {
    const thin = { id: "evt_9", object: "v2.core.event", type: "v1.invoice.paid", created: "2027-01-31T10:00:00Z" };
    expect(stripe.events(thin, {})[0]).toMatchObject({
      id: "evt_9",
      kind: "unparseable",
      reason: expect.stringMatching(/thin event/),
    });
  });

  test.each([
    ["lines", invoice({ lines: undefined }), "its period is on a line that the event does not list"],
    [
      "a line's period",
      invoice(lines(line({ period: { start: 1, end: "soon" } }))),
      /data\.object\.lines\.data\[0\]\.period/,
    ],
    [
      "a time in milliseconds",
      invoice({ created: Date.UTC(2027, 0) }),
      /data\.object\.created: .*Unix time in seconds/,
    ],
  ])("is unclear without %s, and says where", (_, object, reason) => {
    const one = tell("invoice.paid", object);
    expect(one).toMatchObject({ id: "evt_1", kind: "unparseable", reason: expect.stringMatching(reason) });
  });

  test("failed is told without its lines", () => {
    const { created, lines: _, ...bare } = invoice();
    expect(tell("invoice.payment_failed", bare)).toMatchObject({ kind: "facts", events: [{ type: "payment.failed" }] });
  });

  test("is read without the time of its making, by the event's", () => {
    const { created, ...bare } = invoice();
    expect(tell("invoice.paid", bare)).toMatchObject({ kind: "facts", events: [{ type: "payment.succeeded" }] });
  });

  test.each([null, [], "text", 7, {}, { id: "evt_1", type: "invoice.paid" }])("of %j is unclear", (body) => {
    expect(stripe.events(body, {})[0]).toMatchObject({ kind: "unparseable", type: "no type" });
  });

  test("quotes no value of the body in its reason", () => {
    const one = tell("invoice.paid", invoice({ customer_email: { secret: "jo@example.com" }, created: 12_345 }));
    expect(JSON.stringify(one)).not.toMatch(/jo@example|12345/);
  });
});
