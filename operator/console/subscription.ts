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
import { customerOf, entitlementOf, licenseOf, moment, sayDecision, soldOf } from "../actions/format.ts";
import { plannedIn } from "../actions/preview.ts";
import { type History, show } from "../actions/show.ts";
import type { Desk } from "./context.ts";
import { drawLife } from "./draw.ts";
import { chapterRows } from "./history.ts";
import { page } from "./layout.ts";
import { badge, foundLines, fromNow, type Html, outside, prose, type Tone, when } from "./parts.ts";
import { repairForms } from "./repairs.ts";
import { lifeOf } from "./timeline.ts";
import { tryForms } from "./try.ts";

type Query = { name: string; at?: string; note?: string | undefined };

/** One subscription: how it stands, what fits, its life as a picture and as a table, and what comes. */
export async function subscriptionPage(desk: Desk, { name, at, note }: Query): Promise<Html | undefined> {
  const { world: deps } = desk;
  const story = await show(name, deps);
  if (!story) return undefined;
  const { subscription, entries } = story;
  const now = nowOf(deps);
  const operations = entries.flatMap((chapter) => ("operation" in chapter ? [chapter.operation] : []));
  const life = lifeOf(subscription, operations, deps.catalog.policy, now, entries[0]?.at);
  const attempts = desk.tryIt && (await tryForms(desk, name));
  return page(
    desk,
    { title: name, live: name, note },
    html`<h1>${outside(name)} <span class="quiet">${outside(customerOf(subscription).join(", "))}</span></h1>
<section id="state" data-live aria-label="How it stands">${stateOf(desk, story)}</section>
<section id="life" data-live aria-labelledby="life-heading"><h2 id="life-heading">Its life</h2>
<div class="scroll picture" tabindex="0" role="region" aria-label="Its life as a picture">${drawLife(life)}</div>
<ul class="legend" aria-label="Legend"><li class="paid">paid</li><li class="valid">license valid</li><li class="suspended">suspended</li><li class="unknown">not known what a call did</li><li>◆ order</li><li>▶ prolong</li><li>❚❚ suspend</li><li>● edit, resume</li><li>✕ delete</li></ul></section>
${attempts ?? ""}
<section id="events" data-live aria-labelledby="chapters-heading"><h2 id="chapters-heading">Everything, as it came</h2>
${chapterRows(name, entries)}</section>
${previewOf(desk, story, at)}`,
  );
}

const standings: Record<Decision["kind"], [string, Tone]> = {
  settled: ["in order", "good"],
  wait: ["waits", "wait"],
  observe: ["to be done", "wait"],
  change: ["to be done", "wait"],
};

/** What nobody has paid for is in no order, though nothing is to be done about it. */
function standingOf({ next, entitled }: History): [string, Tone] {
  if (next.kind !== "settled" || !(entitled.ended || entitled.withheld)) return standings[next.kind];
  return entitled.ended ? ["ended", "quiet"] : ["not paid", "wait"];
}

function stateOf({ token, world: deps }: Desk, story: History): Html {
  const { name, subscription, entitled, next, due } = story;
  const now = nowOf(deps);
  const fits = repairsFor(subscription, deps.catalog, now);
  const known = { gone: licenseMeant(subscription) };
  const items = subscription.attention ?? [];
  const { backoff, operation } = subscription;
  return html`${
    items.length > 0
      ? html`<div class="banner bad">${items.map(
          ({
            reason,
            since,
          }) => html`<p><strong>Needs attention</strong> since ${when(since)}, ${fromNow(since, now)}</p><p class="reason">${prose(formatReason(reason))}</p>
<p class="advice">${adviceOn(reason)}</p>`,
        )}
${foundLines(foundOf(subscription))}${repairForms(token, { name }, fits, known)}</div>`
      : html`<p class="state">${badge(...standingOf(story))} ${prose(sayDecision(next))}</p>`
  }
<dl class="facts">
<dt>sold</dt><dd>${outside(soldOf(subscription, deps.catalog))}</dd>
<dt>entitled</dt><dd>${prose(entitlementOf(entitled))}</dd>
${subscription.slots.map((slot) => html`<dt>license ${slot.n}</dt><dd>${prose(licenseOf(slot, dayOf(now)))}${slot.license?.key ? html`, key <code>${slot.license.key}</code>` : ""}</dd>`)}
${isOpen(operation) ? html`<dt>open</dt><dd><a href="#operation-${operation.n}">operation ${operation.n}</a>, ${describe(operation.change)}: ${operation.state}${operation.attempt?.response ? `; billmgr said: ${operation.attempt.response}` : ""}</dd>` : ""}
${due ? html`<dt>looks again at</dt><dd>${when(due)}, ${fromNow(due, now)}</dd>` : ""}
${backoff ? html`<dt>paused</dt><dd>until ${when(backoff.until)}: ${prose(backoff.why)}</dd>` : ""}
</dl>
${items.length > 0 ? "" : html`<details class="more"><summary>Repairs</summary>${repairForms(token, { name }, fits, known)}</details>`}`;
}

/** The license of the oldest open operation, or else the only one. */
function licenseMeant(subscription: Subscription): string | undefined {
  const { slots } = subscription;
  const [open] = openOperations(subscription);
  if (open?.change.kind === "order") return open.elid;
  const meant = open ? slots.filter(({ n }) => n === open.change.slot) : slots;
  const [only, another] = meant.flatMap(({ license }) => license ?? []);
  return another ? undefined : only?.elid;
}

/** What the clock alone brings until a day that is asked for; by itself, what would be done now. */
function previewOf({ world: deps }: Desk, { name, subscription }: History, at: string | undefined): Html {
  const now = nowOf(deps);
  const asked = at !== undefined && isDay(at) && startOf(at) > now ? at : undefined;
  const until = asked === undefined ? now : startOf(asked);
  const foreseen = forecast(subscription, deps.catalog, { from: now, until }, (step) => `<license ${step + 1}>`);
  return html`<section id="preview" aria-labelledby="preview-heading"><h2 id="preview-heading">What would be done</h2>
<form method="get" action="/subscription#preview" class="inline"><input type="hidden" name="name" value="${name}"><label for="at">until</label><input id="at" type="date" name="at" min="${now.slice(0, 10)}" value="${asked ?? now.slice(0, 10)}"><button>Show</button></form>
<p class="quiet">${asked === undefined ? "Now" : html`Until ${asked}`}, as long as nothing more is told and billmgr does what it is asked. Nothing is done by looking.</p>
${
  foreseen.steps.length === 0
    ? html`<p>No call.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="What would be called"><table><thead><tr><th>at</th><th>call</th><th>because</th><th>sent</th></tr></thead><tbody>${foreseen.steps.map(
        (step) => {
          const { what, why, params } = plannedIn(subscription, step);
          return html`<tr><td>${when(step.at)}</td><td>${prose(what)}</td><td>${prose(why)}</td><td><code>${Object.entries(params).map(([key, value]) => html`${key}=${value} `)}</code></td></tr>`;
        },
      )}</tbody></table></div>`
}
<p>Then: ${prose(sayDecision(foreseen.decision))} <span class="quiet">(as of ${moment(foreseen.at).slice(0, 16)})</span></p></section>`;
}
