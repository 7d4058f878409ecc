import { describe, expect, test } from "vitest";
import { stripe } from "../../../../shared/storefronts/stripe.ts";
import { utc } from "../../../support/events.ts";
import { item, stripeEvent, stripeSubscription, unix } from "../../../support/stripe.ts";

type Fields = Record<string, unknown>;

const tell = (type: string, object: Fields) => stripe.events(stripeEvent(type, object), {})[0];
const eventsOf = (of: Fields, type = "customer.subscription.updated") => {
  const told = tell(type, stripeSubscription(of));
  return told?.kind === "facts" ? told.events : expect.fail(JSON.stringify(told));
};
const typesOf = (of: Fields, type?: string) => eventsOf(of, type).map((event) => event.type.replace(/^.*\./, ""));
const listed = (...data: unknown[]) => ({ items: { data, has_more: false } });

describe("a subscription", () => {
  test("is read as all that it says", () => {
    expect(tell("customer.subscription.created", stripeSubscription())).toMatchObject({
      kind: "facts",
      about: { subscription: "sub_1" },
      events: [
        {
          type: "subscription.changed",
          customer: { id: "cus_1" },
          items: { asOf: utc("2027-01-31T10:00"), list: [{ names: ["price_vm", "prod_vm"], quantity: 1 }] },
        },
        { type: "subscription.resumed" },
        { type: "subscription.cancel_withdrawn" },
      ],
    });
  });

  test.each([
    ["active", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["trialing", { status: "trialing" }, ["changed", "resumed", "cancel_withdrawn"]],
    ["past due", { status: "past_due" }, ["changed", "failed", "cancel_withdrawn"]],
    ["unpaid", { status: "unpaid" }, ["changed", "failed", "cancel_withdrawn"]],
    ["paused", { status: "paused" }, ["changed", "paused", "cancel_withdrawn"]],
    [
      "active, its collection paused",
      { pause_collection: { behavior: "void" } },
      ["changed", "paused", "cancel_withdrawn"],
    ],
    [
      "past due, its collection paused",
      { status: "past_due", pause_collection: {} },
      ["changed", "paused", "cancel_withdrawn"],
    ],
    ["incomplete", { status: "incomplete" }, ["changed", "cancel_withdrawn"]],
    ["never completed", { status: "incomplete_expired" }, ["changed", "cancelled"]],
    ["canceled", { status: "canceled" }, ["changed", "cancelled"]],
    ["set to end", { cancel_at_period_end: true }, ["changed", "resumed", "cancel_scheduled"]],
  ])("that is %s", (_, of, types) => {
    expect(typesOf(of)).toEqual(types);
  });

  test.each([
    ["customer.subscription.paused", { status: "paused" }, ["changed", "paused", "cancel_withdrawn"]],
    ["customer.subscription.resumed", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["customer.subscription.deleted", { status: "canceled" }, ["changed", "cancelled"]],
    ["customer.subscription.deleted", { status: "active", cancel_at_period_end: true }, ["changed", "cancelled"]],
  ])("of %s", (type, of, types) => {
    expect(typesOf(of, type)).toEqual(types);
  });

  test.each([
    ["at a time", { cancel_at: unix("2027-05-05") }, "2027-05-05"],
    [
      "at a time, and the period's end too",
      { cancel_at: unix("2027-05-05"), cancel_at_period_end: true },
      "2027-05-05",
    ],
    ["at the end of its items' periods", { cancel_at_period_end: true }, "2027-02-28T10:00"],
    [
      "at the end of the period told by the subscription itself, as before basil",
      {
        cancel_at_period_end: true,
        current_period_end: unix("2027-03-01"),
        ...listed(item({ current_period_end: undefined })),
      },
      "2027-03-01",
    ],
    [
      "at the latest end of several items",
      { cancel_at_period_end: true, ...listed(item(), item({ current_period_end: unix("2027-06-01") })) },
      "2027-06-01",
    ],
  ])("that is set to end %s", (_, of, endsAt) => {
    expect(eventsOf(of).at(-1)).toMatchObject({ type: "subscription.cancel_scheduled", endsAt: utc(endsAt) });
  });

  test("that is set to end at a period that it does not tell ends with what is paid", () => {
    const unknown = eventsOf({ cancel_at_period_end: true, ...listed(item({ current_period_end: null })) });
    expect(unknown.at(-1)).not.toHaveProperty("endsAt");
  });

  test("tells each of its items, by price and by product, expanded or not", () => {
    const several = listed(
      item({ price: { id: "price_a", product: { id: "prod_a" } }, quantity: 3 }),
      item({ price: null, plan: { id: "plan_b", product: "prod_b" } }),
      item({ price: { id: "price_metered" }, quantity: null }),
    );
    expect(eventsOf(several)[0]?.items?.list).toEqual([
      { names: ["price_a", "prod_a"], quantity: 3 },
      { names: ["plan_b", "prod_b"], quantity: 1 },
      { names: ["price_metered"], quantity: 1 },
    ]);
  });

  test("that has more items than are listed is unclear", () => {
    const cut = stripeSubscription({ items: { data: [item()], has_more: true } });
    expect(tell("customer.subscription.updated", cut)).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(/more items/),
    });
  });
});

