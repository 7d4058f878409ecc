import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Instant } from "../../shared/licensing/time.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** An address of here, with whatever is in a name. */
export const to = (path: string, query: Record<string, string | undefined> = {}, anchor = ""): string => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return `${path}${search && `?${search}`}${anchor && `#${anchor}`}`;
};

export const subscriptionAt = (name: string, anchor?: string): string => to("/subscription", { name }, anchor);

export const subscriptionLink = (name: string, anchor?: string): Html =>
  html`<a class="name" href="${subscriptionAt(name, anchor)}">${outside(name)}</a>`;

const turnsText = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** What a customer or a shop wrote: characters that turn the text around are named, and it turns nothing beside it. */
export const outside = (text: string): Html =>
  html`<bdi>${text.replace(turnsText, (mark) => `[U+${mark.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}]`)}</bdi>`;

/** "2026-11-23 08:00", or the seconds too. */
export const when = (instant: Instant, seconds = false): Html =>
  html`<time datetime="${instant}">${instant.slice(0, seconds ? 19 : 16).replace("T", " ")}</time>`;

/** Without its year, where a list shows what is near; to the second for what has been. */
export const shortly = (instant: Instant, seconds = false): Html =>
  html`<time datetime="${instant}">${instant.slice(5, seconds ? 19 : 16).replace("T", " ")}</time>`;

const moments = /(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+Z?)?)?/;

/** What is said of something, with its moments in one piece, as they stand elsewhere. */
export const prose = (text: string): Html[] => {
  const pieces = text.split(moments);
  return pieces.flatMap((piece = "", i) => {
    // The pieces between two moments, and of each moment its day and its time.
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

/** "3 d": the largest unit that it has two of, rounded down. */
export function span(seconds: number): string {
  const [unit, size] = units.find(([, size]) => seconds >= 2 * size) ?? ["s", 1];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

export function fromNow(instant: Instant, now: Instant): string {
  const seconds = (Date.parse(instant) - Date.parse(now)) / 1000;
  return seconds < 0 ? `${span(-seconds)} ago` : `in ${span(seconds)}`;
}

/** A change: a button whose form brings what a change has to. */
export const changeForm = (
  token: string,
  path: string,
  fields: Record<string, string | undefined>,
  inner: Html | Html[],
): Html => html`<form method="post" action="${path}" class="inline">${hidden({ token, ...fields })}${inner}</form>`;

/** A form that only asks: for a page that tells what would be done, or for a search. */
export const askForm = (path: string, fields: Record<string, string | undefined>, inner: Html | Html[]): Html =>
  html`<form method="get" action="${path}" class="inline">${hidden(fields)}${inner}</form>`;

const hidden = (fields: Record<string, string | undefined>): Html[] =>
  Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [html`<input type="hidden" name="${name}" value="${value}">`],
  );

/** @param of what it is about, where the page has several such: for who goes by the buttons alone */
export const button = (label: string, kind = "", of?: string): Html =>
  html`<button class="${kind}"${of === undefined ? "" : html` aria-label="${label} ${of}"`}>${label}</button>`;

/** What was found, a line each. */
export const foundLines = (found: readonly string[]): Html | "" =>
  found.length === 0 ? "" : html`<ul class="found">${found.map((line) => html`<li>${prose(line)}</li>`)}</ul>`;

/** A word whose colour says how it is, and which says it too. */
export const badge = (word: string, tone: Tone): Html => html`<span class="badge ${tone}">${word}</span>`;
export type Tone = "good" | "bad" | "wait" | "quiet";

const tones: Record<string, Tone> = { done: "good", already_done: "good", refused: "bad", gave_up: "bad" };

export const outcomeBadge = (outcome: string): Html => badge(outcome.replaceAll("_", " "), tones[outcome] ?? "wait");
