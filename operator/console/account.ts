/** The Reconcile page: compares all recorded licenses with the billmgr account. */
import { html } from "hono/html";
import { nowOf } from "../actions/dependencies.ts";
import { count } from "../actions/format.ts";
import type { Difference, Orphan } from "../actions/reconcile.ts";
import type { Comparison } from "./comparison.ts";
import type { ConsoleContext } from "./context.ts";
import { renderPage } from "./layout.ts";
import { badge, button, fromNow, fullTime, type Html, postForm, subscriptionLink } from "./parts.ts";
import { repairForms } from "./repairs.ts";

export async function accountPage(context: ConsoleContext): Promise<Html> {
  const comparison = context.comparison.current();
  return renderPage(
    context,
    { title: "Reconcile", path: "/account", live: "account" },
    html`<h1>Compare with billmgr</h1>
<p>This compares every license recorded here with billmgr's lists. It only reads: the whole table, and the license list of every product family. Once a week is enough.</p>
<section id="comparison" data-live aria-label="Comparison">
${postForm(context.token, "/account", {}, button(comparison ? "Compare again" : "Compare", "primary"))}
${comparison ? renderComparison(context, comparison) : html`<p class="empty">No comparison since the console was started.</p>`}</section>`,
  );
}

function renderComparison(context: ConsoleContext, comparison: Comparison): Html {
  const { subscriptions, listed } = comparison;
  if (comparison.kind === "running") {
    const lists = Object.entries(listed).map(([family, licenses]) => `${count(licenses, "license")} of ${family}`);
    const read = [count(subscriptions, "subscription"), ...lists].join(", ");
    return html`<p class="state">${badge("reading", "wait")} ${read} read so far. <a href="/account">Refresh</a></p>`;
  }
  if (comparison.kind === "failed") return html`<p class="banner bad">The comparison failed: ${comparison.why}</p>`;
  const { result, at } = comparison;
  const { differences, orphans, incomplete, licenses, others } = result;
  const lasting = differences.filter(({ settling }) => !settling).length + orphans.length;
  return html`<p class="state">${lasting === 0 ? badge("no differences", "good") : badge(count(lasting, "difference"), "bad")} at ${fullTime(at)}, ${fromNow(at, nowOf(context.deps))}</p>
<dl class="facts"><dt>recorded here</dt><dd>${count(licenses, "license")} of ${count(subscriptions, "subscription")}</dd>
${Object.entries(listed).map(([family, rows]) => html`<dt>at billmgr</dt><dd>${count(rows, "license")} of ${family}, including deleted licenses that are still listed</dd>`)}
<dt>other licenses</dt><dd>${others} at billmgr without one of our references, bought by other means</dd></dl>
${Object.entries(incomplete).map(([family, why]) => html`<p class="banner wait">The list of ${family} is incomplete, so a license missing there may still exist: ${why}</p>`)}
${differences.length > 0 ? differenceTable(differences) : ""}${orphans.length > 0 ? orphanTable(context, orphans) : ""}`;
}

const differenceTable = (differences: readonly Difference[]): Html =>
  html`<h2>Differences</h2><div class="scroll" tabindex="0" role="region" aria-label="Differences"><table>
<thead><tr><th>subscription</th><th>license</th><th>difference</th><th>recorded</th><th>billmgr</th><th>temporary</th></tr></thead>
<tbody>${differences.map(
    ({ subscription, elid, what, recorded, billmgr, settling }) =>
      html`<tr><td>${subscriptionLink(subscription)}</td><td>${elid}</td><td>${what}</td><td>${recorded}</td><td>${billmgr}</td><td>${settling ? badge("an operation is open", "wait") : ""}</td></tr>`,
  )}</tbody></table></div>`;

const orphanTable = (context: ConsoleContext, orphans: readonly Orphan[]): Html =>
  html`<h2>Not assigned to a subscription</h2><p>These licenses have one of our references, and no subscription has them. If the subscription shown still has an open order, adopt the license. Otherwise it was bought twice: delete it in billmgr.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Not assigned to a subscription"><table>
<thead><tr><th>license</th><th>family</th><th>reference</th><th>belongs to</th><th>repair</th></tr></thead>
<tbody>${orphans.map(
    ({ elid, family, reference, subscription }) =>
      html`<tr><td>${elid}</td><td>${family}</td><td><code>${reference}</code></td><td>${subscription ? subscriptionLink(subscription) : "unknown"}</td><td>${subscription ? repairForms(context.token, { name: subscription }, ["adopt"], { values: { adopt: elid }, idPrefix: elid }) : ""}</td></tr>`,
  )}</tbody></table></div>`;
