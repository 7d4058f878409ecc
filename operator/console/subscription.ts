/** The page of one subscription: its state, the repairs that apply, its timeline and history, and a preview. */
import { html } from "hono/html";
import { openOperations } from "../../shared/licensing/attention.ts";
import type { Decision } from "../../shared/licensing/decide.ts";
import { describe, isOpen } from "../../shared/licensing/operation.ts";
import { forecast } from "../../shared/licensing/preview.ts";
import { adviceOn, formatReason } from "../../shared/licensing/reasons.ts";
import { repairsFor } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { dayOf, isDay, startOf } from "../../shared/licensing/time.ts";
import { foundOf } from "../actions/attention.ts";
import { nowOf } from "../actions/dependencies.ts";
import {
  customerOf,
  formatDecision,
  formatEntitlement,
  formatItems,
  formatLicense,
  moment,
  wordsOf,
} from "../actions/format.ts";
import { plannedIn } from "../actions/preview.ts";
import { type History, show } from "../actions/show.ts";
import type { ConsoleContext } from "./context.ts";
import { historyTable } from "./history.ts";
import { renderPage } from "./layout.ts";
import { badge, detailList, fromNow, fullTime, type Html, sentence, type Tone, untrusted } from "./parts.ts";
import { repairForms } from "./repairs.ts";
import { timelineOf } from "./timeline.ts";
import { drawTimeline } from "./timeline-svg.ts";
import { tryForms } from "./try-it.ts";

type Query = { name: string; at?: string; flash?: string | undefined };

export async function subscriptionPage(context: ConsoleContext, { name, at, flash }: Query): Promise<Html | undefined> {
  const { deps } = context;
  const history = await show(name, deps);
  if (!history) return undefined;
  const { subscription, entries } = history;
  const now = nowOf(deps);
  const operations = entries.flatMap((entry) => ("operation" in entry ? [entry.operation] : []));
  const timeline = timelineOf(subscription, operations, deps.catalog.policy, now, entries[0]?.at);
  const trying = context.tryIt && (await tryForms(context, name));
  return renderPage(
    context,
    { title: name, live: name, flash },
    html`<h1>${untrusted(name)} <span class="quiet">${untrusted(customerOf(subscription).join(", "))}</span></h1>
<section id="state" data-live aria-label="State">${stateSection(context, history)}</section>
<section id="timeline" data-live aria-labelledby="timeline-heading"><h2 id="timeline-heading">Timeline</h2>
<div class="scroll picture" tabindex="0" role="region" aria-label="Timeline as a picture">${drawTimeline(timeline)}</div>
<ul class="legend" aria-label="Legend"><li class="paid">paid</li><li class="valid">license valid</li><li class="suspended">suspended</li><li class="unknown">outcome of a call unknown</li><li>◆ order</li><li>▶ prolong</li><li>❚❚ suspend</li><li>● edit, resume</li><li>✕ delete</li></ul></section>
${trying ?? ""}
<section id="history" data-live aria-labelledby="history-heading"><h2 id="history-heading">History</h2>
${historyTable(name, entries, subscription)}</section>
${previewSection(context, history, at)}`,
  );
}

const badges: Record<Decision["kind"], [string, Tone]> = {
  settled: ["up to date", "good"],
  wait: ["scheduled", "wait"],
  observe: ["pending", "wait"],
  change: ["pending", "wait"],
};

/** A subscription that is not paid is not up to date, even though nothing is to be done about it. */
function badgeOf({ next, entitled }: History): [string, Tone] {
  if (next.kind !== "settled" || !(entitled.ended || entitled.withheld)) return badges[next.kind];
  return entitled.ended ? ["ended", "quiet"] : ["not paid", "wait"];
}

