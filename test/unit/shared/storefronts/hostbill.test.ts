import { describe, expect, test } from "vitest";
import { signHostbill } from "../../../../local/simulators/storefronts/signing.ts";
import { hostbill } from "../../../../shared/storefronts/hostbill.ts";
import { freshAt } from "../../../../shared/storefronts/signatures.ts";
import { utc } from "../../../support/events.ts";
import { plainSecretOf } from "../../../support/secrets.ts";
import { signers } from "../../../support/signers.ts";

type Fields = Record<string, unknown>;

const now = new Date(utc("2027-01-31T10:00"));
const headersOf = (event: string) => ({ "hb-event": event, "hb-timestamp": String(now.getTime() / 1000) });
const read = (event: string, body: unknown) => hostbill.events(body, headersOf(event));
const details = (of: Fields = {}) => ({ id: "49", client_id: "6", product_id: "12", next_due: "2027-02-28", ...of });
const line = (of: Fields = {}) => ({
  type: "Hosting",
  item_id: "49",
  description: "VMmanager 6 vm.example.com (31/01/2027 - 28/02/2027)",
  amount: "20.00",
  qty: "1",
  ...of,
});
const invoice = (...items: Fields[]) => ({ id: "58", status: "Paid", client_id: "6", date: "2027-01-31", items });

describe("the signature", () => {
  const verify = (headers: Record<string, string>, body = "{}") =>
    hostbill.verify(
      { headers, body: Buffer.from(body) },
      [plainSecretOf("older"), signers.hostbill.secret],
      freshAt(() => now.getTime()),
    );
  const signed = (at: Date, secret = signers.hostbill.secret) => signHostbill("after_accountsuspend", "{}", at, secret);

  test("covers the time and the body, without a separator", () => {
    expect(verify(signed(now))).toBeUndefined();
    expect(verify(signed(now, plainSecretOf("another")))).toMatch(/none of the 2 secrets/);
    expect(verify(signed(now), "[]")).toMatch(/none of the 2 secrets/);
  });

  test.each([-301, 301])("is refused %i s away", (seconds) => {
    expect(verify(signed(new Date(now.getTime() + seconds * 1000)))).toMatch(/more than 300 s/);
  });

  test("needs both of its headers", () => {
    const { "hb-signature": signature = "", "hb-timestamp": time = "" } = signed(now);
    for (const headers of [{ "hb-signature": signature }, { "hb-timestamp": time }, { "hb-timestamp": "now" }]) {
      expect(verify(headers as Record<string, string>)).toBe("needs the headers HB-Signature, HB-Timestamp");
    }
  });

  test("does not verify a digit moved from the time into the body", () => {
    const { "hb-timestamp": time = "", ...headers } = signHostbill("x", "17", now, signers.hostbill.secret);
    expect(verify({ ...headers, "hb-timestamp": `${time}1` }, "7")).not.toBeUndefined();
  });

  test("needs a secret of four characters", () => {
    expect(hostbill.secretProblem("abc")).toMatch(/too short/);
    expect(hostbill.secretProblem("eight888")).toBeUndefined();
    expect(hostbill.secretProblem(signers.hostbill.secret)).toBeUndefined();
  });
});

