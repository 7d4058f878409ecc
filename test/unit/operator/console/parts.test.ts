import { html } from "hono/html";
import { expect, test } from "vitest";
import { fromNow, prose, span, to } from "../../../../operator/console/parts.ts";

const shown = (text: string) => String(html`${prose(text)}`);

test.each([
  ["", ""],
  ["nothing", "nothing"],
  ["until 2027-01-02", 'until <span class="moment">2027-01-02</span>'],
  [
    "since 2027-01-02T10:00:03.123Z, 2027-01-03 11:00: why",
    'since <span class="moment">2027-01-02 10:00:03</span>, <span class="moment">2027-01-03 11:00</span>: why',
  ],
  ["<b>2027-01-02</b>", '&lt;b&gt;<span class="moment">2027-01-02</span>&lt;/b&gt;'],
])("%j is said with its moments in one piece", (text, as) => {
  expect(shown(text)).toBe(as);
});

test.each([
  [0, "0 s"],
  [119, "119 s"],
  [120, "2 min"],
  [7199, "119 min"],
  [7200, "2 h"],
  [172_800, "2 d"],
  [86_400 * 61, "2 mo"],
  [86_400 * 800, "2 y"],
])("%i seconds are %s", (seconds, as) => {
  expect(span(seconds)).toBe(as);
});

test("what was and what comes are told apart", () => {
  const now = "2027-01-01T00:00:00.000Z";
  expect([fromNow("2026-12-31T00:00:00.000Z", now), fromNow("2027-01-05T00:00:00.000Z", now)]).toEqual([
    "24 h ago",
    "in 4 d",
  ]);
});

test("an address holds whatever a name holds", () => {
  expect(to("/subscription", { name: "standard/a&b?#é", at: undefined }, "x")).toBe(
    "/subscription?name=standard%2Fa%26b%3F%23%C3%A9#x",
  );
});
