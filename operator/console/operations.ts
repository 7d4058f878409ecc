/** Finished operations: the page of one day, and the latest ones for the home page. */
import { html } from "hono/html";
import type { JournalEntry, Table } from "../../shared/aws/table.ts";
import { addDays, type Day, dayOf, type Instant, isDay } from "../../shared/licensing/time.ts";
import { nameOf, nowOf } from "../actions/dependencies.ts";
import type { ConsoleContext } from "./context.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { renderPage } from "./layout.ts";
import { formatDuration, type Html, outcomeBadge, shortTime, subscriptionLink, urlOf } from "./parts.ts";

const maxDaysBack = 7;
const pageSize = 200;

/** Goes back at most a week. */
export async function latestOperations(
  table: Pick<Table, "journal">,
  now: Instant,
  maxEntries: number,
): Promise<JournalEntry[]> {
  const found: JournalEntry[] = [];
  for (let daysBack = 0; daysBack < maxDaysBack && found.length < maxEntries; daysBack++) {
    const day = addDays(dayOf(now), -daysBack);
    found.push(...(await table.journal(day, undefined, maxEntries - found.length)).entries);
  }
  return found;
}

/** `delay` is the time from the payment to the license. */
export const operationTable = (entries: readonly JournalEntry[]): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Operations"><table>
<thead><tr><th>finished</th><th>subscription</th><th>operation</th><th>outcome</th><th class="number">delay</th></tr></thead>
<tbody>${entries.map(
    ({ at, key, n, kind, outcome, seconds }) =>
      html`<tr><td>${shortTime(at, true)}</td><td>${subscriptionLink(nameOf(key), `operation-${n}`)}</td><td>${kind}</td><td>${outcomeBadge(outcome)}</td><td class="number">${seconds === undefined ? "" : formatDuration(seconds)}</td></tr>`,
  )}</tbody></table></div>`;

/** All operations that finished on one day, latest first. */
export async function operationsPage(context: ConsoleContext, query: { day?: string; from?: string }): Promise<Html> {
  const today = dayOf(nowOf(context.deps));
  const day = query.day !== undefined && isDay(query.day) ? query.day : today;
  const { entries, next } = await context.deps.table.journal(day, parseCursor(query.from), pageSize);
  const title = `Operations of ${day}`;
  return renderPage(
    context,
    { title, path: "/operations" },
    html`<h1>${title}</h1>
<nav class="pager" aria-label="Days">${dayLink(addDays(day, -1), "earlier")}${day < today ? dayLink(addDays(day, 1), "later") : ""}
<form method="get" action="/operations"><label for="day">Day</label><input id="day" type="date" name="day" value="${day}"><button>Show</button></form></nav>
${entries.length === 0 ? html`<p class="empty">No operation finished on this day.</p>` : operationTable(entries)}
${next ? html`<p><a href="${urlOf("/operations", { day, from: formatCursor(next) })}">More operations of this day</a></p>` : ""}`,
  );
}

const dayLink = (day: Day, word: string): Html => html`<a href="${urlOf("/operations", { day })}">${word}: ${day}</a>`;
