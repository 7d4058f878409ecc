import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createHandler } from "../../../../functions/partner/handler.ts";
import type { Outgoing } from "../../../../shared/intake/message.ts";
import { messagesOf } from "../../../../shared/intake/messages.ts";
import { partners } from "../../../../shared/storefronts/partners.ts";
import { stripe } from "../../../../shared/storefronts/stripe.ts";
import { dependenciesOf } from "../../../support/dependencies.ts";
import { utc } from "../../../support/events.ts";
import { invoice, stripeEvent } from "../../../support/stripe.ts";

const source = "aws.partner/stripe.com/ed_test_61TbJ2";
const now = new Date(utc("2027-01-31T10:00"));

/** The dependencies, and what they send. */
function recordingDependencies() {
  const sent: Outgoing[] = [];
  return { sent, deps: dependenciesOf({ send: async (messages) => void sent.push(...messages), now: () => now }) };
}
const partnerEvent = (detail: unknown, of: object = {}) => ({ id: "17e8dff5", source, detail, ...of });

describe("an event of a configured source", () => {
  test("becomes the same messages as its webhook", async () => {
    const detail = stripeEvent("invoice.paid", invoice());
    const { sent, deps } = recordingDependencies();
    await createHandler({ [source]: "stripe" }, deps)(partnerEvent(detail));
    const request = { receivedAt: utc("2027-01-31T10:00"), body: JSON.stringify(detail) };
    expect(sent).toEqual(stripe.events(detail, {}).flatMap((event) => messagesOf("stripe", event, request)));
    expect(sent.map(({ message }) => message.key)).toEqual(["subscription#stripe/sub_1", "reference#stripe/in_1"]);
  });

  test.each([
    [
      "a thin event",
      { id: "evt_9", object: "v2.core.event", type: "v1.invoice.paid", created: "2027-01-31T10:00:00Z" },
    ],
    ["no detail", undefined],
    ["another shape", [1]],
  ])("that is %s is queued as unparseable", async (_, detail) => {
    const { sent, deps } = recordingDependencies();
    await createHandler({ [source]: "stripe" }, deps)(partnerEvent(detail));
    expect(sent).toMatchObject([{ message: { kind: "unparseable" } }]);
  });

  test("that cannot be queued fails, so that Lambda retries", async () => {
    const send = () => Promise.reject(new Error("the queue is down"));
    const handler = createHandler({ [source]: "stripe" }, dependenciesOf({ send }));
    await expect(handler(partnerEvent(stripeEvent("invoice.paid", invoice())))).rejects.toThrow("the queue is down");
  });

  test("that is too large to store fails, so that it reaches the dead-letter queue", async () => {
    const { sent, deps } = recordingDependencies();
    const detail = { ...stripeEvent("invoice.paid", invoice()), much: randomBytes(400_000).toString("base64") };
    await expect(createHandler({ [source]: "stripe" }, deps)(partnerEvent(detail))).rejects.toThrow("too large");
    expect(sent).toEqual([]);
  });
});

test.each(["aws.partner/stripe.com/ed_of_another_account", "aws.events", "toString", ""])(
  "an event of %j is rejected, because it is not a configured source",
  async (other) => {
    const { sent, deps } = recordingDependencies();
    const event = partnerEvent(stripeEvent("invoice.paid", invoice()), { source: other });
    await expect(createHandler({ [source]: "stripe" }, deps)(event)).rejects.toThrow("is not a configured source");
    expect(sent).toEqual([]);
  },
);

test("a source of a storefront that is not a partner is rejected", async () => {
  const event = partnerEvent({});
  await expect(createHandler({ [source]: "standard" }, dependenciesOf())(event)).rejects.toThrow(
    "is not a configured source",
  );
});

describe("Shopify's events", () => {
  const webhookIn = (detail: unknown) => partners.shopify?.webhookIn(detail);

  test("contain the webhook's body and headers", () => {
    const metadata = {
      "Content-Type": "application/json",
      "X-Shopify-Topic": "orders/paid",
      "X-Shopify-Webhook-Id": "w1",
    };
    expect(webhookIn({ payload: { id: 820 }, metadata })).toEqual({
      body: { id: 820 },
      headers: { "content-type": "application/json", "x-shopify-topic": "orders/paid", "x-shopify-webhook-id": "w1" },
    });
  });

  test.each([undefined, null, [], { payload: {} }, { payload: {}, metadata: "none" }])(
    "of another shape, %j, are passed on unchanged",
    (detail) => {
      expect(webhookIn(detail)).toEqual({ body: detail, headers: {} });
    },
  );
});
