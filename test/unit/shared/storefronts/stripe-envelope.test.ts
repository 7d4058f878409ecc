import { describe, expect, test } from "vitest";
import { stripe } from "../../../../shared/storefronts/stripe.ts";
import { invoice, line, stripeEvent } from "../../../support/stripe.ts";

type Fields = Record<string, unknown>;

const parse = (type: string, object: Fields, of: Fields = {}) => stripe.events(stripeEvent(type, object, of), {})[0];
const lines = (...data: unknown[]) => ({ lines: { data, has_more: false } });

describe("the envelope", () => {
  test("marks the test mode", () => {
    expect(parse("invoice.paid", invoice(), { livemode: false })).toMatchObject({ kind: "facts", test: true });
    expect(parse("invoice.paid", invoice(), { livemode: null })).toMatchObject({ kind: "facts", test: false });
  });

  test("of another type is ignored", () => {
    expect(parse("customer.created", { id: "cus_1" })).toMatchObject({
      kind: "ignored",
      reason: expect.stringMatching(/"customer.created"/),
    });
  });

  test("of invoice.payment_succeeded is ignored: invoice.paid states the same", () => {
    expect(parse("invoice.payment_succeeded", invoice())).toMatchObject({ kind: "ignored" });
  });

  test("of a thin event asks for the other payload style", () => {
    const thin = { id: "evt_9", object: "v2.core.event", type: "v1.invoice.paid", created: "2027-01-31T10:00:00Z" };
    expect(stripe.events(thin, {})[0]).toMatchObject({
      id: "evt_9",
      kind: "unparseable",
      reason: expect.stringMatching(/thin event/),
    });
  });

  test.each([
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
  ])("is unparseable with %s, and says where", (_, object, reason) => {
    const parsed = parse("invoice.paid", object);
    expect(parsed).toMatchObject({ id: "evt_1", kind: "unparseable", reason: expect.stringMatching(reason) });
  });

  test("takes the event's time where the invoice has none", () => {
    const { created, ...bare } = invoice();
    expect(parse("invoice.paid", bare)).toMatchObject({ kind: "facts", events: [{ type: "payment.succeeded" }] });
  });

  test.each([null, [], "text", 7, {}, { id: "evt_1", type: "invoice.paid" }])("of %j is unparseable", (body) => {
    expect(stripe.events(body, {})[0]).toMatchObject({ kind: "unparseable", type: "no type" });
  });

  test("quotes no value of the body in its reason", () => {
    const parsed = parse("invoice.paid", invoice({ customer_email: { secret: "jo@example.com" }, created: 12_345 }));
    expect(JSON.stringify(parsed)).not.toMatch(/jo@example|12345/);
  });
});
