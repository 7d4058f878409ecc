import { html } from "hono/html";
import { agendaShards } from "../../shared/aws/table.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { decide } from "../../shared/licensing/decide.ts";
import { describe } from "../../shared/licensing/operation.ts";
import { forecast } from "../../shared/licensing/preview.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { dayOf, type Instant, instantPlus } from "../../shared/licensing/time.ts";
import { type AttentionItem, attentionPage, systemProblems } from "../actions/attention.ts";
import { nameOf, nowOf } from "../actions/dependencies.ts";
import { moment, sayDecision } from "../actions/format.ts";
import type { Desk } from "./context.ts";
import { cursorOf, pageAt } from "./cursor.ts";
import { page } from "./layout.ts";
import { lastOperations, operationRows } from "./operations.ts";
import {
  askForm,
  button,
  foundLines,
  fromNow,
  type Html,
  outside,
  prose,
  shortly,
  subscriptionLink,
  to,
  when,
} from "./parts.ts";
import { plots } from "./plots.ts";
import { repairForms } from "./repairs.ts";

const mostCases = 20;
const mostWaiting = 8;
const mostOperations = 12;

/** What is wrong and what to do about it; what comes next; what was done last; how it goes. */
export async function homePage(desk: Desk, query: { from?: string; note?: string | undefined }): Promise<Html> {
  const { world: deps } = desk;
  const now = nowOf(deps);
  const from = pageAt(query.from);
  const [halt, cases, { overdue, balance }, soon, last, figures] = await Promise.all([
    deps.table.halt(),
    attentionPage(deps, from, mostCases),
    systemProblems(deps),
    comingUp(desk, mostWaiting),
    lastOperations(deps.table, now, mostOperations),
    desk.figures(),
  ]);
  return page(
    desk,
    { title: "Home", here: "/", live: "home", note: query.note },
    html`<div id="pressing" data-live>
${overdue && html`<p class="banner bad"><strong>The functions are behind:</strong> ${subscriptionLink(overdue.name)} has been due since ${when(overdue.since)}, ${fromNow(overdue.since, now)}. They do not run, or fail: look at their logs.</p>`}
${balance?.low && html`<p class="banner wait"><strong>The balance is low:</strong> ${balance.amount} ${balance.currency} at ${when(balance.at)}. Top it up at billmgr; what waits for it goes on by itself.</p>`}
${balance && !balance.low && html`<p class="quiet">Balance at billmgr: ${balance.amount} ${balance.currency}, as read at ${when(balance.at)}, before the last purchase.</p>`}
</div>
<section id="attention" data-live aria-labelledby="attention-title">
<h1 id="attention-title">Needs a person</h1>
${
  cases.waiting.length > 0
    ? html`<ol class="cases">${cases.waiting.map((one) => caseOf(desk, one))}</ol>`
    : cases.next === undefined && html`<p class="empty good">${from ? "Nothing more" : "Nothing"} needs a person.</p>`
}
${cases.next ? html`<p><a href="${to("/", { from: cursorOf(cases.next) })}">More, later ones</a></p>` : ""}
${from ? html`<p><a href="/">Back to the longest</a></p>` : ""}
</section>
<div class="columns">
<section id="operations" data-live aria-labelledby="operations-title">
<h2 id="operations-title">Last operations <a class="more" href="/operations">all</a></h2>
${last.length === 0 ? html`<p class="empty">No operation was finished within a week.</p>` : operationRows(last)}
</section>
<section id="waiting" data-live aria-labelledby="waiting-title">
<h2 id="waiting-title">Comes next <a class="more" href="/waiting">more</a></h2>
${waitingRows(soon, now)}
</section>
</div>
<section id="figures" data-live aria-label="Figures">${plots(figures)}</section>
<div id="stop" data-live>${halt ? "" : haltForm()}</div>`,
  );
}

function caseOf(desk: Desk, one: AttentionItem): Html {
  const { name, since, reason, found, customer, advice } = one;
  const link =
    one.kind === "subscription"
      ? subscriptionLink(name)
      : html`<a class="name" href="${to("/event", { name })}">${outside(name)}</a>`;
  return html`<li class="case"><p class="head">${link} ${customer ? html`<span class="who">${outside(customer)}</span> ` : ""}${one.kind === "event" ? html`<span class="quiet">an event</span> ` : ""}<span class="quiet">since ${when(since)}, ${fromNow(since, nowOf(desk.world))}</span></p>
<p class="reason">${prose(reason)}</p>
${advice ? html`<p class="advice">${advice}</p>` : ""}
${foundLines(found)}
${repairForms(desk.token, { name }, one.repairs)}</li>`;
}

type Soon = { name: string; due: string; what: string };

/** What is woken soonest, and what for, as far as can be told now. */
async function comingUp({ world: deps }: Desk, most: number): Promise<Soon[]> {
  const { table, catalog } = deps;
  const until = instantPlus(nowOf(deps), { days: 5 * 366 });
  const pages = await Promise.all(
    Array.from({ length: agendaShards }, (_, shard) => table.due(shard, until, undefined, most)),
  );
  const soonest = pages.flatMap(({ keys }) => keys).sort((a, b) => (a.due < b.due ? -1 : 1));
  const subscriptions = soonest.filter(({ key }) => partsOf(key).kind === "subscription").slice(0, most);
  return Promise.all(
    subscriptions.map(async ({ key, due }: { key: Key; due: string }) => {
      const stored = await table.load(key);
      return { name: nameOf(key), due, what: stored ? whatComes(stored.subscription, catalog, due) : "" };
    }),
  );
}

/** Where nothing is to be done at that time, what is to be done after it, if nothing is told until then. */
function whatComes(subscription: Subscription, catalog: Catalog, due: Instant): string {
  const decision = decide(subscription, catalog, due);
  if (decision.kind !== "settled") return sayDecision(decision);
  const until = instantPlus(due, { days: daysForeseen });
  const [step] = forecast(subscription, catalog, { from: due, until }, () => "", 1).steps;
  return step ? `unless paid by ${dayOf(step.at).slice(5)}: ${describe(step.change)}` : sayDecision(decision);
}
const daysForeseen = 60;

const waitingRows = (soon: Soon[], now: string): Html =>
  soon.length === 0
    ? html`<p class="empty">Nothing is waiting.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="What comes next"><table><thead><tr><th>at</th><th>in</th><th>subscription</th><th>to do, as things are</th></tr></thead>
<tbody>${soon.map(
        ({ name, due, what }) =>
          html`<tr><td>${shortly(due)}</td><td class="ago">${fromNow(due, now)}</td><td>${subscriptionLink(name)}</td><td>${prose(what)}</td></tr>`,
      )}</tbody></table></div>`;

/** The same as on the home page, and more of it. */
export async function waitingListPage(desk: Desk): Promise<Html> {
  const soon = await comingUp(desk, 200);
  return page(
    desk,
    { title: "Comes next" },
    html`<h1>Comes next</h1><p>The soonest ${soon.length}, as of ${moment(nowOf(desk.world))}.</p>${waitingRows(soon, nowOf(desk.world))}`,
  );
}

const haltForm =
  (): Html => html`<section class="halt" aria-labelledby="halt-title"><h2 id="halt-title">Stop all calls</h2>
<p>For maintenance, or when something goes wrong: webhooks are still accepted, and nothing is bought, renewed, suspended or resumed for anybody until you let it go again.</p>
${askForm("/halt", {}, html`<label for="halt-reason">because</label><input id="halt-reason" name="reason" size="40" maxlength="300" placeholder="maintenance until noon">${button("Halt all calls…", "bad")}`)}</section>`;