describe("money that went back", () => {
  const charge = { id: "ch_1", object: "charge", payment_intent: "pi_1", refunded: true };
  const dispute = (status: string) => ({
    id: "du_1",
    object: "dispute",
    charge: "ch_1",
    payment_intent: "pi_1",
    status,
  });
  const takenBack = (reversed: boolean, reference = "pi_1") => ({
    kind: "facts",
    about: { reference },
    events: [{ type: "payment.refunded", payment: reference, reversed }],
  });

  test.each([
    ["a full refund", "charge.refunded", charge, takenBack(false)],
    ["a refund of a charge before basil", "charge.refunded", { ...charge, invoice: "in_1" }, takenBack(false, "in_1")],
    ["a refund of a charge alone", "charge.refunded", { ...charge, payment_intent: null }, takenBack(false, "ch_1")],
    ["a refund that failed", "refund.failed", { id: "re_1", charge: "ch_1", payment_intent: "pi_1" }, takenBack(true)],
    ["a dispute", "charge.dispute.created", dispute("needs_response"), takenBack(false)],
    ["a dispute lost", "charge.dispute.closed", dispute("lost"), takenBack(false)],
    ["a dispute won", "charge.dispute.closed", dispute("won"), takenBack(true)],
    ["funds withdrawn", "charge.dispute.funds_withdrawn", dispute("under_review"), takenBack(false)],
    ["funds reinstated", "charge.dispute.funds_reinstated", dispute("under_review"), takenBack(true)],
    [
      "a dispute of an expanded charge",
      "charge.dispute.created",
      { ...dispute("lost"), payment_intent: { id: "pi_7" } },
      takenBack(false, "pi_7"),
    ],
  ])("%s", (_, type, object, expected) => {
    expect(tell(type, object)).toMatchObject(expected);
  });

  test.each([
    ["a refund in part", "charge.refunded", { ...charge, refunded: false }],
    ["an inquiry", "charge.dispute.created", dispute("warning_needs_response")],
    [
      "an inquiry closed, which gives nothing back of a refund either",
      "charge.dispute.closed",
      dispute("warning_closed"),
    ],
    ["an inquiry under review", "charge.dispute.created", dispute("warning_under_review")],
  ])("%s takes nothing back", (_, type, object) => {
    expect(tell(type, object)).toMatchObject({ kind: "ignored" });
  });
});

describe("invoice_payment.paid", () => {
  const paid = (payment: Fields) => tell("invoice_payment.paid", { id: "inpay_1", invoice: "in_1", payment });

  test.each([
    ["a payment intent", { type: "payment_intent", payment_intent: "pi_1" }, ["pi_1"]],
    ["a charge", { type: "charge", charge: { id: "ch_1" } }, ["ch_1"]],
    ["both", { payment_intent: "pi_1", charge: "ch_1" }, ["pi_1", "ch_1"]],
  ])("links %s to its invoice", (_, payment, references) => {
    expect(paid(payment)).toMatchObject({
      kind: "facts",
      events: [],
      links: references.map((reference) => ({ reference, to: { reference: "in_1" } })),
    });
  });

  test("that names no payment is nothing", () => {
    expect(paid({ type: "payment_record" })).toMatchObject({ kind: "ignored" });
  });
});
