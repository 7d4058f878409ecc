import { html } from "hono/html";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import { noTimestamp } from "../../shared/licensing/time.ts";
import { moment, sayEvent } from "../actions/format.ts";
import type { HistoryEntry, ShownEvent } from "../actions/show.ts";
import { badge, type Html, outcomeBadge, prose, to, when } from "./parts.ts";

/** Each event as received and each operation with its call and its readings: latest first, as one looks for it. */
export const chapterRows = (name: string, entries: readonly HistoryEntry[]): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Events and operations"><table class="chapters">
<thead><tr><th>at</th><th>what</th><th>how it went</th></tr></thead>
<tbody>${entries.toReversed().map((chapter) => ("event" in chapter ? eventRow(name, chapter.event) : operationRow(chapter.operation)))}</tbody></table></div>`;

function eventRow(name: string, event: ShownEvent): Html {
  const { received, status, events, resolution } = event;
  const { id, type, occurredAt, receivedAt, test } = received;
  return html`<tr class="event"><td>${when(receivedAt, true)}</td>
<td><a href="${to("/event", { of: name, id })}">event ${id}</a> <code>${type}</code>${test ? html` ${badge("test mode", "quiet")}` : ""}
<p class="quiet">${occurredAt === noTimestamp ? "tells no time" : `of ${moment(occurredAt)}`}</p></td>
<td>${badge(status, status === "applied" ? "good" : status === "unparseable" ? "bad" : "quiet")} ${event.status === "applied" ? "" : event.reason}
${events.length > 0 ? html`<ul class="found">${events.map((one) => html`<li>${prose(sayEvent(one))}</li>`)}</ul>` : ""}
${resolution ? html`<p class="quiet">${resolution.as} at ${moment(resolution.at)}: ${resolution.why}</p>` : ""}</td></tr>`;
}

function operationRow(operation: Operation): Html {
  const { n, change, why, claimedAt, before, attempt, observations, state, outcome, finishedAt, due, resolved } =
    operation;
  return html`<tr class="operation" id="operation-${n}"><td>${when(claimedAt, true)}</td>
<td><b>operation ${n}</b>: ${prose(describe(change))}<p class="quiet">because ${prose(why)}</p>${before.evidence ? html`<p class="quiet">before it: ${prose(before.evidence)}</p>` : ""}</td>
<td>${outcomeBadge(state === "finished" ? (outcome ?? "done") : state)} ${finishedAt ? when(finishedAt, true) : due ? html`looked at ${when(due, true)}` : ""}
<ul class="found">${attempt ? callRows(attempt) : ""}${observations.map(({ at, verdict, evidence }) => html`<li>${when(at, true)} looked, ${verdict}: ${prose(evidence)}</li>`)}${resolved ? html`<li>${when(resolved.at, true)} an operator: ${resolved.as}</li>` : ""}</ul></td></tr>`;
}

const callRows = ({ startedAt, endedAt, params, outcome, response }: NonNullable<Operation["attempt"]>): Html =>
  html`<li>${when(startedAt, true)} called <code>${Object.entries(params).map(([name, value]) => html`${name}=${value} `)}</code></li>
<li>${endedAt ? html`${when(endedAt, true)} ${outcome?.replaceAll("_", " ")}: ${prose(response ?? "")}` : "no outcome of the call is recorded"}</li>`;
