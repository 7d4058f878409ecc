import { describe, expect, test } from "vitest";
import { basic } from "../../../../local/simulators/storefronts/signing.ts";
import { chargebee } from "../../../../shared/storefronts/chargebee.ts";
import { utc } from "../../../support/events.ts";
import { authinfoWith } from "../../../support/secrets.ts";

type Fields = Record<string, unknown>;

const unix = (text: string): number => Date.parse(utc(text)) / 1000;
const ms = (text: string): number => Date.parse(utc(text));

const event = (event_type: string, content: Fields, more: Fields = {}) => ({
  id: "ev_1",
  occurred_at: unix("2027-01-31T10:00:09"),
  event_type,
  api_version: "v2",
  content: { customer: { id: "cus_1", email: "jo@example.com" }, ...content },
  ...more,
});
const subscription = (more: Fields = {}) => ({
  id: "sub_1",
  customer_id: "cus_1",
  status: "active",
  current_term_end: unix("2027-02-28T10:00:05"),
  due_invoices_count: 0,
  resource_version: ms("2027-01-31T10:00:09.660"),
  deleted: false,
  subscription_items: [
    { item_price_id: "vm6-EUR-Monthly", item_type: "plan", quantity: 3 },
    { item_price_id: "node-EUR-Monthly", item_type: "addon", quantity: 2 },
    { item_price_id: "setup-EUR", item_type: "charge", quantity: 1 },
  ],
  ...more,
});
const line = (more: Fields = {}) => ({
  subscription_id: "sub_1",
  entity_type: "plan_item_price",
  entity_id: "vm6-EUR-Monthly",
  date_from: unix("2027-01-31T10:00:05"),
  date_to: unix("2027-02-28T10:00:05"),
  ...more,
});
const invoice = (more: Fields = {}) => ({
  id: "17",
  subscription_id: "sub_1",
  status: "paid",
  date: unix("2027-01-31T10:00:05"),
  paid_at: unix("2027-01-31T10:00:07"),
  total: 5700,
  amount_paid: 5700,
  credits_applied: 0,
  resource_version: ms("2027-01-31T10:00:09.637"),
  line_items: [
    line(),
    { entity_type: "charge_item_price", date_from: unix("2027-01-31"), date_to: unix("2029-01-31") },
  ],
  issued_credit_notes: [],
  ...more,
});

const parseAll = (type: string, content: Fields) => chargebee.events(event(type, content), {});
const parse = (type: string, content: Fields) => parseAll(type, content)[0];
const factsOf = (type: string, content: Fields) => {
  const parsed = parse(type, content);
  return parsed?.kind === "facts" ? parsed.events : expect.fail(JSON.stringify(parsed));
};
const typesOf = (type: string, content: Fields) => factsOf(type, content).map((one) => one.type.replace(/^.*\./, ""));
const paymentOf = (object: Fields) =>
  factsOf("payment_succeeded", { invoice: object }).find((one) => one.type === "payment.succeeded");

describe("user and password", () => {
  const secret = authinfoWith(":word");
  const verify = (authorization: string | undefined, secrets = [secret]) =>
    chargebee.verify({ headers: { authorization }, body: Buffer.from("{}") }, secrets, () => false);

  test.each([
    ["the secret", basic(secret), [secret]],
    ["one of several", basic(secret), [authinfoWith("-of-old"), secret]],
    ["letters beyond ASCII", basic("Jiří:žluťoučký"), ["Jiří:žluťoučký"]],
    ["another case of the word", basic(secret).replace("Basic", "basic "), [secret]],
    ["what was made once and for all", "Basic dXNlcjpwYXNzOndvcmQ=", ["user:pass:word"]],
  ])("are believed: %s", (_, header, secrets) => {
    expect(verify(header, secrets)).toBeUndefined();
  });

  test.each([
    ["another password", basic(authinfoWith(":worD")), /match not the secret$/],
    ["a longer password", basic(`${secret} `), /match not the secret$/],
    ["a part of it", basic(authinfoWith()), /match not/],
    ["none", basic(""), /needs the header Authorization/],
    ["another scheme", `Bearer ${basic(secret).slice(6)}`, /needs the header/],
    ["another scheme before it", `x ${basic(secret)}`, /needs the header/],
    ["no base64", "Basic user:pass:word", /needs the header/],
    ["no header", undefined, /needs the header/],
  ])("are refused: %s", (_, header, reason) => {
    expect(verify(header)).toMatch(reason);
  });

  test("that do not match are not quoted, nor are the secrets", () => {
    const response = verify(basic(authinfoWith("-wrong")), [authinfoWith("-of-old"), secret]);
    expect(response).toBe("user and password match none of the 2 secrets");
  });

  test("believe nobody when no secret is listed", () => {
    expect(verify(basic(""), [])).toBeTypeOf("string");
    expect(verify(basic("a:b"), [])).toBeTypeOf("string");
  });

  test.each([
    ["user:12345678", undefined],
    ["user:123:5678", undefined],
    ["user:pass:word", undefined],
    ["user:pw", undefined],
    ["no password at all", /not "user:password"/],
    [":12345678", /not "user:password"/],
    ["", /not "user:password"/],
  ])("take %j for a secret or say why not", (secret, flaw) => {
    if (flaw) expect(chargebee.secretProblem(secret)).toMatch(flaw);
    else expect(chargebee.secretProblem(secret)).toBeUndefined();
  });
});

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
  ])("holds %j as %j", (item, held) => {
    const [changed] = factsOf("subscription_changed", { subscription: subscription({ subscription_items: [item] }) });
    expect(changed?.items?.list).toStrictEqual([held]);
  });

  test("without items states none, and without a customer no customer", () => {
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

  test("of the older catalog holds its plan and addons", () => {
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

  test("takes null wherever Chargebee may send it", () => {
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

  test("of several terms covers all of them, in whatever order they are listed", () => {
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

  test("counts where the event omits the subscription", () => {
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

describe("money that went back", () => {
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

  test("of an invoice of nothing takes nothing back", () => {
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
  ])("%s is unparseable, and says where", (_, type, content, reason) => {
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

  test("is still known by the subscription's id, where it has one", () => {
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
