/** The history of a subscription as a table, latest entry first. */
import { html } from "hono/html";
import type { EventStatus } from "../../shared/aws/table.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { noTimestamp } from "../../shared/licensing/time.ts";
import { formatEvent, formatStatus, wordsOf } from "../actions/format.ts";
import type { HistoryEntry, ShownEvent } from "../actions/show.ts";
import { spendingOf } from "../actions/spending.ts";
import { badge, fullTime, type Html, outcomeBadge, sentence, urlOf } from "./parts.ts";

export const historyTable = (name: string, entries: readonly HistoryEntry[], subscription: Subscription): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="Events and operations"><table class="history">
<thead><tr><th>time</th><th>event or operation</th><th>result</th></tr></thead>
<tbody>${entries.toReversed().map((entry) => ("event" in entry ? eventRow(name, entry.event) : operationRow(entry.operation, spendingOf(subscription, entry.operation.change))))}</tbody></table></div>`;

export const eventStatus = (event: EventStatus): Html => {
  const tone = event.status === "applied" ? "good" : event.status === "unparseable" ? "bad" : "quiet";
  return html`${badge(formatStatus(event.status), tone)} ${event.status === "applied" ? "" : event.reason}`;
};

function eventRow(name: string, event: ShownEvent): Html {
  const { received, events, resolution } = event;
  const { id, type, occurredAt, receivedAt, test } = received;
  return html`<tr class="event"><td>${fullTime(receivedAt, true)}</td>
<td><a href="${urlOf("/event", { of: name, id })}">event ${id}</a> <code>${type}</code>${test ? html` ${badge("test mode", "quiet")}` : ""}
<p class="quiet">${occurredAt === noTimestamp ? "time of occurrence unknown" : html`occurred ${fullTime(occurredAt, true)}`}</p></td>
<td>${eventStatus(event)}
${events.length > 0 ? html`<ul class="details">${events.map((one) => html`<li>${sentence(formatEvent(one))}</li>`)}</ul>` : ""}
${resolution ? html`<p class="quiet">${resolution.as} at ${fullTime(resolution.at, true)}: ${resolution.why}</p>` : ""}</td></tr>`;
}

function operationRow(operation: Operation, spending: string | undefined): Html {
  const { n, change, why, claimedAt, before, attempt, observations, state, outcome, finishedAt, due, resolved } =
    operation;
  return html`<tr class="operation" id="operation-${n}"><td>${fullTime(claimedAt, true)}</td>
<td><b>operation ${n}</b>: ${sentence(describe(change))}<p class="quiet">because ${sentence(why)}</p>${spending ? html`<p class="quiet">${spending}</p>` : ""}${before.evidence ? html`<p class="quiet">before: ${sentence(before.evidence)}</p>` : ""}</td>
<td>${outcomeBadge(state === "finished" ? (outcome ?? "done") : state)} ${finishedAt ? fullTime(finishedAt, true) : due ? html`next check ${fullTime(due, true)}` : ""}
<ul class="details">${attempt ? attemptLines(attempt) : ""}${observations.map(({ at, verdict, evidence }) => html`<li>${fullTime(at, true)} checked, ${wordsOf(verdict)}: ${sentence(evidence)}</li>`)}${resolved ? html`<li>${fullTime(resolved.at, true)} resolved by an operator: ${resolved.as}</li>` : ""}</ul></td></tr>`;
}

const attemptLines = ({ startedAt, endedAt, params, outcome, response }: NonNullable<Operation["attempt"]>): Html =>
  html`<li>${fullTime(startedAt, true)} called <code>${Object.entries(params).map(([name, value]) => html`${name}=${value} `)}</code></li>
<li>${endedAt ? html`${fullTime(endedAt, true)} ${wordsOf(outcome ?? "")}: ${sentence(response ?? "")}` : "no outcome of the call is recorded"}</li>`;
