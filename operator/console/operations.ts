import { html } from "hono/html";
import type { Page } from "../../shared/aws/items.ts";
import type { JournalEntry, Table } from "../../shared/aws/table.ts";
import { addDays, type Day, dayOf, type Instant, isDay } from "../../shared/licensing/time.ts";
import { nameOf, nowOf } from "../actions/dependencies.ts";
import type { Desk } from "./context.ts";
import { cursorOf, pageAt } from "./cursor.ts";
import { page } from "./layout.ts";
import { type Html, outcomeBadge, shortly, span, subscriptionLink, to } from "./parts.ts";

/** The last finished operations, over midnight too. */
export async function lastOperations(
  table: Pick<Table, "journal">,
  now: Instant,
  most: number,
): Promise<JournalEntry[]> {
  const found: JournalEntry[] = [];
  for (let back = 0; back < daysBack && found.length < most; back++) {
    found.push(...(await table.journal(addDays(dayOf(now), -back), undefined, most - found.length)).entries);
  }
  return found;
}
const daysBack = 7;
const pageSize = 200;

export const operationRows = (entries: readonly JournalEntry[]): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Operations"><table>
<thead><tr><th>finished</th><th>subscription</th><th>operation</th><th>outcome</th><th class="number">waited</th></tr></thead>
<tbody>${entries.map(
    ({ at, key, n, kind, outcome, seconds }) =>
      html`<tr><td>${shortly(at, true)}</td><td>${subscriptionLink(nameOf(key), `operation-${n}`)}</td><td>${kind}</td><td>${outcomeBadge(outcome)}</td><td class="number">${seconds === undefined ? "" : span(seconds)}</td></tr>`,
  )}</tbody></table></div>`;

/** All operations that were finished on one day, latest first, a page at a time. */
export async function operationsPage(desk: Desk, query: { day?: string; from?: string }): Promise<Html> {
  const today = dayOf(nowOf(desk.world));
  const day = query.day !== undefined && isDay(query.day) ? query.day : today;
  const from: Page | undefined = pageAt(query.from);
  const { entries, next } = await desk.world.table.journal(day, from, pageSize);
  const title = `Operations of ${day}`;
  return page(
    desk,
    { title, here: "/operations" },
    html`<h1>${title}</h1>
<nav class="pager" aria-label="Days">${dayLink(addDays(day, -1), "earlier")}${day < today ? dayLink(addDays(day, 1), "later") : ""}
<form method="get" action="/operations"><label for="day">Day</label><input id="day" type="date" name="day" value="${day}"><button>Show</button></form></nav>
${entries.length === 0 ? html`<p class="empty">No operation was finished on this day.</p>` : operationRows(entries)}
${next ? html`<p><a href="${to("/operations", { day, from: cursorOf(next) })}">More of this day</a></p>` : ""}`,
  );
}

const dayLink = (day: Day, word: string): Html => html`<a href="${to("/operations", { day })}">${word}: ${day}</a>`;
