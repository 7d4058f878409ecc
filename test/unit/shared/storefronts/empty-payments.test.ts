import { describe, expect, test } from "vitest";
import { storefrontNamed } from "../../../../shared/storefronts/index.ts";

const standard = storefrontNamed("standard") ?? expect.fail();
const pay = (data: Record<string, unknown>) =>
  standard.events(
    {
      type: "payment.succeeded",
      timestamp: "2027-01-31T10:00:00Z",
      data: { subscription: "s1", payment: "p1", months: 1, ...data },
    },
    { "webhook-id": "msg_1" },
  );

describe("a payment of quantity 0", () => {
  test("counts, and is an attention item that names customer, payment, and plan", () => {
    expect(pay({ plan: "vm6-monthly", quantity: 0, customer: { id: 7, email: "jo@example.com" } })).toMatchObject([
      { kind: "facts", events: [{ type: "payment.succeeded", payment: "p1" }] },
      {
        id: "msg_1",
        kind: "unparseable",
        about: { subscription: "s1" },
        reason: "payment p1 of customer 7, jo@example.com is for quantity 0 of vm6-monthly: no license follows from it",
      },
    ]);
  });

  test("names what it can where the customer is unknown", () => {
    expect(
      pay({
        items: [
          { plan: "a", quantity: 0 },
          { plan: "b", quantity: "0" },
        ],
      })[1],
    ).toMatchObject({
      reason: "payment p1 is for quantity 0 of a, b: no license follows from it",
    });
  });

  test.each([
    [
      "one of several items",
      {
        items: [
          { plan: "vm", quantity: 1 },
          { plan: "node", quantity: 0 },
        ],
      },
    ],
    ["an item without a quantity", { plan: "vm" }],
    ["no items", {}],
    ["a trial", { plan: "vm", quantity: 0, trial: true }],
  ])("is not reported for %s", (_, data) => {
    expect(pay(data)).toHaveLength(1);
  });
});
