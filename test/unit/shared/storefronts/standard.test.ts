import { describe, expect, test } from "vitest";
import { standard } from "../../../../shared/storefronts/standard.ts";
import { utc } from "../../../support/events.ts";

type Fields = Record<string, unknown>;

const at = "2027-01-31T10:00:00Z";
const read = (body: unknown) => standard.events(body, { "webhook-id": "msg_1" })[0];
const readEvent = (type: string, data: Fields = {}, of: Fields = {}) =>
  read({ type, timestamp: at, data: { subscription: "s1", ...data }, ...of });
const eventOf = (type: string, data: Fields = {}) => {
  const parsed = readEvent(type, data);
  return parsed?.kind === "facts" ? parsed.events[0] : expect.fail(JSON.stringify(parsed));
};
const payment = (of: Fields = {}) => ({ payment: "p1", paidThrough: "2027-02-28", ...of });

describe("each type", () => {
  test.each([
    ["payment.succeeded", payment(), { payment: "p1", covers: { through: utc("2027-02-28") }, trial: false }],
    ["payment.succeeded", { payment: "p1", months: 3, trial: true }, { covers: { months: 3 }, trial: true }],
    ["payment.succeeded", payment({ months: 3 }), { covers: { through: utc("2027-02-28") } }],
    ["payment.failed", {}, {}],
    ["payment.failed", { payment: "p1" }, { payment: "p1" }],
    ["payment.refunded", { payment: "p1" }, { payment: "p1", reversed: false }],
    ["payment.refunded", { payment: "p1", reversed: true }, { reversed: true }],
    ["payment.disputed", { payment: "p1" }, { payment: "p1", reversed: false }],
    ["payment.disputed", { payment: "p1", reversed: true }, { reversed: true }],
    ["payment.voided", { payment: "p1", reversed: null }, { payment: "p1", reversed: false }],
    ["subscription.changed", { plan: "vm" }, { items: { asOf: utc(at), list: [{ names: ["vm"] }] } }],
    ["subscription.paused", {}, {}],
    ["subscription.resumed", {}, {}],
    ["subscription.cancel_scheduled", {}, {}],
    ["subscription.cancel_scheduled", { endsAt: "2027-03-01T00:00:00+01:00" }, { endsAt: utc("2027-02-28T23:00") }],
    ["subscription.cancel_withdrawn", {}, {}],
    ["subscription.cancelled", {}, {}],
  ])("%s %j", (type, data, event) => {
    expect(readEvent(type, data)).toMatchObject({
      id: "msg_1",
      type,
      occurredAt: utc(at),
      kind: "facts",
      about: { subscription: "s1" },
      events: [{ id: "msg_1", occurredAt: utc(at), type, ...event }],
    });
  });

  test("that is unknown is ignored, with the list of known types", () => {
    expect(readEvent("order.created")).toMatchObject({
      kind: "ignored",
      reason: expect.stringMatching(
        /^no such type "order.created"; expected payment.succeeded, .*subscription.cancelled$/,
      ),
    });
  });
});

test("a mistyped type is unparseable", () => {
  expect(readEvent("payment.succeded")).toMatchObject({
    kind: "unparseable",
    reason: 'no such type "payment.succeded"; did you mean "payment.succeeded"?',
  });
});

describe("items", () => {
  test.each([
    ["a plan", { plan: "vm" }, [{ names: ["vm"] }]],
    ["a plan and a quantity", { plan: "vm", quantity: 4 }, [{ names: ["vm"], quantity: 4 }]],
    ["a quantity in text", { plan: "vm", quantity: "4" }, [{ names: ["vm"], quantity: 4 }]],
    ["none of it", { plan: "vm", quantity: 0 }, [{ names: ["vm"], quantity: 0 }]],
    [
      "several items",
      { items: [{ plan: "vm", quantity: "2" }, { plan: "node" }] },
      [{ names: ["vm"], quantity: 2 }, { names: ["node"] }],
    ],
  ])("as %s", (_, data, list) => {
    expect(eventOf("subscription.paused", data)?.items).toEqual({ asOf: utc(at), list });
  });

  test("are absent from an event without them", () => {
    expect(eventOf("payment.succeeded", payment())).not.toHaveProperty("items");
  });
});

describe("ids and customers", () => {
  test("ids may be numbers", () => {
    const parsed = readEvent("payment.failed", { subscription: 1042, payment: 7, customer: { id: 3 } });
    expect(parsed).toMatchObject({
      about: { subscription: "1042" },
      events: [{ payment: "7", customer: { id: "3" } }],
    });
  });

  test.each([
    [undefined, {}],
    [null, {}],
    [{ id: null, email: null }, {}],
    [
      { id: "c1", email: "a@example.com", name: "A" },
      { id: "c1", email: "a@example.com" },
    ],
  ])("of the customer %j it keeps %j", (customer, kept) => {
    expect(eventOf("subscription.paused", { customer })?.customer).toEqual(kept);
  });
});

