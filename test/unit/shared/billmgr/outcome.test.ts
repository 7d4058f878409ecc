import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../../../shared/billmgr/outcome.ts";

const reply = (body: string, status = 200) => ({ kind: "response" as const, status, body });
const inCart = (response: string | RegExp, elid?: string) => ({
  outcome: "unknown" as const,
  inCart: true,
  response: typeof response === "string" ? response : expect.stringMatching(response),
  ...(elid !== undefined && { elid }),
});

describe("an order", () => {
  test.each([
    ["an id", "<doc><id>77</id><ok/></doc>", { outcome: "done", elid: "77", response: "ordered license 77" }],
    ["an id without ok", "<doc><id>77</id></doc>", { outcome: "done", elid: "77", response: "ordered license 77" }],
    [
      "an item.id",
      "<doc><item.id>78</item.id><ok/></doc>",
      { outcome: "done", elid: "78", response: "ordered license 78" },
    ],
    [
      "its own form",
      "<doc><pricelist>1</pricelist></doc>",
      { outcome: "unknown", response: "neither ok nor a license id" },
    ],
    ["an empty item.id", "<doc><item.id/><ok/></doc>", inCart("ok without a license id")],
    ["an id that is none", "<doc><id>l77</id><ok/></doc>", inCart("ok without a license id")],
    ["an id that is a date", "<doc><id>2027-01-01</id><ok/></doc>", inCart("ok without a license id")],
    ["an id that is too long", `<doc><id>${"7".repeat(19)}</id><ok/></doc>`, inCart("ok without a license id")],
    ["the id of another element", "<doc><elem><id>5</id></elem><ok/></doc>", inCart("ok without a license id")],
    ["ok alone", "<doc><ok/></doc>", inCart("ok without a license id")],
  ])("answered by %s", (_, body, expected) => {
    expect(outcomeOf("order", reply(body))).toEqual(expected);
  });

  test.each([
    ["the cart", '<doc><ok type="list">func=cart</ok></doc>', inCart("ok leads to func=cart")],
    [
      "the cart and a line of it",
      '<doc><lineitem.id>5</lineitem.id><ok type="list">func=cart</ok></doc>',
      inCart(/lineitem.id/),
    ],
    [
      "the list of orders",
      '<doc><id>77</id><ok type="list">func=billorder</ok></doc>',
      inCart("ok leads to func=billorder", "77"),
    ],
    [
      "the list of licenses",
      '<doc><id>77</id><ok type="list">func=platform</ok></doc>',
      inCart("ok leads to func=platform", "77"),
    ],
    ["a form", '<doc><id>77</id><ok type="form">func=order</ok></doc>', inCart("ok leads to func=order", "77")],
    ["a form without a name", '<doc><id>77</id><ok type="form"/></doc>', inCart("ok leads to form", "77")],
    ["the cart", "<doc><ok>func=basket&amp;elid=5</ok></doc>", inCart("ok leads to func=basket&elid=5")],
    ["a page for paying", "<doc><ok>https://billmgr.example/?func=payment.add</ok></doc>", inCart(/func=payment.add$/)],
    ["the second factor", "<doc><ok>func=totp.confirm</ok></doc>", inCart("ok leads to func=totp.confirm")],
    ["an unknown page", '<doc><id>77</id><ok type="top">func=warenkorb</ok></doc>', inCart(/func=warenkorb/, "77")],
  ])("F3: answered by ok that leads to %s may be in the cart", (_, body, expected) => {
    expect(outcomeOf("order", reply(body))).toEqual(expected);
  });

  test.each(["billorder", "billorder.id", "payment_id", "lineitem.id", "cart", "basket", "total_sum", "itemlist"])(
    "F4: answered by an id and %s may be unpaid",
    (name) => {
      const body = `<doc><id>77</id><${name}>9</${name}><ok/></doc>`;
      expect(outcomeOf("order", reply(body))).toEqual(
        inCart(`a reply with ${name}: it may be unpaid in billmgr's cart`, "77"),
      );
    },
  );

  test("is not unpaid because of an element whose name only begins alike", () => {
    const body = "<doc><id>77</id><paymethod>9</paymethod><cartesian>1</cartesian><ok/></doc>";
    expect(outcomeOf("order", reply(body))).toMatchObject({ outcome: "done" });
  });
});

