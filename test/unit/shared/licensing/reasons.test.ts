import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Change } from "../../../../shared/licensing/operation.ts";
import {
  adviceOn,
  formatReason,
  guidance,
  keyOfReason,
  type Reason,
  type ReasonCode,
  reasonCodes,
} from "../../../../shared/licensing/reasons.ts";
import { orderOf, utc } from "../../../support/events.ts";

const elid = "334673";
const order = orderOf();
const edit: Change = {
  kind: "edit",
  slot: 1,
  elid,
  family: "platform",
  plan: "vm6-monthly",
  addons: { "55165": 4 },
};
const prolong: Change = {
  kind: "prolong",
  slot: 1,
  elid,
  family: "platform",
  plan: "vm6-monthly",
  period: 1,
  expiry: "2027-03-01",
};
const where = "Look at license 334673 and its history since 2027-01-10T10:00:00.000Z";

/** One reason of each code: a code without one does not compile. docs/attention.md shows them as examples. */
const samples: { [Code in ReasonCode]: Extract<Reason, { code: Code }> } = {
  unknown_item: { code: "unknown_item", storefront: "stripe", names: ["price_1", "prod_1"] },
  plan_not_stated: { code: "plan_not_stated" },
  period_not_stated: { code: "period_not_stated" },
  nothing_sold: { code: "nothing_sold" },
  too_many_licenses: { code: "too_many_licenses", max: 1000 },
  extra_without_plan: { code: "extra_without_plan", extra: "extra-node", product: "vmmanager6" },
  addon_too_large: { code: "addon_too_large", addon: "55165", value: 2_000_000, max: 1_000_000 },
  paid_too_far_ahead: { code: "paid_too_far_ahead", through: utc("2127-02-01") },
  too_large: { code: "too_large", bytes: 300_001 },
  expiry_not_shown: { code: "expiry_not_shown", elid },
  backing_off: { code: "backing_off", since: utc("2027-01-10T10:00"), why: "connect ECONNREFUSED" },
  order_limit: { code: "order_limit", limit: "20 orders an hour", change: order },
  exchange_limit: { code: "exchange_limit", limit: 3, change: order },
  order_not_guarded: {
    code: "order_not_guarded",
    why: "the list of 60 licenses shows no references",
    change: order,
  },
  refused: { code: "refused", change: edit, response: "error value/addon_55165: Wrong value" },
  insufficient_funds: {
    code: "insufficient_funds",
    change: order,
    response: "error money: Insufficient funds",
    balance: "3.2 EUR",
  },
  no_effect: {
    code: "no_effect",
    change: edit,
    response: "no reply within 60 s",
    evidence: "license 334673 is active until 2027-02-01",
  },
  in_cart: { code: "in_cart", operation: 1, change: order },
  unpaid_at_billmgr: {
    code: "unpaid_at_billmgr",
    operation: 1,
    change: order,
    evidence: "license 334673 is ordered until 2027-02-01, not paid",
  },
  not_confirmed: {
    code: "not_confirmed",
    operation: 2,
    change: prolong,
    evidence: "license 334673 is active until 2027-02-01",
  },
  absence_not_proved: {
    code: "absence_not_proved",
    operation: 1,
    change: order,
    evidence: "none of the 4 licenses listed carries bw-4f17d9c0725b84df-1-1",
    where:
      "Look for bw-4f17d9c0725b84df-1-1 among the licenses, in the cart, and in the expenses since 2027-01-10T10:00:00.000Z",
  },
  unresolved: {
    code: "unresolved",
    operation: 2,
    change: prolong,
    evidence: "license 334673 is processing until 2027-02-01",
    where,
  },
  conflicting: { code: "conflicting", change: edit, evidence: "license 334673 is deleted", operation: 2 },
  license_missing: { code: "license_missing", elid, change: edit },
};

describe.each(reasonCodes)("%s", (code) => {
  const text = formatReason(samples[code]);

  test("has a text of whole sentences, with its facts", () => {
    expect(text).toMatch(/^[A-Zb].*\.$/);
    expect(text).not.toMatch(/undefined|\[object|\.\./);
    const { code: _, ...facts } = samples[code];
    for (const fact of Object.values(facts).flat()) {
      if (typeof fact === "string" || typeof fact === "number") expect(text).toContain(String(fact));
    }
  });

  test("has advice of whole sentences", () => {
    expect(adviceOn(samples[code])).toMatch(/^[A-Z].*\.$/);
  });

  test("is listed in docs/attention.md, with its advice and what clears it", async () => {
    const doc = await readFile(new URL("../../../../docs/attention.md", import.meta.url), "utf8");
    const { advice, clears } = guidance[code];
    expect(doc.split("\n").filter((line) => line.startsWith(`| \`${code}\` `))).toEqual([
      `| \`${code}\` | ${text} | ${advice} | ${clears} |`,
    ]);
  });
});

test("docs/attention.md lists no other code", async () => {
  const doc = await readFile(new URL("../../../../docs/attention.md", import.meta.url), "utf8");
  const [, table = ""] = /\n## Reasons\n([^#]*)/.exec(doc) ?? [];
  const listed = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code);
  expect(listed).toEqual([...reasonCodes, "not_understood"]);
});

describe("the key of a reason", () => {
  test("is another one for each code", () => {
    expect(new Set(reasonCodes.map((code) => keyOfReason(samples[code]))).size).toBe(reasonCodes.length);
  });

  test.each<[string, Reason, Reason]>([
    ["the evidence", samples.not_confirmed, { ...samples.not_confirmed, evidence: "license 334673 is processing" }],
    ["the response", samples.refused, { ...samples.refused, response: "error access: No" }],
    ["the balance", samples.insufficient_funds, { ...samples.insufficient_funds, balance: "1 EUR" }],
    ["the size", samples.too_large, { ...samples.too_large, bytes: 1 }],
    ["why a call is impossible", samples.backing_off, { ...samples.backing_off, why: "HTTP 502" }],
    ["the slot of an order", samples.refused, { ...samples.refused, change: edit }],
    ["the order that a limit holds up", samples.order_limit, { ...samples.order_limit, change: orderOf({ slot: 2 }) }],
  ])("stays the same when %s changes", (_, one, other) => {
    expect(keyOfReason(other)).toBe(keyOfReason(one));
  });

  test.each<[string, Reason, Reason]>([
    ["item", samples.unknown_item, { ...samples.unknown_item, names: ["price_2"] }],
    ["operation", samples.in_cart, { ...samples.in_cart, operation: 2 }],
    ["license", samples.license_missing, { ...samples.license_missing, change: { ...edit, elid: "5" } }],
    ["slot", samples.refused, { ...samples.refused, change: { ...edit, slot: 2 } }],
    ["target", samples.refused, { ...samples.refused, change: { ...edit, addons: {} } }],
    ["backoff", samples.backing_off, { ...samples.backing_off, since: utc("2027-02-01") }],
  ])("differs for another %s", (_, one, other) => {
    expect(keyOfReason(other)).not.toBe(keyOfReason(one));
  });
});
