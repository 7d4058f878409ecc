import { describe, expect, test } from "vitest";
import { chargebee } from "../../../../shared/storefronts/chargebee.ts";
import {
  chargebeeEvent as event,
  chargebeeInvoice as invoice,
  chargebeeLine as line,
  ms,
  chargebeeSubscription as subscription,
  unix,
} from "../../../support/chargebee.ts";
import { utc } from "../../../support/events.ts";

type Fields = Record<string, unknown>;

const parseAll = (type: string, content: Fields) => chargebee.events(event(type, content), {});
const parse = (type: string, content: Fields) => parseAll(type, content)[0];
const factsOf = (type: string, content: Fields) => {
  const parsed = parse(type, content);
  return parsed?.kind === "facts" ? parsed.events : expect.fail(JSON.stringify(parsed));
};
const typesOf = (type: string, content: Fields) => factsOf(type, content).map((one) => one.type.replace(/^.*\./, ""));
const paymentOf = (object: Fields) =>
  factsOf("payment_succeeded", { invoice: object }).find((one) => one.type === "payment.succeeded");

describe("a paid invoice", () => {
  test("counts after the subscription's end, which it does not date again", () => {
    const content = { subscription: subscription({ status: "cancelled" }), invoice: invoice() };
    expect(typesOf("payment_succeeded", content)).toEqual(["changed", "succeeded"]);
    expect(typesOf("subscription_cancelled", content)).toEqual(["changed", "cancelled", "succeeded"]);
  });

  test.each([
    ["a free plan", { line_items: [line({ amount: 0 })], total: 0, amount_paid: 0 }, true],
    ["a full discount", { line_items: [line({ amount: 5700 })], total: 0, amount_paid: 0 }, false],
    ["a line without an amount", { line_items: [line({ amount: null })], total: 0, amount_paid: 0 }, false],
  ])("of %s: trial %s", (_, of, trial) => {
    expect(paymentOf(invoice(of))).toMatchObject({ trial });
  });

  test("accepts null wherever Chargebee may send it", () => {
    const nulls = { paid_at: null, total: null, amount_paid: null, credits_applied: null, issued_credit_notes: null };
    expect(paymentOf(invoice({ ...nulls, resource_version: null }))).toMatchObject({ payment: "17" });
    const content = { subscription: null, invoice: invoice(), customer: null, credit_note: null };
    expect(typesOf("payment_succeeded", content)).toEqual(["succeeded"]);
  });

  test.each(["payment_succeeded", "invoice_generated", "invoice_updated"])("pays its plan's period (%s)", (type) => {
    expect(factsOf(type, { invoice: invoice() })).toEqual([
      {
        id: "ev_1",
        // When it was paid, not when the event was made: Chargebee sends the invoice again.
        occurredAt: utc("2027-01-31T10:00:07"),
        customer: { id: "cus_1", email: "jo@example.com" },
        type: "payment.succeeded",
        payment: "17",
        covers: { from: utc("2027-01-31T10:00:05"), through: utc("2027-02-28T10:00:05") },
        trial: false,
      },
    ]);
  });

  test("next to its subscription is stated with it", () => {
    const content = { subscription: subscription(), invoice: invoice() };
    expect(typesOf("subscription_renewed", content)).toEqual(["changed", "resumed", "cancel_withdrawn", "succeeded"]);
  });

  test.each([
    ["the older catalog", [line({ entity_type: "plan" })], "2027-02-28T10:00:05"],
    [
      "several terms in advance",
      [line(), line({ date_from: unix("2027-02-28"), date_to: unix("2027-03-31") })],
      "2027-03-31",
    ],
    ["a line that names no subscription", [line({ subscription_id: undefined })], "2027-02-28T10:00:05"],
    [
      "another subscription's line, too",
      [line(), line({ subscription_id: "sub_2", date_to: unix("2029-01-31") })],
      "2027-02-28T10:00:05",
    ],
  ])("of %s", (_, line_items, through) => {
    expect(paymentOf(invoice({ line_items }))).toMatchObject({ covers: { through: utc(through) } });
  });

  test("of several terms covers all of them, listed in any order", () => {
    const line_items = [line({ date_from: unix("2027-02-28"), date_to: unix("2027-03-31") }), line()];
    expect(paymentOf(invoice({ line_items }))).toMatchObject({
      covers: { from: utc("2027-01-31T10:00:05"), through: utc("2027-03-31") },
    });
  });

  test("of several subscriptions is a payment of each", () => {
    const both = invoice({
      subscription_id: undefined,
      line_items: [line(), line({ subscription_id: "sub_2", date_to: unix("2027-03-31") })],
    });
    expect(parseAll("payment_succeeded", { invoice: both })).toMatchObject([
      {
        id: "ev_1",
        about: { subscription: "sub_1" },
        events: [{ payment: "17", covers: { through: utc("2027-02-28T10:00:05") } }],
      },
      {
        id: "ev_1",
        about: { subscription: "sub_2" },
        events: [{ payment: "17", covers: { through: utc("2027-03-31") } }],
      },
    ]);
  });

  test.each([
    ["by credits", { amount_paid: 0, credits_applied: 5700 }],
    ["with nothing, by a full discount", { total: 0, amount_paid: 0 }],
    ["at an unknown time", { paid_at: undefined }],
    ["and made at an unknown time", { paid_at: undefined, date: undefined }],
  ])("%s counts", (_, more) => {
    expect(paymentOf(invoice(more))).toMatchObject({ payment: "17", trial: false });
  });

  test.each([
    ["that is due", { status: "payment_due", amount_paid: 0 }],
    ["that is paid in part", { status: "payment_due", amount_paid: 1900 }],
    ["that is not paid", { status: "not_paid", amount_paid: 0 }],
    ["that is posted", { status: "posted", amount_paid: 0 }],
    ["that was written off or adjusted away", { amount_paid: 0 }],
    ["of charges alone", { line_items: [line({ entity_type: "charge_item_price" })] }],
    ["of a period that is over", { line_items: [line({ date_to: unix("2027-01-31T10:00:05") })] }],
    ["without lines", { line_items: null }],
  ])("%s pays nothing", (_, more) => {
    expect(parse("invoice_updated", { invoice: invoice(more) })).toMatchObject({ kind: "ignored" });
  });

  test("of no subscription is ignored", () => {
    expect(
      parse("payment_succeeded", { invoice: invoice({ subscription_id: undefined, line_items: [] }) }),
    ).toMatchObject({
      kind: "ignored",
    });
    expect(parse("payment_succeeded", {})).toMatchObject({ kind: "ignored", reason: "about no invoice" });
  });
});

