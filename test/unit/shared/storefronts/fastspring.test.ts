import { describe, expect, test } from "vitest";
import { signFastspring } from "../../../../local/simulators/storefronts/signing.ts";
import { fastspring } from "../../../../shared/storefronts/fastspring.ts";
import { utc } from "../../../support/events.ts";
import { plainSecretOf } from "../../../support/secrets.ts";
import { signers } from "../../../support/signers.ts";

type Fields = Record<string, unknown>;

const ms = (text: string) => Date.parse(utc(text));

const event = (type: string, data: Fields, of: Fields = {}) => ({
  id: "fsEvent1",
  processed: false,
  created: ms("2027-01-31T10:00"),
  type,
  live: true,
  data,
  ...of,
});
const read = (type: string, data: Fields, of: Fields = {}) =>
  fastspring.events({ events: [event(type, data, of)] }, {})[0];
const eventsOf = (type: string, data: Fields) => {
  const parsed = read(type, data);
  return parsed?.kind === "facts" ? parsed.events : expect.fail(JSON.stringify(parsed));
};
const typesOf = (type: string, data: Fields) => eventsOf(type, data).map((one) => one.type.replace(/^.*\./, ""));

const subscription = (of: Fields = {}) => ({
  id: "fsSub1",
  subscription: "fsSub1",
  active: true,
  state: "active",
  account: { id: "fsAcct1", account: "fsAcct1", contact: { first: "Jo", email: "jo@example.com" } },
  product: { product: "vm6-monthly", sku: "VM6" },
  sku: null,
  quantity: 3,
  begin: ms("2027-01-31"),
  next: ms("2027-02-28"),
  intervalUnit: "month",
  intervalLength: 1,
  end: null,
  deactivationDate: null,
  ...of,
});
/** As FastSpring sends it with webhook expansion off. */
const plain = (of: Fields = {}) => subscription({ account: "fsAcct1", product: "vm6-monthly", ...of });
const charge = (of: Fields = {}) => ({
  order: { order: "fsOrder2", id: "fsOrder2", total: 60 },
  status: "successful",
  account: { id: "fsAcct1" },
  subscription: subscription(),
  ...of,
});
const returned = (of: Fields = {}) => ({
  return: "fsReturn1",
  completed: true,
  currency: "EUR",
  totalReturn: 60,
  original: { id: "fsOrder2", order: "fsOrder2", currency: "EUR", total: 60 },
  ...of,
});

describe("the signature", () => {
  const body = '{"events":[]}';
  const request = (headers: Record<string, string>) => ({ headers, body: Buffer.from(body) });
  const verify = (headers: Record<string, string>, secrets = [plainSecretOf("older"), signers.fastspring.secret]) =>
    fastspring.verify(request(headers), secrets, () => false);

  test("is accepted by any of the secrets, and by no other", () => {
    expect(verify(signFastspring(body, signers.fastspring.secret))).toBeUndefined();
    expect(verify(signFastspring(body, plainSecretOf("another")))).toMatch(/none of the 2 secrets/);
    expect(verify(signFastspring(`${body} `, signers.fastspring.secret))).toMatch(/none of the 2 secrets/);
  });

  test("is required, although FastSpring signs nothing if no secret is set", () => {
    expect(verify({})).toBe("needs the header X-FS-Signature");
  });

  test("needs a secret of four characters", () => {
    expect(fastspring.secretProblem("abc")).toMatch(/too short/);
    expect(fastspring.secretProblem("fs_synthetic")).toBeUndefined();
    expect(fastspring.secretProblem(signers.fastspring.secret)).toBeUndefined();
  });
});