describe("after_invoicefullpaid", () => {
  test("is a payment of the account by the invoice's id, for the period in the line's text", () => {
    expect(read("after_invoicefullpaid", invoice(line()))).toEqual([
      {
        id: `after_invoicefullpaid ${utc("2027-01-31T10:00")} 58`,
        type: "after_invoicefullpaid",
        occurredAt: utc("2027-01-31T10:00"),
        kind: "facts",
        about: { subscription: "49" },
        events: [
          {
            id: `after_invoicefullpaid ${utc("2027-01-31T10:00")} 58`,
            occurredAt: utc("2027-01-31T10:00"),
            customer: { id: "6" },
            type: "payment.succeeded",
            payment: "58",
            covers: { from: utc("2027-01-31"), through: utc("2027-02-28") },
            trial: false,
          },
        ],
      },
    ]);
  });

  test.each([
    ["2027-02-01 - 2027-03-01", "2027-03-01"],
    ["09/12/2026 - 09/01/2027", "2027-01-09"],
    ["12/09/2026 - 01/09/2027", "2027-01-09"],
    ["31.01.2027 - 28.02.2027", "2027-02-28"],
    ["28/02/2027 - 31/03/2027", "2027-03-31"],
    ["9/1/2027 - 8/2/2027", "2027-02-09"],
    ["01/31/2027 - 01/31/2028", "2028-01-31"],
    ["2027-02-01 - 2027-02-28", "2027-03-01"],
    ["2027-01-31 - 2030-01-31", "2030-01-31"],
    ["05/05/2027 - 05/05/2028", "2028-05-05"],
    ["2027-01-15 - 2027-02-01", "2027-02-01"],
    ["2027-01-15 - 2027-04-01", "2027-04-01"],
    ["2027-01-31 - 2027-02-28", "2027-02-28"],
  ])("reads (%s) as paid to %s", (period, through) => {
    const description = `VMmanager 6 (yearly) vm.example.com (${period})`;
    expect(read("after_invoicefullpaid", invoice(line({ description })))).toMatchObject([
      { events: [{ covers: { through: utc(through) } }] },
    ]);
  });

  test.each([
    ["no period", "VMmanager 6 vm.example.com"],
    ["a part of a month in a format that can be misread", "VMmanager 6 (15/01/2027 - 01/02/2027)"],
    ["the end before the beginning", "VMmanager 6 (2027-02-01 - 2027-01-01)"],
    ["no day", "VMmanager 6 (2027-02-30 - 2027-03-30)"],
    ["day and month that can be either", "VMmanager 6 (01/02/2027 - 01/02/2028)"],
    ["more than three years", "VMmanager 6 (2027-02-01 - 2037-02-01)"],
  ])("with %s is unparseable, and its reason names the setting to change", (_, description) => {
    expect(read("after_invoicefullpaid", invoice(line({ description })))).toMatchObject([
      { kind: "unparseable", reason: expect.stringMatching(/YYYY-MM-DD/) },
    ]);
  });

  test("pays each account of the invoice, and joins the lines of one that follow each other", () => {
    const other = line({ item_id: "50", description: "DCImanager (2027-01-31 - 2028-01-31)" });
    const ahead = line({ description: "VMmanager 6 (2027-02-28 - 2027-03-28)" });
    const setup = { type: "Other", item_id: "0", description: "setup" };
    const parsed = read("after_invoicefullpaid", invoice(ahead, other, setup, line()));
    expect(parsed).toMatchObject([
      { about: { subscription: "49" }, events: [{ covers: { from: utc("2027-01-31"), through: utc("2027-03-28") } }] },
      { about: { subscription: "50" }, events: [{ covers: { through: utc("2028-01-31") } }] },
    ]);
  });

  test("of two months with an unpaid one between them is two payments", () => {
    const january = line({ description: "VMmanager 6 (2027-01-01 - 2027-02-01)" });
    const march = line({ description: "VMmanager 6 (2027-03-01 - 2027-04-01)" });
    expect(read("after_invoicefullpaid", invoice(march, january))).toMatchObject([
      {
        events: [
          { payment: "58", covers: { from: utc("2027-01-01"), through: utc("2027-02-01") } },
          { payment: "58 from 2027-03-01", covers: { from: utc("2027-03-01"), through: utc("2027-04-01") } },
        ],
      },
    ]);
  });

  test("is unparseable as a whole if one of an account's lines cannot be read", () => {
    const parsed = read(
      "after_invoicefullpaid",
      invoice(line(), line({ description: "and more" }), line({ item_id: "50" })),
    );
    expect(parsed).toMatchObject([{ kind: "unparseable" }, { kind: "facts", about: { subscription: "50" } }]);
  });

  test.each([
    ["no account", invoice({ type: "Domain Register", item_id: "1", description: "x" }), "ignored", /no account/],
    ["no items", invoice(), "ignored", /no account/],
    ["a line without an account", invoice({ type: "Hosting", description: "x" }), "unparseable", /without item_id/],
    ["no id", { ...invoice(line()), id: undefined }, "unparseable", /^id: missing/],
    ["another shape", 58, "unparseable", /expected an object/],
  ])("of %s is known by a digest of its body", (_, body, says, reason) => {
    expect(read("after_invoicefullpaid", body)).toMatchObject([
      { id: "", kind: says, reason: expect.stringMatching(reason) },
    ]);
  });
});

