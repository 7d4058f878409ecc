/** The home page: what needs attention, the latest operations, what is scheduled, and figures. */
import { html } from "hono/html";
import { type AttentionItem, attentionPage, systemProblems } from "../actions/attention.ts";
import { nowOf } from "../actions/dependencies.ts";
import type { ConsoleContext } from "./context.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { renderPage } from "./layout.ts";
import { latestOperations, operationTable } from "./operations.ts";
import {
  button,
  detailList,
  eventLink,
  fromNow,
  fullTime,
  getForm,
  type Html,
  sentence,
  subscriptionLink,
  untrusted,
  urlOf,
} from "./parts.ts";
import { plots } from "./plots.ts";
import { repairForms } from "./repairs.ts";
import { loadScheduled, scheduledTable } from "./scheduled.ts";

const maxItems = 20;
const maxScheduled = 8;
const maxOperations = 12;

export async function homePage(
  context: ConsoleContext,
  query: { from?: string; flash?: string | undefined },
): Promise<Html> {
  const { deps } = context;
  const now = nowOf(deps);
  const from = parseCursor(query.from);
  const [halt, attention, problems, scheduled, operations, figures] = await Promise.all([
    deps.table.halt(),
    attentionPage(deps, from, maxItems),
    systemProblems(deps),
    loadScheduled(context, maxScheduled),
    latestOperations(deps.table, now, maxOperations),
    context.figures(),
  ]);
  return renderPage(
    context,
    { title: "Home", path: "/", live: "home", flash: query.flash },
    html`<div id="system" data-live>${systemBanners(problems, now)}</div>
<section id="attention" data-live aria-labelledby="attention-title">
<h1 id="attention-title">Needs attention</h1>
${
  attention.items.length > 0
    ? html`<ol class="items">${attention.items.map((item) => attentionCard(context, item))}</ol>`
    : attention.next === undefined &&
      html`<p class="empty good">${from ? "Nothing more" : "Nothing"} needs attention.</p>`
}
${attention.next ? html`<p><a href="${urlOf("/", { from: formatCursor(attention.next) })}">Newer items</a></p>` : ""}
${from ? html`<p><a href="/">Back to the oldest items</a></p>` : ""}
</section>
<div class="columns">
<section id="operations" data-live aria-labelledby="operations-title">
<h2 id="operations-title">Latest operations <a class="more" href="/operations">all</a></h2>
${operations.length === 0 ? html`<p class="empty">No operation finished in the last seven days.</p>` : operationTable(operations)}
</section>
<section id="scheduled" data-live aria-labelledby="scheduled-title">
<h2 id="scheduled-title">Scheduled <a class="more" href="/scheduled">more</a></h2>
${scheduledTable(scheduled, now)}
</section>
</div>
<section id="figures" data-live aria-label="Figures">${plots(figures)}</section>
<div id="stop" data-live>${halt ? "" : haltForm()}</div>`,
  );
}

const systemBanners = ({ overdue, balance }: Awaited<ReturnType<typeof systemProblems>>, now: string): Html =>
  html`${overdue && html`<p class="banner bad"><strong>Processing is behind:</strong> ${subscriptionLink(overdue.name)} has been due since ${fullTime(overdue.since)}, ${fromNow(overdue.since, now)}. The functions do not run, or they fail. Check their logs.</p>`}
${balance?.low && html`<p class="banner wait"><strong>The balance is low:</strong> ${balance.amount} ${balance.currency} at ${fullTime(balance.at)}. Top it up at billmgr; purchases that failed for lack of funds are then retried automatically.</p>`}
${balance && !balance.low && html`<p class="quiet">Balance at billmgr: ${balance.amount} ${balance.currency}, read at ${fullTime(balance.at)} before the latest purchase.</p>`}`;

function attentionCard(context: ConsoleContext, item: AttentionItem): Html {
  const { name, since, reason, found, customer, advice } = item;
  const link = item.kind === "subscription" ? subscriptionLink(name) : eventLink(name);
  return html`<li class="item"><p class="head">${link} ${customer ? html`<span class="customer">${untrusted(customer)}</span> ` : ""}${item.kind === "event" ? html`<span class="quiet">event</span> ` : ""}<span class="quiet">since ${fullTime(since)}, ${fromNow(since, nowOf(context.deps))}</span></p>
<p class="reason">${sentence(reason)}</p>
${advice ? html`<p class="advice">${advice}</p>` : ""}
${detailList(found)}
${repairForms(context.token, { name }, item.repairs)}</li>`;
}

const haltForm =
  (): Html => html`<section class="halt" aria-labelledby="halt-title"><h2 id="halt-title">Halt all calls</h2>
<p>Use this for maintenance, or when something goes wrong. Webhooks are still accepted. No license is ordered, renewed, suspended, or resumed for any customer until you resume.</p>
${getForm("/halt", {}, html`<label for="halt-reason">Reason</label><input id="halt-reason" name="reason" size="40" maxlength="300" placeholder="maintenance until noon">${button("Halt all calls…", "bad")}`)}</section>`;
