/** Small pieces of HTML that several pages use. */
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Instant } from "../../shared/licensing/time.ts";
import { wordsOf } from "../actions/format.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A URL of the console. Escapes whatever a name contains. */
export const urlOf = (path: string, query: Record<string, string | undefined> = {}, anchor = ""): string => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return `${path}${search && `?${search}`}${anchor && `#${anchor}`}`;
};

export const withFlash = (url: string, id: string): string => `${url}${url.includes("?") ? "&" : "?"}flash=${id}`;

export const subscriptionUrl = (name: string, anchor?: string): string => urlOf("/subscription", { name }, anchor);

export const subscriptionLink = (name: string, anchor?: string): Html =>
  html`<a class="name" href="${subscriptionUrl(name, anchor)}">${untrusted(name)}</a>`;

export const eventLink = (name: string): Html =>
  html`<a class="name" href="${urlOf("/event", { name })}">${untrusted(name)}</a>`;

const bidiControls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text that a customer or a shop wrote. Bidirectional control characters are spelled out, so they cannot reorder the page. */
export const untrusted = (text: string): Html =>
  html`<bdi>${text.replace(bidiControls, (mark) => `[U+${mark.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}]`)}</bdi>`;

/** "2026-11-23 08:00", optionally with seconds. */
export const fullTime = (instant: Instant, seconds = false): Html =>
  html`<time datetime="${instant}">${instant.slice(0, seconds ? 19 : 16).replace("T", " ")}</time>`;

/** "11-23 08:00", optionally with seconds, for lists of near times. */
export const shortTime = (instant: Instant, seconds = false): Html =>
  html`<time datetime="${instant}">${instant.slice(5, seconds ? 19 : 16).replace("T", " ")}</time>`;

const times = /(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+Z?)?)?/;

/** A sentence whose dates and times are formatted like all others and never break across lines. */
export const sentence = (text: string): Html[] => {
  // Every match yields its day and its time between two pieces of plain text.
  const pieces = text.split(times);
  return pieces.flatMap((piece = "", i) => {
    if (i % 3 === 0) return [html`${piece}`];
    return i % 3 === 1 ? [html`<span class="moment">${piece}${pieces[i + 1] ? ` ${pieces[i + 1]}` : ""}</span>`] : [];
  });
};

const units = [
  ["y", 365 * 86_400],
  ["mo", 30 * 86_400],
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** "3 d": rounds down to the largest unit that fits at least twice. */
export function formatDuration(seconds: number): string {
  const [unit, size] = units.find(([, size]) => seconds >= 2 * size) ?? ["s", 1];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

export function fromNow(instant: Instant, now: Instant): string {
  const seconds = (Date.parse(instant) - Date.parse(now)) / 1000;
  return seconds < 0 ? `${formatDuration(-seconds)} ago` : `in ${formatDuration(seconds)}`;
}

/** A form that changes something. */
export const postForm = (
  token: string,
  path: string,
  fields: Record<string, string | undefined>,
  inner: Html | Html[],
): Html =>
  html`<form method="post" action="${path}" class="inline">${hiddenInputs({ token, ...fields })}${inner}</form>`;

/** A form that only reads: it opens a confirmation page or a search. */
export const getForm = (path: string, fields: Record<string, string | undefined>, inner: Html | Html[]): Html =>
  html`<form method="get" action="${path}" class="inline">${hiddenInputs(fields)}${inner}</form>`;

const hiddenInputs = (fields: Record<string, string | undefined>): Html[] =>
  Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [html`<input type="hidden" name="${name}" value="${value}">`],
  );

/** @param subject distinguishes equal buttons of a page for screen readers */
export const button = (label: string, kind = "", subject?: string): Html =>
  html`<button class="${kind}"${subject === undefined ? "" : html` aria-label="${label} ${subject}"`}>${label}</button>`;

export const detailList = (lines: readonly string[]): Html | "" =>
  lines.length === 0 ? "" : html`<ul class="details">${lines.map((line) => html`<li>${sentence(line)}</li>`)}</ul>`;

/** The color repeats what the word says. */
export const badge = (word: string, tone: Tone): Html => html`<span class="badge ${tone}">${word}</span>`;
export type Tone = "good" | "bad" | "wait" | "quiet";

const tones: Record<string, Tone> = { done: "good", already_done: "good", refused: "bad", gave_up: "bad" };

export const outcomeBadge = (outcome: string): Html => badge(wordsOf(outcome), tones[outcome] ?? "wait");