describe("a payment that failed", () => {
  const failed = (of: Fields, content: Fields = {}) =>
    typesOf("payment_failed", {
      subscription: subscription({ due_invoices_count: 1, current_term_start: unix("2027-01-31T10:00:05") }),
      invoice: invoice({ status: "payment_due", amount_paid: 0, ...of }),
      ...content,
    });

  test.each([
    ["a renewal", {}],
    ["a renewal with a charge", { line_items: [line(), line({ entity_type: "charge_item_price" })] }],
    ["the older catalog", { line_items: [line({ entity_type: "plan" })] }],
    ["a line without a start", { line_items: [line({ date_from: null })] }],
  ])("counts, of %s", (_, of) => {
    expect(failed(of)).toEqual(["changed", "cancel_withdrawn", "failed"]);
  });

  test.each([
    ["a one-off charge", { line_items: [line({ entity_type: "charge_item_price" })] }],
    ["a change within the term", { line_items: [line({ date_from: unix("2027-02-10") })] }],
    ["another subscription's plan", { line_items: [line({ subscription_id: "sub_2" })] }],
  ])("leaves the paid term paid, of %s", (_, of) => {
    expect(failed(of)).toEqual(["changed", "cancel_withdrawn"]);
  });

  test("counts if the event omits the subscription", () => {
    expect(failed({ line_items: [line({ date_from: unix("2027-02-10") })] }, { subscription: null })).toEqual([
      "failed",
    ]);
    expect(parse("payment_failed", { invoice: invoice({ line_items: null }) })).toMatchObject({
      kind: "ignored",
      about: { subscription: "sub_1" },
    });
  });

  test("is later than the state of the same second that was fine", () => {
    const failed = factsOf("payment_failed", {
      subscription: subscription({ due_invoices_count: 1, resource_version: ms("2027-01-31T10:00:09.900") }),
      invoice: invoice({ status: "payment_due", amount_paid: 0, resource_version: ms("2027-01-31T10:00:09.800") }),
    });
    expect(failed.map(({ type }) => type)).toEqual([
      "subscription.changed",
      "subscription.cancel_withdrawn",
      "payment.failed",
    ]);
    const fine = factsOf("subscription_renewed", { subscription: subscription() })[1];
    expect((fine?.occurredAt ?? "") < (failed.at(-1)?.occurredAt ?? "")).toBe(true);
  });
});

describe("money that was returned", () => {
  const note = (cn_total: number, cn_status = "refunded", cn_id = "CN-1") => ({ cn_id, cn_status, cn_total });
  const refund = (issued_credit_notes: unknown[], credit_note?: Fields) =>
    parse("payment_refunded", { invoice: invoice({ issued_credit_notes }), ...(credit_note && { credit_note }) });

  test.each([
    ["whole, by the invoice", [note(5700)], undefined],
    ["whole, by the credit note alone", [], { id: "CN-1", status: "refunded", total: 5700 }],
    ["in parts that add up to the whole", [note(2700), note(3000, "refunded", "CN-2")], undefined],
    [
      "in a last part that the invoice does not list yet",
      [note(2700)],
      { id: "CN-2", status: "refunded", total: 3000 },
    ],
  ])("%s", (_, notes, credit) => {
    expect(refund(notes, credit)).toMatchObject({
      events: [
        { type: "payment.refunded", payment: "17", reversed: false, occurredAt: utc("2027-01-31T10:00:09.637") },
      ],
    });
  });

  test.each([
    ["in part", [note(2700)], undefined],
    ["in part, listed twice", [note(2850)], { id: "CN-1", status: "refunded", total: 2850 }],
    ["as a promise", [note(5700, "refund_due")], undefined],
    ["nowhere", [], undefined],
  ])("%s takes nothing back", (_, notes, credit) => {
    expect(refund(notes, credit)).toMatchObject({ kind: "ignored" });
  });

  test("of an invoice of zero takes nothing back", () => {
    expect(parse("payment_refunded", { invoice: invoice({ total: 0, amount_paid: 0 }) })).toMatchObject({
      kind: "ignored",
    });
  });

  test.each([
    ["voided", "invoice_updated", { status: "voided" }],
    ["deleted", "invoice_deleted", {}],
  ])("with an invoice that was %s", (_, type, more) => {
    expect(factsOf(type, { invoice: invoice(more) })).toMatchObject([
      { type: "payment.voided", payment: "17", reversed: false },
    ]);
  });
});