describe("subscription.activated", () => {
  test("is a first payment to the next charge, with all items", () => {
    const fact = {
      id: "fsEvent1",
      occurredAt: utc("2027-01-31T10:00"),
      customer: { id: "fsAcct1", email: "jo@example.com" },
      items: { asOf: utc("2027-01-31T10:00"), list: [{ names: ["vm6-monthly"], quantity: 3 }] },
    };
    expect(read("subscription.activated", subscription())).toEqual({
      id: "fsEvent1",
      type: "subscription.activated",
      occurredAt: utc("2027-01-31T10:00"),
      test: false,
      kind: "facts",
      about: { subscription: "fsSub1" },
      links: [{ reference: "first payment of fsSub1", to: { subscription: "fsSub1" } }],
      events: [
        {
          ...fact,
          type: "payment.succeeded",
          payment: "first payment of fsSub1",
          covers: { from: utc("2027-01-31"), through: utc("2027-02-28") },
          trial: false,
        },
        { ...fact, type: "subscription.changed" },
        { ...fact, type: "subscription.resumed" },
        { ...fact, type: "subscription.cancel_withdrawn" },
      ],
    });
  });

  test("is read without webhook expansion as well", () => {
    expect(eventsOf("subscription.activated", plain())[0]).toMatchObject({
      customer: { id: "fsAcct1" },
      covers: { through: utc("2027-02-28") },
      items: { list: [{ names: ["vm6-monthly"], quantity: 3 }] },
    });
  });

  test("of a trial is a payment of nothing", () => {
    expect(eventsOf("subscription.activated", subscription({ state: "trial" }))[0]).toMatchObject({ trial: true });
  });

  test("names each item by its path and the subscription's SKU, add-ons included", () => {
    const addons = [{ product: "vm6-node", sku: null, quantity: 4 }, { product: { product: "support" } }];
    expect(eventsOf("subscription.activated", subscription({ sku: "vm6", quantity: null, addons }))[0]?.items).toEqual({
      asOf: utc("2027-01-31T10:00"),
      list: [
        { names: ["vm6-monthly", "sku:vm6"], quantity: 1 },
        { names: ["vm6-node"], quantity: 4 },
        { names: ["support"], quantity: 1 },
      ],
    });
  });

  test("without a next charge is unparseable", () => {
    expect(read("subscription.activated", subscription({ next: null }))).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(/data\.next/),
    });
  });
});