describe("accounts", () => {
  test.each([
    ["after_accountcreate", { account_id: "49", service: details(), server: {} }, ["changed", "cancel_withdrawn"]],
    ["after_accountchangepackage", { account: details() }, ["changed"]],
    ["after_accountsuspend", 49, ["paused"]],
    ["after_accountsuspend", "49", ["paused"]],
    ["after_accountsuspend", { account: details() }, ["paused"]],
    ["after_accountunsuspend", 49, ["resumed"]],
    ["after_accountunsuspend", { account: details(), product: { id: "12" } }, ["resumed"]],
    ["after_accountterminate", { account_id: 49, service: details(), server: {} }, ["cancelled"]],
    ["after_cancellationrequest", { reason: "", type: "End of billing period", acc_id: "49" }, ["cancel_scheduled"]],
    ["after_cancellationrequest", { reason: "", acc_id: 49 }, ["cancel_scheduled"]],
  ])("%s %j", (event, body, types) => {
    const [parsed] = read(event, body);
    const held = typeof body === "object" && ("account" in body || "service" in body);
    const customer = held ? { customer: { id: "6" } } : {};
    expect(parsed).toMatchObject({ events: types.map(() => customer) });
    expect(parsed).toMatchObject({ kind: "facts", about: { subscription: "49" }, id: expect.stringContaining(event) });
    const events = parsed?.kind === "facts" ? parsed.events : [];
    expect(events.map(({ type }) => type)).toEqual(types.map((type) => `subscription.${type}`));
  });

  test("are sold as HostBill's product, the new one after a change", () => {
    const itemsOf = (event: string, body: unknown) => {
      const [parsed] = read(event, body);
      return parsed?.kind === "facts" ? parsed.events[0]?.items : parsed;
    };
    const asOf = utc("2027-01-31T10:00");
    expect(itemsOf("after_accountcreate", { service: details() })).toEqual({ asOf, list: [{ names: ["12"] }] });
    const bare = { account_id: "49", product_id: "12", account: details({ product_id: null }) };
    expect(itemsOf("after_accountcreate", bare)).toEqual({ asOf, list: [{ names: ["12"] }] });
    expect(itemsOf("after_accountchangepackage", { account: details(), product: { id: 13 } })).toEqual({
      asOf,
      list: [{ names: ["13"] }],
    });
  });

  test.each([
    ["after_cancellationrequest", { type: "Immediate", acc_id: "49" }, "ignored", /sends the termination/],
    ["after_accountcreate", { account_id: "49" }, "unparseable", /product_id/],
    ["after_accountsuspend", {}, "unparseable", /account_id/],
    ["after_accountsuspend", null, "unparseable", /.+/],
    ["after_refund", { invoice_id: 58, amount: 20 }, "unparseable", /^invoice 58 was refunded, in full or in part/],
    ["after_refund", { invoice_id: 58, client_id: 6 }, "unparseable", /^invoice 58 of customer 6 was refunded/],
    ["after_refund", 3, "unparseable", /^an invoice was refunded/],
    ["after_accountformsupgrade", { account_id: 49 }, "unparseable", /a part/],
    ["after_addoncreate", 3, "unparseable", /a part/],
    ["after_addonsuspend", 3, "unparseable", /a part/],
    ["after_addonterminate", 3, "unparseable", /a part/],
    ["before_accountsuspend", { account_id: 49 }, "ignored", /"before_accountsuspend" changes no license/],
    ["after_clientadded", { id: 6 }, "ignored", /"after_clientadded" changes no license/],
  ])("%s %j is %s", (event, body, says, reason) => {
    expect(read(event, body)).toMatchObject([{ kind: says, reason: expect.stringMatching(reason) }]);
  });

  test("that are suspended twice are two events, although the body is the same", () => {
    const later = hostbill.events(49, { ...headersOf("after_accountsuspend"), "hb-timestamp": "1801390001" });
    expect(later[0]?.id).not.toBe(read("after_accountsuspend", 49)[0]?.id);
  });

  test("are unparseable without the headers that name the event", () => {
    expect(hostbill.events(49, {})).toMatchObject([{ kind: "unparseable", reason: expect.stringMatching(/HB-Event/) }]);
    expect(hostbill.events(49, { "hb-event": "after_accountsuspend" })).toMatchObject([{ kind: "unparseable" }]);
  });
});

describe("the body", () => {
  const parse = (text: string) => hostbill.parse?.(text);

  test("is JSON or a form, with the same meaning", () => {
    const form =
      "id=58&status=Paid&client_id=6&items%5B0%5D%5Btype%5D=Hosting&items[0][item_id]=49" +
      "&items[0][description]=VMmanager+6+%282027-01-31+-+2027-02-28%29";
    const json = JSON.stringify(invoice(line({ description: "VMmanager 6 (2027-01-31 - 2027-02-28)" })));
    const parsed = (text: string) => read("after_invoicefullpaid", parse(text));
    expect(parsed(form)).toEqual(parsed(json));
    expect(parsed(form)).toMatchObject([{ kind: "facts" }]);
  });

  test.each([
    ["a=1&b[c]=2&b[d][e]=3", { a: "1", b: { c: "2", d: { e: "3" } } }],
    ["a=1&a[b]=2", { a: { b: "2" } }],
    ["a[b]=1&a=2", { a: "2" }],
    ["49", 49],
  ])("%s", (text, value) => {
    expect(JSON.parse(JSON.stringify(parse(text)))).toEqual(value);
  });

  test.each(["", "nonsense", "=1", "&a=1"])("%j is none", (text) => {
    expect(parse(text)).toBeUndefined();
  });

  test("reaches no prototype", () => {
    parse("__proto__[polluted]=1&constructor[prototype][polluted]=1");
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });
});
