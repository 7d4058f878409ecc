import { describe, expect, test } from "vitest";
import { chargebee } from "../../../../shared/storefronts/chargebee.ts";
import {
  chargebeeEvent as event,
  chargebeeInvoice as invoice,
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

describe("a subscription", () => {
  test("states its items, its status, and its end, at its own version", () => {
    const fact = {
      id: "ev_1",
      occurredAt: utc("2027-01-31T10:00:09.660"),
      customer: { id: "cus_1", email: "jo@example.com" },
    };
    expect(parseAll("subscription_created", { subscription: subscription() })).toEqual([
      {
        id: "ev_1",
        type: "subscription_created",
        occurredAt: utc("2027-01-31T10:00:09"),
        kind: "facts",
        about: { subscription: "sub_1" },
        events: [
          {
            ...fact,
            type: "subscription.changed",
            items: {
              asOf: fact.occurredAt,
              list: [
                { names: ["vm6-EUR-Monthly"], quantity: 3 },
                { names: ["node-EUR-Monthly"], quantity: 2 },
              ],
            },
          },
          { ...fact, type: "subscription.resumed" },
          { ...fact, type: "subscription.cancel_withdrawn" },
        ],
      },
    ]);
  });

  test("without a version has the event's time", () => {
    const [changed] = factsOf("subscription_changed", { subscription: subscription({ resource_version: undefined }) });
    expect(changed?.occurredAt).toBe(utc("2027-01-31T10:00:09"));
  });

  const ended = ["changed", "cancelled"];
  test.each([
    ["subscription_changed", { status: "active" }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription_changed", { status: "active", due_invoices_count: 1 }, ["changed", "cancel_withdrawn"]],
    ["subscription_resumed", { due_invoices_count: 1 }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription_reactivated", { due_invoices_count: 1 }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription_paused", { status: "paused" }, ["changed", "paused", "cancel_withdrawn"]],
    ["subscription_pause_scheduled", { status: "active" }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription_created", { status: "future" }, ["changed", "cancel_withdrawn"]],
    ["subscription_created", { status: "in_trial" }, ["changed", "resumed", "cancel_withdrawn"]],
    ["subscription_cancellation_scheduled", { status: "non_renewing" }, ["changed", "resumed", "cancel_scheduled"]],
    ["subscription_cancelled", { status: "cancelled" }, ended],
    ["subscription_changed", { status: "transferred" }, ended],
    ["subscription_deleted", { status: "active" }, ended],
    ["subscription_changed", { status: "active", deleted: true }, ended],
  ])("of %s, %j", (type, more, types) => {
    expect(typesOf(type, { subscription: subscription(more) })).toEqual(types);
  });

  test.each([
    [{ cancelled_at: unix("2027-05-05") }, "2027-05-05"],
    [{}, "2027-02-28T10:00:05"],
  ])("that does not renew, %j, ends %s", (more, endsAt) => {
    const events = factsOf("subscription_cancellation_scheduled", {
      subscription: subscription({ status: "non_renewing", ...more }),
    });
    expect(events.at(-1)).toMatchObject({ type: "subscription.cancel_scheduled", endsAt: utc(endsAt) });
  });

  test("in trial is paid with nothing to the trial's end", () => {
    const trial = { status: "in_trial", trial_start: unix("2027-01-31"), trial_end: unix("2027-02-14") };
    expect(factsOf("subscription_created", { subscription: subscription(trial) }).at(-1)).toMatchObject({
      type: "payment.succeeded",
      payment: "trial",
      covers: { from: utc("2027-01-31"), through: utc("2027-02-14") },
      trial: true,
    });
    const after = { ...trial, status: "active" };
    expect(typesOf("subscription_activated", { subscription: subscription(after) })).not.toContain("succeeded");
  });

  test.each([
    [
      { item_price_id: "a", quantity_in_decimal: "3.0000" },
      { names: ["a"], quantity: 3 },
    ],
    [
      { item_price_id: "a", quantity_in_decimal: "12" },
      { names: ["a"], quantity: 12 },
    ],
    [{ item_price_id: "a" }, { names: ["a"] }],
  ])("turns the item %j into %j", (item, held) => {
    const [changed] = factsOf("subscription_changed", { subscription: subscription({ subscription_items: [item] }) });
    expect(changed?.items?.list).toStrictEqual([held]);
  });

  test("without items or a customer omits both", () => {
    const bare = {
      subscription: subscription({ subscription_items: undefined }),
      customer: { email: "jo@example.com" },
    };
    const [changed] = factsOf("subscription_changed", bare);
    expect(changed).toStrictEqual({
      id: "ev_1",
      occurredAt: utc("2027-01-31T10:00:09.660"),
      customer: {},
      type: "subscription.changed",
    });
  });

  test("of the older catalog contains its plan and addons", () => {
    const old = {
      subscription_items: undefined,
      plan_id: "vm6",
      plan_quantity: 3,
      addons: [{ id: "node", quantity: 2 }],
    };
    const [changed] = factsOf("subscription_changed", { subscription: subscription(old) });
    expect(changed?.items?.list).toEqual([
      { names: ["vm6"], quantity: 3 },
      { names: ["node"], quantity: 2 },
    ]);
  });
});

describe("an event that is ignored or unparseable", () => {
  test.each([
    "customer_changed",
    "credit_note_created",
    "subscription_ramp_created",
    "omnichannel_subscription_created",
    "transaction_created",
  ])("%s changes no license", (type) => {
    expect(parse(type, {})).toMatchObject({ id: "ev_1", kind: "ignored", reason: `"${type}" changes no license` });
  });

  test.each([
    ["no subscription", "subscription_changed", {}, /^content\.subscription: missing/],
    [
      "a status that is none",
      "subscription_changed",
      { subscription: { id: "sub_1" } },
      /^content\.subscription\.status: missing/,
    ],
    [
      "a version in seconds",
      "subscription_changed",
      { subscription: subscription({ resource_version: unix("2027-01-31") }) },
      /^content\.subscription\.resource_version: /,
    ],
    [
      "a part of a unit",
      "subscription_changed",
      { subscription: subscription({ subscription_items: [{ item_price_id: "a", quantity_in_decimal: "1.5" }] }) },
      /quantity_in_decimal: /,
    ],
    [
      "a time in milliseconds",
      "payment_succeeded",
      { invoice: invoice({ paid_at: ms("2027-01-31") }) },
      /^content\.invoice\.paid_at: .*Unix time in seconds/,
    ],
  ])("%s is unparseable, and its reason names the place", (_, type, content, reason) => {
    expect(parse(type, content)).toMatchObject({
      id: "ev_1",
      kind: "unparseable",
      reason: expect.stringMatching(reason),
    });
  });

  test.each([null, [], "text", 7, {}, { id: "ev_1", event_type: "subscription_created" }])(
    "%j is unparseable",
    (body) => {
      expect(chargebee.events(body, {})).toMatchObject([{ id: "", kind: "unparseable", type: "no type" }]);
    },
  );

  test("still names the subscription, if it contains its id", () => {
    const malformed = { subscription: subscription({ status: 7 }) };
    expect(parse("subscription_changed", malformed)).toMatchObject({ about: { subscription: "sub_1" } });
    const without = parse("payment_succeeded", { invoice: invoice({ paid_at: "soon" }) });
    expect(without).toMatchObject({ kind: "unparseable" });
    expect(without).not.toHaveProperty("about");
  });

  test("quotes no value of the body", () => {
    const parsed = parse("subscription_changed", { subscription: subscription({ status: { of: "jo@example.com" } }) });
    expect(JSON.stringify(parsed)).not.toContain("jo@example");
  });
});
