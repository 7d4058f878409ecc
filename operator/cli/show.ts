/** `ops show` */

import { PreconditionFailed } from "../../shared/errors.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import { adviceOn, formatReason } from "../../shared/licensing/reasons.ts";
import { dayOf, noTimestamp } from "../../shared/licensing/time.ts";
import {
  customerOf,
  formatDecision,
  formatEntitlement,
  formatEvent,
  formatItems,
  formatLicense,
  formatParameters,
  formatStatus,
  moment,
  prettyPrint,
  wordsOf,
} from "../actions/format.ts";
import { type History, type ShownEvent, show, showEvent } from "../actions/show.ts";
import { spendingOf } from "../actions/spending.ts";
import { repairCommands } from "./attention.ts";
import type { Command } from "./command.ts";
import { formatColumns } from "./text.ts";

export const showCommand: Command = {
  parameters: ["<subscription or event>"],
  summary: "show the history of a subscription, or an event that is not linked to one",
  async run({ positionals: [name = ""], connect }) {
    const deps = await connect();
    const history = await show(name, deps);
    if (history) return { data: history, text: formatHistory(history, deps.catalog) };
    const events = await showEvent(name, deps);
    if (events.length === 0)
      throw new PreconditionFailed(`no subscription and no event ${name} is known; check the id, or search with find`);
    const text = events.map(({ body, ...event }) => `${formatReceived(event)}\n\n${prettyPrint(body)}`).join("\n\n");
    return { data: events, text };
  },
};

function formatHistory(
  { name, at, subscription, entitled, entries, next, due, repairs }: History,
  catalog: Catalog,
): string {
  const { attention = [], backoff } = subscription;
  const head: string[][] = [
    ["subscription", [name, ...customerOf(subscription)].join(", ")],
    ["sold", formatItems(subscription, catalog)],
    ["paid until", formatEntitlement(entitled)],
    ...subscription.slots.map((slot) => [`license ${slot.n}`, formatLicense(slot, dayOf(at), catalog)]),
    ["next", formatDecision(next)],
    ...(due ? [["next check", moment(due)]] : []),
    ...(backoff ? [["backoff", `until ${moment(backoff.until)}: ${backoff.why}`]] : []),
  ];
  for (const { since, reason } of attention) {
    head.push(["attention", `since ${moment(since)}: ${formatReason(reason)}`], ["", adviceOn(reason)]);
  }
  if (attention.length > 0) head.push(["repairs", repairCommands(name, repairs)]);
  const lines = entries.map((entry) =>
    "event" in entry
      ? formatReceived(entry.event)
      : formatOperation(entry.operation, spendingOf(subscription, entry.operation.change)),
  );
  return `${formatColumns(head)}\n\n${lines.join("\n")}`;
}

function formatReceived(event: ShownEvent): string {
  const { received, status, resolution } = event;
  const occurred =
    received.occurredAt === noTimestamp ? "occurred at an unknown time" : `occurred ${moment(received.occurredAt)}`;
  const reason = event.status === "applied" ? "" : `: ${event.reason}`;
  return [
    `${moment(received.receivedAt)}  event ${received.id}, ${received.type}, ${occurred}: ${formatStatus(status)}${reason}`,
    ...event.events.map((one) => `    ${formatEvent(one)}`),
    ...(resolution ? [`    ${resolution.as} at ${moment(resolution.at)}: ${resolution.why}`] : []),
  ].join("\n");
}

function formatOperation(operation: Operation, spending: string | undefined): string {
  const { n, change, why, claimedAt, before, attempt, observations, state, outcome, finishedAt, due, resolved } =
    operation;
  const lines = [`${moment(claimedAt)}  operation ${n}: ${describe(change)}, because ${why}`];
  if (spending) lines.push(`    ${spending}`);
  if (before.evidence) lines.push(`    before: ${before.evidence}`);
  if (attempt) {
    const { startedAt, endedAt, params, response } = attempt;
    lines.push(`    ${moment(startedAt)} called ${formatParameters(params)}`);
    lines.push(
      endedAt
        ? `    ${moment(endedAt)} ${wordsOf(attempt.outcome ?? "")}: ${response}`
        : "    no outcome of the call is recorded",
    );
  }
  for (const { at, verdict, evidence } of observations)
    lines.push(`    ${moment(at)} checked, ${wordsOf(verdict)}: ${evidence}`);
  if (resolved) lines.push(`    ${moment(resolved.at)} resolved by an operator: ${resolved.as}`);
  if (state === "finished")
    lines.push(`    ${finishedAt ? `${moment(finishedAt)} ` : ""}${wordsOf(outcome ?? "done")}`);
  else lines.push(`    ${state}${due ? `, next check at ${moment(due)}` : ""}`);
  return lines.join("\n");
}
