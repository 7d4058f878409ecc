/** The page of scheduled subscriptions, with a forecast of their changes. */
import { html } from "hono/html";
import { agendaShards } from "../../shared/aws/table.ts";
import { partsOf } from "../../shared/intake/message.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { decide } from "../../shared/licensing/decide.ts";
import { describe } from "../../shared/licensing/operation.ts";
import { forecast } from "../../shared/licensing/preview.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { dayOf, type Instant, instantPlus } from "../../shared/licensing/time.ts";
import { nameOf, nowOf } from "../actions/dependencies.ts";
import { formatDecision, moment } from "../actions/format.ts";
import type { ConsoleContext } from "./context.ts";
import { renderPage } from "./layout.ts";
import { fromNow, type Html, sentence, shortTime, subscriptionLink } from "./parts.ts";

const maxListed = 200;
const forecastDays = 60;

type Scheduled = { name: string; due: Instant; action: string };

/** Loads the subscriptions that are due soonest. */
export async function loadScheduled({ deps }: ConsoleContext, maxEntries: number): Promise<Scheduled[]> {
  const { table, catalog } = deps;
  const until = instantPlus(nowOf(deps), { days: 5 * 366 });
  const pages = await Promise.all(
    Array.from({ length: agendaShards }, (_, shard) => table.due(shard, until, undefined, maxEntries)),
  );
  const soonest = pages.flatMap(({ keys }) => keys).sort((a, b) => (a.due < b.due ? -1 : 1));
  const subscriptions = soonest.filter(({ key }) => partsOf(key).kind === "subscription").slice(0, maxEntries);
  return Promise.all(
    subscriptions.map(async ({ key, due }) => {
      const stored = await table.load(key);
      return { name: nameOf(key), due, action: stored ? expectedAction(stored.subscription, catalog, due) : "" };
    }),
  );
}

/** If nothing is to be done when the subscription is due, the first change after that unless a payment arrives. */
function expectedAction(subscription: Subscription, catalog: Catalog, due: Instant): string {
  const decision = decide(subscription, catalog, due);
  if (decision.kind !== "settled") return formatDecision(decision);
  const until = instantPlus(due, { days: forecastDays });
  const [step] = forecast(subscription, catalog, { from: due, until }, () => "", 1).steps;
  return step ? `unless paid by ${dayOf(step.at).slice(5)}: ${describe(step.change)}` : formatDecision(decision);
}

export const scheduledTable = (scheduled: readonly Scheduled[], now: Instant): Html =>
  scheduled.length === 0
    ? html`<p class="empty">Nothing is scheduled.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Scheduled"><table><thead><tr><th>time</th><th>in</th><th>subscription</th><th>what will happen</th></tr></thead>
<tbody>${scheduled.map(
        ({ name, due, action }) =>
          html`<tr><td>${shortTime(due)}</td><td class="ago">${fromNow(due, now)}</td><td>${subscriptionLink(name)}</td><td>${sentence(action)}</td></tr>`,
      )}</tbody></table></div>`;

export async function scheduledPage(context: ConsoleContext): Promise<Html> {
  const now = nowOf(context.deps);
  const scheduled = await loadScheduled(context, maxListed);
  return renderPage(
    context,
    { title: "Scheduled" },
    html`<h1>Scheduled</h1><p>The next ${scheduled.length} subscriptions by due time, as of ${moment(now)}.</p>${scheduledTable(scheduled, now)}`,
  );
}
