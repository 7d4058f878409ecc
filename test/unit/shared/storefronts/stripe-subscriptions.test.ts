import { describe, expect, test } from "vitest";
import { stripe } from "../../../../shared/storefronts/stripe.ts";
import { utc } from "../../../support/events.ts";
import { item, stripeEvent, stripeSubscription, unix } from "../../../support/stripe.ts";

type Fields = Record<string, unknown>;

const parse = (type: string, object: Fields, previous_attributes?: Fields) =>
  stripe.events(
    stripeEvent(type, object, { data: { object, ...(previous_attributes && { previous_attributes }) } }),
    {},
  )[0];
const eventsOf = (of: Fields, type = "customer.subscription.updated", previous?: Fields) => {
  const parsed = parse(type, stripeSubscription(of), previous);
  return parsed?.kind === "facts" ? parsed.events : expect.fail(JSON.stringify(parsed));
};
const typesOf = (of: Fields, type?: string) => eventsOf(of, type).map((event) => event.type.replace(/^.*\./, ""));
const listed = (...data: unknown[]) => ({ items: { data, has_more: false } });

describe("a subscription", () => {
  test("states its items, its status, and its end", () => {
    expect(parse("customer.subscription.created", stripeSubscription())).toMatchObject({
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
      "at the end of the subscription's own period, as before basil",
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

  test("that is set to end at an unknown period ends with its paid time", () => {
    const unknown = eventsOf({ cancel_at_period_end: true, ...listed(item({ current_period_end: null })) });
    expect(unknown.at(-1)).not.toHaveProperty("endsAt");
  });

  test("states each of its items, by price and by product, expanded or not", () => {
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

  test("with more items than are listed needs attention, unless it is over", () => {
    const cut = stripeSubscription({ items: { data: [item()], has_more: true } });
    expect(parse("customer.subscription.updated", cut)).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(/more items/),
      about: { subscription: "sub_1" },
    });
    const [changed, over] = eventsOf(cut, "customer.subscription.deleted");
    expect(changed).not.toHaveProperty("items");
    expect(over).toMatchObject({ type: "subscription.cancelled" });
  });

  test("that cannot be read is still known by its id", () => {
    expect(parse("customer.subscription.updated", stripeSubscription({ customer: 7.5 }))).toMatchObject({
      kind: "unparseable",
      about: { subscription: "sub_1" },
    });
    const unknown = parse("customer.subscription.updated", stripeSubscription({ id: null }));
    expect(unknown).toMatchObject({ kind: "unparseable" });
    expect(unknown).not.toHaveProperty("about");
  });

  test("takes null wherever Stripe may send it", () => {
    const nulls = { status: null, customer: null, cancel_at_period_end: null, items: null };
    expect(typesOf(nulls)).toEqual(["changed", "cancel_withdrawn"]);
    expect(typesOf({ items: { data: null, has_more: null } })).toEqual(["changed", "resumed", "cancel_withdrawn"]);
    expect(typesOf(listed(item({ price: null, plan: null, quantity: null, current_period_end: null })))).toEqual([
      "changed",
      "resumed",
      "cancel_withdrawn",
    ]);
  });

  // Stripe's `created` is in seconds.
  test("orders what happened within one second: cancellation, its withdrawal, the end", () => {
    const at = (events: ReturnType<typeof eventsOf>) => events.at(-1)?.occurredAt ?? "";
    const scheduled = at(eventsOf({ cancel_at_period_end: true }));
    for (const previous of [{ cancel_at_period_end: true }, { cancel_at: unix("2027-05-05") }]) {
      expect(at(eventsOf({}, "customer.subscription.updated", previous)) > scheduled).toBe(true);
    }
    const withdrawn = at(eventsOf({}, "customer.subscription.updated", { cancel_at_period_end: true }));
    expect(at(eventsOf({ status: "canceled" }, "customer.subscription.deleted")) > withdrawn).toBe(true);
    const changed = eventsOf({}, "customer.subscription.updated", { cancel_at_period_end: false, cancel_at: null });
    expect(at(changed)).toBe(scheduled);
  });
});

describe("money that went back", () => {
  const charge = { id: "ch_1", object: "charge", payment_intent: "pi_1", refunded: true };
  const dispute = (status: string, of: Fields = {}) => ({
    id: "du_1",
    object: "dispute",
    charge: "ch_1",
    payment_intent: "pi_1",
    status,
    ...of,
  });
  const revoked = (type: string, reversed: boolean, part = "pi_1", reference = part) => ({
    kind: "facts",
    about: { reference },
    events: [{ type, payment: reference, part, reversed }],
  });

  test.each([
    ["a full refund", charge, "pi_1", "pi_1"],
    ["of a charge before basil", { ...charge, invoice: "in_1" }, "pi_1", "in_1"],
    [
      "of a charge before basil without an intent",
      { ...charge, payment_intent: null, invoice: "in_1" },
      "ch_1",
      "in_1",
    ],
    ["of a charge alone", { ...charge, payment_intent: null }, "ch_1", "ch_1"],
  ])("as %s", (_, object, part, reference) => {
    expect(parse("charge.refunded", object)).toMatchObject(revoked("payment.refunded", false, part, reference));
  });

  test("returns when the refund fails", () => {
    const refund = { id: "re_1", charge: "ch_1", payment_intent: "pi_1" };
    expect(parse("refund.failed", refund)).toMatchObject(revoked("payment.refunded", true));
  });

  test.each([
    ["a dispute", "created", dispute("needs_response"), false],
    ["a dispute that is lost", "closed", dispute("lost"), false],
    ["a dispute that is won", "closed", dispute("won"), true],
    ["withdrawn funds", "funds_withdrawn", dispute("under_review"), false],
    ["reinstated funds", "funds_reinstated", dispute("under_review"), true],
  ])("by %s, apart from refunds", (_, type, object, reversed) => {
    expect(parse(`charge.dispute.${type}`, object)).toMatchObject(revoked("payment.disputed", reversed));
  });

  test.each([
    ["an expanded intent", { payment_intent: { id: "pi_7" } }, "pi_7"],
    ["a charge alone", { payment_intent: null }, "ch_1"],
    ["neither", { payment_intent: null, charge: null }, "du_1"],
  ])("is known by %s", (_, of, part) => {
    expect(parse("charge.dispute.created", dispute("lost", of))).toMatchObject(
      revoked("payment.disputed", false, part),
    );
  });

  test.each([
    ["a partial refund", "charge.refunded", { ...charge, refunded: false }],
    ["a charge without a refund", "charge.refunded", { ...charge, refunded: null }],
    ["an inquiry", "charge.dispute.created", dispute("warning_needs_response")],
    ["a closed inquiry, which also reverses no refund", "charge.dispute.closed", dispute("warning_closed")],
    ["an inquiry under review", "charge.dispute.created", dispute("warning_under_review")],
  ])("does not include %s", (_, type, object) => {
    expect(parse(type, object)).toMatchObject({ kind: "ignored", about: { reference: "pi_1" } });
  });
});

describe("invoice_payment.paid", () => {
  const paid = (payment: Fields) => parse("invoice_payment.paid", { id: "inpay_1", invoice: "in_1", payment });

  test.each([
    ["a payment intent", { type: "payment_intent", payment_intent: "pi_1" }, ["pi_1"]],
    ["a charge", { type: "charge", charge: { id: "ch_1" } }, ["ch_1"]],
    ["both", { payment_intent: "pi_1", charge: "ch_1" }, ["pi_1", "ch_1"]],
  ])("makes %s a part of the invoice's payment", (_, payment, references) => {
    expect(paid(payment)).toMatchObject({
      kind: "facts",
      about: { reference: "in_1" },
      events: [{ type: "payment.part", payment: "in_1", part: references[0] }],
      links: references.map((reference) => ({ reference, to: { reference: "in_1" } })),
    });
  });

  test("without an intent or a charge is ignored", () => {
    expect(paid({ type: "payment_record" })).toMatchObject({ kind: "ignored", about: { reference: "in_1" } });
  });
});