describe("a prolong", () => {
  test.each([
    ["ok", "<doc><ok/></doc>", { outcome: "done", response: "ok" }],
    [
      "a nested expiry",
      "<doc><doc><newexpiredate>2027-03-01</newexpiredate></doc><ok/></doc>",
      { outcome: "done", response: "ok, until 2027-03-01" },
    ],
    ["an expiry without ok", "<doc><newexpiredate>2027-03-01</newexpiredate></doc>", { outcome: "done" }],
    ["neither", "<doc><elid>7</elid></doc>", { outcome: "unknown", response: "a reply without ok" }],
    ["ok that leads to the cart", "<doc><ok>func=basket</ok></doc>", inCart("ok leads to func=basket")],
    ["ok and an order to be paid", "<doc><billorder.id>9</billorder.id><ok/></doc>", inCart(/billorder.id/)],
  ])("answered by %s", (_, body, expected) => {
    expect(outcomeOf("prolong", reply(body))).toMatchObject(expected);
  });
});

const unpaidChanges = ["edit", "suspend", "resume", "delete"] as const;

test.each(unpaidChanges)("%s is done by ok alone", (kind) => {
  expect(outcomeOf(kind, reply("<doc><ok/></doc>"))).toEqual({ outcome: "done", response: "ok" });
  expect(outcomeOf(kind, reply("<doc><newexpiredate>2027-03-01</newexpiredate></doc>")).outcome).toBe("unknown");
});

test.each(unpaidChanges)("%s is not done by an ok that leads on, and is in no cart", (kind) => {
  for (const [type, func] of [
    ["form", "totp.confirm"],
    ["list", "platform"],
  ]) {
    const outcome = outcomeOf(kind, reply(`<doc><ok type="${type}">func=${func}</ok></doc>`));
    expect(outcome).toEqual({ outcome: "unknown", response: `ok leads to func=${func}` });
  }
});

describe("an error", () => {
  test.each(["auth", "access", "missed", "value", "exists"])("of the type %s refuses", (type) => {
    const body = `<doc><error type="${type}" object="elid"><msg>No</msg></error></doc>`;
    expect(outcomeOf("order", reply(body))).toEqual({
      outcome: "refused",
      response: `error ${type}/elid: No`,
      error: { type },
    });
  });

  test.each(["xml", "client", "limit", "pricelist_min_order", "", "Value"])(
    "of the type %j leaves the outcome unknown",
    (type) => {
      const body = `<doc><error type="${type}"><msg>No</msg></error></doc>`;
      expect(outcomeOf("order", reply(body))).toMatchObject({ outcome: "unknown", response: `error ${type}: No` });
    },
  );
});

describe("an error about money", () => {
  const about = (type: string, object: string, message: string) => {
    const body = `<doc><error type="${type}" object="${object}"><msg>${message}</msg></error></doc>`;
    return outcomeOf("order", reply(body), ["money", "fund"]);
  };

  test.each([
    ["its type", "money", "", ""],
    ["its object", "value", "funds", ""],
    ["its text, in any case", "xml", "", "Insufficient FUNDS"],
  ])("is known by %s", (_, ...error) => {
    expect(about(...error)).toMatchObject({ funds: true });
  });

  test("is not known by anything else", () => {
    expect(about("value", "pricelist", "No such tariff")).not.toHaveProperty("funds");
    expect(outcomeOf("order", reply('<doc><error type="money"/></doc>'))).not.toHaveProperty("funds");
  });
});

test.each([
  [
    "no connection",
    { kind: "not_sent" as const, why: "ECONNREFUSED" },
    { outcome: "not_sent", response: "ECONNREFUSED" },
  ],
  ["no reply", { kind: "no_response" as const, why: "no reply within 60 s" }, { outcome: "unknown" }],
  ["a gateway's page", reply("<html></html>", 502), { outcome: "unknown", response: "HTTP 502" }],
  ["a definite error under another status", reply('<doc><error type="value"/></doc>', 500), { outcome: "unknown" }],
  ["a reply that was cut off", reply("<doc><id>77</id>"), { outcome: "unknown" }],
])("%s", (_, sent, expected) => {
  expect(outcomeOf("order", sent)).toMatchObject(expected);
});