function stateSection({ token, deps }: ConsoleContext, history: History): Html {
  const { name, subscription, entitled, next, due } = history;
  const now = nowOf(deps);
  const elid = deletableLicense(subscription);
  const repairs = repairForms(token, { name }, repairsFor(subscription, deps.catalog, now), {
    ...(elid !== undefined && { values: { gone: elid } }),
  });
  const items = subscription.attention ?? [];
  const { backoff, operation } = subscription;
  return html`${
    items.length > 0
      ? html`<div class="banner bad">${items.map(
          ({
            reason,
            since,
          }) => html`<p><strong>Needs attention</strong> since ${fullTime(since)}, ${fromNow(since, now)}</p><p class="reason">${sentence(formatReason(reason))}</p>
<p class="advice">${adviceOn(reason)}</p>`,
        )}
${detailList(foundOf(subscription))}${repairs}</div>`
      : html`<p class="state">${badge(...badgeOf(history))} ${sentence(formatDecision(next))}</p>`
  }
<dl class="facts">
<dt>sold</dt><dd>${untrusted(formatItems(subscription, deps.catalog))}</dd>
<dt>paid until</dt><dd>${sentence(formatEntitlement(entitled))}</dd>
${subscription.slots.map((slot) => html`<dt>license ${slot.n}</dt><dd>${sentence(formatLicense(slot, dayOf(now), deps.catalog))}${slot.license?.key ? html`, activation key <code>${slot.license.key}</code>` : ""}</dd>`)}
${isOpen(operation) ? html`<dt>open</dt><dd><a href="#operation-${operation.n}">operation ${operation.n}</a>, ${describe(operation.change)}: ${wordsOf(operation.state)}${operation.attempt?.response ? `; billmgr responded: ${operation.attempt.response}` : ""}</dd>` : ""}
${due ? html`<dt>next check</dt><dd>${fullTime(due)}, ${fromNow(due, now)}</dd>` : ""}
${backoff ? html`<dt>backoff</dt><dd>next attempt at ${fullTime(backoff.until)}: ${sentence(backoff.why)}</dd>` : ""}
</dl>
${items.length > 0 ? "" : html`<details class="more"><summary>Repairs</summary>${repairs}</details>`}`;
}

/** The license of the oldest open operation, or the only license of the subscription. */
function deletableLicense(subscription: Subscription): string | undefined {
  const { slots } = subscription;
  const [open] = openOperations(subscription);
  if (open?.elid) return open.elid;
  const candidates = open ? slots.filter(({ n }) => n === open.change.slot) : slots;
  const [only, another] = candidates.flatMap(({ license }) => license ?? []);
  return another ? undefined : only?.elid;
}

/** The calls until the given day if no event arrives, or without a day the calls that are due now. */
function previewSection({ deps }: ConsoleContext, { name, subscription }: History, at: string | undefined): Html {
  const now = nowOf(deps);
  const day = at !== undefined && isDay(at) && startOf(at) > now ? at : undefined;
  const until = day === undefined ? now : startOf(day);
  const preview = forecast(subscription, deps.catalog, { from: now, until }, (step) => `<license ${step + 1}>`);
  return html`<section id="preview" aria-labelledby="preview-heading"><h2 id="preview-heading">Preview</h2>
<form method="get" action="/subscription#preview" class="inline"><input type="hidden" name="name" value="${name}"><label for="at">until</label><input id="at" type="date" name="at" min="${now.slice(0, 10)}" value="${day ?? now.slice(0, 10)}"><button>Show</button></form>
<p class="quiet">${day === undefined ? "The calls that are due now" : html`The calls until ${day}`}, if no further event arrives and every call succeeds. Looking at the preview calls nothing.</p>
${
  preview.steps.length === 0
    ? html`<p>No call.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Calls in the preview"><table><thead><tr><th>time</th><th>call</th><th>because</th><th>parameters</th></tr></thead><tbody>${preview.steps.map(
        (step) => {
          const { what, why, params } = plannedIn(subscription, step);
          return html`<tr><td>${fullTime(step.at)}</td><td>${sentence(what)}</td><td>${sentence(why)}</td><td><code>${Object.entries(params).map(([key, value]) => html`${key}=${value} `)}</code></td></tr>`;
        },
      )}</tbody></table></div>`
}
<p>Then: ${sentence(formatDecision(preview.decision))} <span class="quiet">(as of ${moment(preview.at).slice(0, 16)})</span></p></section>`;
}
