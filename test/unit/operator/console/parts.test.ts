import { html } from "hono/html";
import { expect, test } from "vitest";
import { formatDuration, fromNow, sentence, urlOf } from "../../../../operator/console/parts.ts";

const shown = (text: string) => String(html`${sentence(text)}`);

test.each([
  ["", ""],
  ["nothing", "nothing"],
  ["until 2027-01-02", 'until <span class="moment">2027-01-02</span>'],
  [
    "since 2027-01-02T10:00:03.123Z, 2027-01-03 11:00: why",
    'since <span class="moment">2027-01-02 10:00:03</span>, <span class="moment">2027-01-03 11:00</span>: why',
  ],
  ["<b>2027-01-02</b>", '&lt;b&gt;<span class="moment">2027-01-02</span>&lt;/b&gt;'],
])("%j: dates and times do not break across lines", (text, expected) => {
  expect(shown(text)).toBe(expected);
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
])("%i seconds are %s", (seconds, expected) => {
  expect(formatDuration(seconds)).toBe(expected);
});

test("past and future times read differently", () => {
  const now = "2027-01-01T00:00:00.000Z";
  expect([fromNow("2026-12-31T00:00:00.000Z", now), fromNow("2027-01-05T00:00:00.000Z", now)]).toEqual([
    "24 h ago",
    "in 4 d",
  ]);
});

test("a URL escapes every character of a name", () => {
  expect(urlOf("/subscription", { name: "standard/a&b?#é", at: undefined }, "x")).toBe(
    "/subscription?name=standard%2Fa%26b%3F%23%C3%A9#x",
  );
});
