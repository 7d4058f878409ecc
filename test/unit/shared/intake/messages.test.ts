import { expect, test } from "vitest";
import { messagesOf } from "../../../../shared/intake/messages.ts";
import type { ParsedEvent } from "../../../../shared/storefronts/storefront.ts";
import { utc } from "../../../support/events.ts";

const request = { receivedAt: utc("2027-01-31T10:00"), body: "{}" };

test("an event that links one reference to several subjects becomes a message for each, with its terms", () => {
  const parsed: ParsedEvent = {
    id: "e1",
    type: "order",
    kind: "facts",
    about: { reference: "o1" },
    events: [],
    links: [
      { reference: "o1", to: { subscription: "s1" }, shared: true },
      { reference: "o1", to: { reference: "first payment of s2" }, shared: true, months: 12 },
      { reference: "o1", to: { subscription: "s3" } },
    ],
  };
  const [, ...links] = messagesOf("shop", parsed, request);
  expect(links.map(({ message }) => message)).toEqual([
    { key: "reference#shop/o1", kind: "link", to: "subscription#shop/s1", shared: true },
    { key: "reference#shop/o1", kind: "link", to: "reference#shop/first payment of s2", shared: true, months: 12 },
    { key: "reference#shop/o1", kind: "link", to: "subscription#shop/s3" },
  ]);
  // The queue drops a second message of the same key, kind, and id.
  expect(new Set(links.map(({ deduplicationId }) => deduplicationId)).size).toBe(3);
});
