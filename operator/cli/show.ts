import { PreconditionFailed } from "../../shared/errors.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import { dayOf, noTimestamp } from "../../shared/licensing/time.ts";
import {
  customerOf,
  entitlementOf,
  licenseOf,
  moment,
  parameters,
  pretty,
  sayDecision,
  sayEvent,
  soldOf,
} from "../actions/format.ts";
import { type History, type HistoryEntry, type ShownEvent, show, showEvent } from "../actions/show.ts";
import { fitting } from "./attention.ts";
import type { Command } from "./command.ts";
import { columns } from "./text.ts";

export const showCommand: Command = {
  takes: ["<subscription or event>"],
  about: "its whole story; or what an event of no subscription said",
  async run({ words: [name = ""], connect }) {
    const deps = await connect();
    const story = await show(name, deps);
    if (story) return { data: story, text: textOfStory(story, deps.catalog) };
    const events = await showEvent(name, deps);
    if (events.length === 0) throw new PreconditionFailed(`neither a subscription nor an event ${name} is known`);
    const text = events.map(({ body, ...event }) => `${lineOfEvent(event)}\n\n${pretty(body)}`).join("\n\n");
    return { data: events, text };
  },
};

function textOfStory(
  { name, at, subscription, entitled, entries, next, agenda, repairs }: History,
  catalog: Catalog,
): string {
  const { attention, backoff } = subscription;
  const head: string[][] = [
    ["subscription", [name, ...customerOf(subscription)].join(", ")],
    ["sold", soldOf(subscription, catalog)],
    ["entitled", entitlementOf(entitled)],
    ...subscription.slots.map((slot) => [`license ${slot.n}`, licenseOf(slot, dayOf(at))]),
    ["next", sayDecision(next)],
    ...(agenda && "due" in agenda ? [["looks again", moment(agenda.due)]] : []),
    ...(backoff ? [["paused", `until ${moment(backoff.until)}: ${backoff.why}`]] : []),
  ];
  if (agenda && "attention" in agenda) {
    head.push(["needs a person", `since ${moment(agenda.attention)}: ${agenda.reason}`]);
    head.push(["fits", fitting(name, repairs)]);
  } else if (attention) head.push(["needs a person", attention.reason]);
  return `${columns(head)}\n\n${entries.map(textOfChapter).join("\n")}`;
}

const textOfChapter = (chapter: HistoryEntry): string =>
  "event" in chapter ? lineOfEvent(chapter.event) : textOfOperation(chapter.operation);

function lineOfEvent(event: ShownEvent): string {
  const { received, status, resolution } = event;
  const when = received.occurredAt === noTimestamp ? "a time that it does not tell" : moment(received.occurredAt);
  const head = `${moment(received.receivedAt)}  event ${received.id}, ${received.type}, of ${when}`;
  const why = event.status === "applied" ? "" : `: ${event.reason}`;
  return [
    `${head}: ${status}${why}`,
    ...event.events.map((one) => `    ${sayEvent(one)}`),
    ...(resolution ? [`    ${resolution.as} at ${moment(resolution.at)}: ${resolution.why}`] : []),
  ].join("\n");
}

function textOfOperation(operation: Operation): string {
  const { n, change, why, claimedAt, before, attempt, observations, state, outcome, finishedAt, due, resolved } =
    operation;
  const lines = [`${moment(claimedAt)}  operation ${n}: ${describe(change)}, because ${why}`];
  if (before.evidence) lines.push(`    before: ${before.evidence}`);
  if (attempt) {
    const { startedAt, endedAt, params, response } = attempt;
    lines.push(`    ${moment(startedAt)} called ${parameters(params)}`);
    lines.push(
      endedAt ? `    ${moment(endedAt)} ${attempt.outcome}: ${response}` : "    no outcome of the call is recorded",
    );
  }
  for (const { at, verdict, evidence } of observations) lines.push(`    ${moment(at)} looked, ${verdict}: ${evidence}`);
  if (resolved) lines.push(`    ${moment(resolved.at)} an operator: ${resolved.as}`);
  const last = finishedAt ? `${moment(finishedAt)} ` : "";
  lines.push(
    `    ${last}${state === "finished" ? `${outcome}` : `${state}${due ? `, looked at ${moment(due)}` : ""}`}`,
  );
  return lines.join("\n");
}