describe("a subscription is read as its full state", () => {
  test.each([
    ["subscription.updated", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.updated", { state: "trial" }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.updated", { state: "overdue" }, ["changed", "failed", "cancel_withdrawn"]],
    ["subscription.updated", { state: "paused" }, ["changed", "paused", "cancel_withdrawn"]],
    ["subscription.updated", { state: "canceled" }, ["changed", "cancel_scheduled"]],
    ["subscription.updated", { state: "deactivated" }, ["changed", "cancelled"]],
    ["subscription.paused", { isPauseScheduled: true }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.paused", { state: "paused" }, ["changed", "paused", "cancel_withdrawn"]],
    ["subscription.resumed", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.canceled", { state: "canceled" }, ["changed", "cancel_scheduled"]],
    ["subscription.canceled", {}, ["changed", "resumed", "cancel_scheduled"]],
    ["subscription.uncanceled", {}, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription.deactivated", { state: "deactivated", active: false }, ["changed", "cancelled"]],
    ["subscription.deactivated", {}, ["changed", "resumed", "cancelled"]],
  ])("%s %j", (type, of, types) => {
    expect(typesOf(type, subscription(of))).toEqual(types);
    expect(typesOf(type, plain(of))).toEqual(types);
  });

  test.each([
    [{ deactivationDate: ms("2027-02-28") }, { endsAt: utc("2027-02-28") }],
    [{ deactivationDate: null, account: { id: "fsAcct1", contact: null } }, {}],
  ])("contains its scheduled end: %j", (of, end) => {
    const [, scheduled] = eventsOf("subscription.canceled", subscription({ state: "canceled", ...of }));
    const { type, endsAt } = scheduled as { type: string; endsAt?: string };
    expect({ type, ...(endsAt && { endsAt }) }).toEqual({ type: "subscription.cancel_scheduled", ...end });
  });
});

describe("subscription.charge.completed", () => {
  test("is a payment by the order's id to the next charge, and the order is linked", () => {
    expect(read("subscription.charge.completed", charge())).toMatchObject({
      kind: "facts",
      about: { subscription: "fsSub1" },
      links: [{ reference: "fsOrder2", to: { subscription: "fsSub1" } }],
      events: [
        {
          type: "payment.succeeded",
          payment: "fsOrder2",
          covers: { through: utc("2027-02-28") },
          trial: false,
          items: { list: [{ names: ["vm6-monthly"], quantity: 3 }] },
        },
      ],
    });
  });

  test.each([
    [
      "without webhook expansion",
      { order: "fsOrder2", account: "fsAcct1", subscription: "fsSub1" },
      /webhook expansion/,
    ],
    ["without a next charge", { subscription: subscription({ next: null }) }, /data\.subscription\.next/],
    ["without its order", { order: undefined }, /data\.order/],
    ["with a time in seconds", { subscription: subscription({ next: 1_803_772_800 }) }, /data\.subscription/],
  ])("is unparseable %s", (_, of, reason) => {
    expect(read("subscription.charge.completed", charge(of))).toMatchObject({
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });
});

describe("a charge that failed while the subscription is paid", () => {
  const failed = (of: Fields) =>
    read("subscription.charge.failed", { reason: "DECLINED", subscription: subscription(of) });

  test.each([
    ["to the next charge", {}, utc("2027-02-28")],
    ["to its end", { state: "canceled", next: null, deactivationDate: ms("2027-02-20") }, utc("2027-02-20")],
  ])("%s is ignored, and listed with its subscription", (_, of, until) => {
    expect(failed(of)).toMatchObject({
      kind: "ignored",
      reason: `a charge failed, and the subscription is paid until ${until}`,
      about: { subscription: "fsSub1" },
    });
  });

  test.each([
    ["is due", { next: ms("2027-01-31T10:00") }],
    ["has no next charge", { next: null }],
    ["is overdue, its next attempt ahead", { state: "overdue", next: ms("2027-02-03") }],
  ])("is a failed payment if it %s", (_, of) => {
    expect(failed(of)).toMatchObject({ kind: "facts", events: [{ type: "payment.failed" }] });
  });
});

test.each([
  ["subscription.charge.failed", { reason: "EXPIRED_CARD", account: "fsAcct1", subscription: "fsSub1" }],
  ["subscription.charge.failed", { reason: "EXPIRED_CARD", subscription: subscription({ state: "overdue" }) }],
  ["subscription.payment.overdue", subscription()],
  ["subscription.payment.overdue", plain({ state: "overdue" })],
])("%s is a failed payment", (type, data) => {
  expect(read(type, data)).toMatchObject({
    kind: "facts",
    about: { subscription: "fsSub1" },
    events: [{ type: "payment.failed", occurredAt: utc("2027-01-31T10:00") }],
  });
});

describe("money that was returned", () => {
  test("order.completed links the order to the first payment of its subscription", () => {
    const links = [{ reference: "fsOrder1", to: { reference: "first payment of fsSub1" }, shared: true }];
    for (const item of [{ subscription: "fsSub1" }, { subscription: subscription() }]) {
      const order = { id: "fsOrder1", items: [{ product: "setup" }, { product: "vm6-monthly", ...item }] };
      expect(read("order.completed", order)).toMatchObject({
        kind: "facts",
        about: { reference: "fsOrder1" },
        events: [],
        links,
      });
    }
    for (const items of [[{ product: "shirt" }], undefined, null]) {
      expect(read("order.completed", { id: "fsOrder1", items })).toMatchObject({
        kind: "ignored",
        reason: "an order of no subscription",
        about: { reference: "fsOrder1" },
      });
    }
  });

  test("an order of several subscriptions is linked to the first payment of each, once", () => {
    const items = ["fsSub1", "fsSub2", "fsSub1"].map((one) => ({ product: "vm6-monthly", subscription: one }));
    expect(read("order.completed", { id: "fsOrder1", items })).toMatchObject({
      links: ["fsSub1", "fsSub2"].map((one) => ({
        reference: "fsOrder1",
        to: { reference: `first payment of ${one}` },
        shared: true,
      })),
    });
  });

  test.each([
    ["return.created", returned(), "payment.refunded"],
    ["return.created", returned({ totalReturn: 60.01, completed: undefined }), "payment.refunded"],
    ["return.created", returned({ completed: null }), "payment.refunded"],
    ["chargeback.created", { id: "fsOrder2", order: "fsOrder2", chargebackAmount: 60 }, "payment.disputed"],
    ["order.chargeback", { order: { id: "fsOrder2" } }, "payment.disputed"],
  ])("%s of the whole order", (type, data, fact) => {
    expect(read(type, data)).toMatchObject({
      kind: "facts",
      about: { reference: "fsOrder2" },
      events: [{ type: fact, payment: "fsOrder2", reversed: false }],
    });
  });

  test.each([
    ["in part", returned({ totalReturn: 59.99 }), "ignored", /in part/],
    ["not completed", returned({ completed: false }), "ignored", /not been completed/],
    ["of an unknown order", returned({ original: undefined }), "unparseable", /data\.original/],
    ["of an unknown amount", returned({ totalReturn: undefined }), "unparseable", /data\.totalReturn/],
  ])("a return %s does not count", (_, data, says, reason) => {
    expect(read("return.created", data)).toMatchObject({ kind: says, reason: expect.stringMatching(reason) });
  });
});

describe("a POST", () => {
  test("can contain several events, each parsed separately; an unreadable one does not block the others", () => {
    const parsed = fastspring.events(
      {
        events: [
          event("subscription.updated", subscription()),
          event("mailingListEntry.updated", {}, { id: "fsEvent2", live: false }),
          { id: "fsEvent3", type: "subscription.updated", created: "today" },
          event("subscription.deactivated", plain({ state: "deactivated" }), { id: "fsEvent4" }),
        ],
      },
      {},
    );
    expect(parsed).toMatchObject([
      { id: "fsEvent1", kind: "facts", test: false },
      { id: "fsEvent2", kind: "ignored", test: true, reason: '"mailingListEntry.updated" changes no license' },
      { id: "", kind: "unparseable", reason: expect.stringMatching(/^an event's (created|data): /) },
      { id: "fsEvent4", kind: "facts" },
    ]);
  });

  test.each([undefined, null])("whose live flag is %j is of live orders", (live) => {
    expect(read("subscription.updated", subscription(), { live })).toMatchObject({ test: false });
  });

  test("is read no further than the intake accepts", () => {
    const events = Array.from({ length: 5000 }, (_, i) => event("x", {}, { id: `e${i}` }));
    expect(fastspring.events({ events }, {})).toHaveLength(101);
  });

  test("without events is ignored", () => {
    expect(fastspring.events({ events: [] }, {})).toMatchObject([{ kind: "ignored", reason: "it contains no events" }]);
  });

  test.each([0.5, -1, "three", 1e9])("of the quantity %j is unparseable", (quantity) => {
    expect(read("subscription.updated", subscription({ quantity }))).toMatchObject({
      kind: "unparseable",
      reason: expect.stringContaining("data.quantity"),
    });
  });

  test.each([null, [], "text", 7, {}, { events: {} }])("of %j is unparseable", (body) => {
    expect(fastspring.events(body, {})).toMatchObject([{ id: "", type: "no type", kind: "unparseable" }]);
  });

  test("is not quoted in a reason", () => {
    const parsed = read("subscription.updated", subscription({ account: { id: { secret: "jo@example.com" } } }));
    expect(parsed).toMatchObject({ kind: "unparseable" });
    expect(JSON.stringify(parsed)).not.toContain("jo@example");
  });
});