test("the fields of the customer are accepted, and nothing is read from them yet", () => {
  const fields = { ip: "192.0.2.7", name: "host.example.com" };
  expect(readEvent("payment.succeeded", payment({ fields }))).toEqual(readEvent("payment.succeeded", payment()));
});

test("the id is the one of the header family that is signed", () => {
  const body = { type: "subscription.paused", timestamp: at, data: { subscription: "s1" } };
  expect(standard.events(body, { "svix-id": "msg_2" })).toMatchObject([{ id: "msg_2", kind: "facts" }]);
  expect(standard.events(body, { "svix-id": "msg_2", "webhook-id": "msg_1" })).toMatchObject([{ id: "msg_1" }]);
});

describe("times", () => {
  test.each([
    ["2027-02-28", "2027-02-28"],
    ["2027-02-28T10:30", "2027-02-28T10:30"],
    ["2027-02-28 10:30:15", "2027-02-28T10:30:15"],
    ["2027-02-28T10:30:15.123456Z", "2027-02-28T10:30:15.123"],
    ["2027-02-28T10:30:15+0200", "2027-02-28T08:30:15"],
    ["2028-02-29", "2028-02-29"],
  ])("%s is %s in UTC", (paidThrough, through) => {
    expect(eventOf("payment.succeeded", payment({ paidThrough }))).toMatchObject({ covers: { through: utc(through) } });
  });

  test.each(["2027-02-29", "2027-04-31T10:00:00Z", "2027-13-01", "1999-12-31", "28.02.2027", "", 1_801_389_600])(
    "%j is no time",
    (paidThrough) => {
      expect(readEvent("payment.succeeded", payment({ paidThrough }))).toMatchObject({
        kind: "unparseable",
        reason: expect.stringMatching(/^data\.paidThrough: /),
      });
    },
  );
});

describe("a problem is reported by its path", () => {
  test.each([
    ["payment.succeeded", { payment: "p1" }, "data.paidThrough or data.months: missing"],
    ["payment.succeeded", { months: 1 }, /^data\.payment: missing/],
    ["payment.succeeded", { payment: "p1", months: 0 }, /^data\.months: .*whole number from 1 to 120/],
    ["payment.succeeded", { payment: "p1", months: 121 }, /^data\.months: .*from 1 to 120/],
    ["payment.succeeded", payment({ trial: "no" }), /^data\.trial: .*a boolean/],
    ["payment.refunded", {}, /^data\.payment: missing/],
    ["subscription.changed", {}, "data.plan or data.items: missing"],
    ["subscription.changed", { quantity: 2 }, "data.plan: missing; data.quantity needs it"],
    ["subscription.changed", { plan: "" }, /^data\.plan: .*non-empty string/],
    ["subscription.changed", { plan: "vm", quantity: -1 }, /^data\.quantity: .*whole number from 0/],
    ["subscription.changed", { plan: "vm", quantity: 1.5 }, /^data\.quantity: /],
    ["subscription.changed", { plan: "vm", quantity: "many" }, /^data\.quantity: /],
    ["subscription.changed", { items: [] }, /^data\.items: /],
    ["subscription.changed", { items: [{ quantity: 1 }] }, /^data\.items\[0\]\.plan: missing/],
    ["subscription.paused", { subscription: "" }, /^data\.subscription: /],
    ["subscription.paused", { subscription: undefined }, /^data\.subscription: missing/],
    ["subscription.paused", { subscription: "x".repeat(201) }, /^data\.subscription: /],
  ])("%s %j", (type, data, reason) => {
    expect(readEvent(type, data)).toMatchObject({
      id: "msg_1",
      type,
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });

  test.each([
    ["no data", { type: "subscription.paused", timestamp: at }, /^data: missing/],
    ["no timestamp", { type: "subscription.paused", data: { subscription: "s1" } }, /^timestamp: missing/],
    ["no type", { timestamp: at, data: {} }, /^type: /],
    ["nothing", {}, /^type: /],
  ])("a body with %s", (_, body, reason) => {
    expect(read(body)).toMatchObject({ kind: "unparseable", reason: expect.stringMatching(reason) });
  });

  test.each([null, [], "text", 7, true])("a body that is %j", (body) => {
    expect(read(body)).toMatchObject({ kind: "unparseable", type: "no type", reason: expect.stringMatching(/./) });
  });

  test("without quoting what the body holds", () => {
    const parsed = readEvent(
      "payment.succeeded",
      payment({ paidThrough: "jo@example.com", customer: "jo@example.com" }),
    );
    expect(JSON.stringify(parsed)).not.toContain("jo@example");
  });
});
