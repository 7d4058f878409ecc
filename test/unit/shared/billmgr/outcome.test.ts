import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../../../shared/billmgr/outcome.ts";

const answer = (body: string, status = 200) => ({ kind: "response" as const, status, body });
const unpaid = { outcome: "unknown", inCart: true, response: "put into billmgr's basket, unpaid" };

describe("an order", () => {
  test.each<[string, string, { outcome: string; elid?: string; inCart?: boolean; response?: string | RegExp }]>([
    ["an id", "<doc><id>77</id><ok/></doc>", { outcome: "done", elid: "77", response: "ordered license 77" }],
    ["an id without ok", "<doc><id>77</id></doc>", { outcome: "done", elid: "77" }],
    ["an item.id", "<doc><item.id>78</item.id><ok/></doc>", { outcome: "done", elid: "78" }],
    ["an empty item.id", "<doc><item.id/><ok/></doc>", { outcome: "unknown", response: "ok without a license id" }],
    ["an id that is none", "<doc><id>l77</id><ok/></doc>", { outcome: "unknown" }],
    ["an id that is a date", "<doc><id>2027-01-01</id><ok/></doc>", { outcome: "unknown" }],
    ["an id too long for one", `<doc><id>${"7".repeat(19)}</id><ok/></doc>`, { outcome: "unknown" }],
    ["an id of something inside", "<doc><elem><id>5</id></elem><ok/></doc>", { outcome: "unknown" }],
    ["ok alone", "<doc><ok/></doc>", { outcome: "unknown", response: "ok without a license id" }],
    ["its own form", "<doc><pricelist>1</pricelist></doc>", { outcome: "unknown", response: /neither ok/ }],
    ["ok and a way to a list", '<doc><id>77</id><ok type="list">func=platform</ok></doc>', { outcome: "done" }],
    ["ok and a way to the cart", '<doc><id>77</id><ok type="form">func=order</ok></doc>', unpaid],
    ["ok and a way to the basket", "<doc><ok>func=basket&amp;elid=5</ok></doc>", unpaid],
    ["ok and a way to pay", "<doc><ok>https://billmgr.example/?func=payment.add</ok></doc>", unpaid],
    ["a bill", "<doc><id>77</id><billorder>9</billorder><ok/></doc>", unpaid],
    ["a payment to be made", "<doc><payment_id>9</payment_id></doc>", unpaid],
  ])("answered by %s", (_, body, { response, ...expected }) => {
    const outcome = outcomeOf("order", answer(body));
    expect(outcome).toMatchObject(expected);
    if (response) expect(outcome.response).toMatch(response);
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
    ["neither", "<doc><elid>7</elid></doc>", { outcome: "unknown", response: "an answer without ok" }],
    ["a way to the basket", "<doc><ok>func=basket</ok></doc>", unpaid],
  ])("answered by %s", (_, body, expected) => {
    expect(outcomeOf("prolong", answer(body))).toMatchObject(expected);
  });
});

test.each(["edit", "suspend", "resume", "delete"] as const)("%s is done by ok alone", (kind) => {
  expect(outcomeOf(kind, answer("<doc><ok/></doc>"))).toEqual({ outcome: "done", response: "ok" });
  expect(outcomeOf(kind, answer("<doc><newexpiredate>2027-03-01</newexpiredate></doc>")).outcome).toBe("unknown");
});

test.each(["prolong", "edit", "suspend", "resume", "delete"] as const)(
  "%s is not done by an ok that leads on",
  (kind) => {
    const onTo = (type: string, func: string) =>
      outcomeOf(kind, answer(`<doc><ok type="${type}">func=${func}</ok></doc>`));
    expect(onTo("form", "totp.confirm")).toEqual({ outcome: "unknown", response: "ok leads to func=totp.confirm" });
    expect(onTo("list", "platform")).toMatchObject({ outcome: "done" });
  },
);

describe("an error", () => {
  test.each(["auth", "access", "missed", "value", "exists"])("of the type %s refuses", (type) => {
    const body = `<doc><error type="${type}" object="elid"><msg>No</msg></error></doc>`;
    expect(outcomeOf("order", answer(body))).toEqual({
      outcome: "refused",
      response: `error ${type}/elid: No`,
      error: { type },
    });
  });

  test.each(["xml", "client", "limit", "pricelist_min_order", "", "Value"])(
    "of the type %j leaves it unknown",
    (type) => {
      const body = `<doc><error type="${type}"><msg>No</msg></error></doc>`;
      expect(outcomeOf("order", answer(body))).toMatchObject({ outcome: "unknown", response: `error ${type}: No` });
    },
  );
});

describe("an error about money", () => {
  const about = (type: string, object: string, message: string) => {
    const body = `<doc><error type="${type}" object="${object}"><msg>${message}</msg></error></doc>`;
    return outcomeOf("order", answer(body), ["money", "fund"]);
  };

  test.each([
    ["its type", "money", "", ""],
    ["its object", "value", "funds", ""],
    ["its text, in whatever case", "xml", "", "Insufficient FUNDS"],
  ])("is known by %s", (_, ...error) => {
    expect(about(...error)).toMatchObject({ funds: true });
  });

  test("is no other", () => {
    expect(about("value", "pricelist", "No such tariff")).not.toHaveProperty("funds");
    expect(outcomeOf("order", answer('<doc><error type="money"/></doc>'))).not.toHaveProperty("funds");
  });
});

test.each([
  [
    "no connection",
    { kind: "not_sent" as const, why: "ECONNREFUSED" },
    { outcome: "not_sent", response: "ECONNREFUSED" },
  ],
  ["no answer", { kind: "no_response" as const, why: "no answer within 60 s" }, { outcome: "unknown" }],
  ["a gateway's page", answer("<html></html>", 502), { outcome: "unknown", response: "HTTP 502" }],
  ["a definite error under another status", answer('<doc><error type="value"/></doc>', 500), { outcome: "unknown" }],
  ["an answer cut short", answer("<doc><id>77</id>"), { outcome: "unknown" }],
])("%s", (_, sent, expected) => {
  expect(outcomeOf("order", sent)).toMatchObject(expected);
});
