import type { Catalog } from "../../shared/licensing/catalog.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import { Unfit } from "../../shared/licensing/repair.ts";
import { dayOf, untold } from "../../shared/licensing/time.ts";
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
import { type Chapter, type ShownEvent, type Story, show, showEvent } from "../actions/show.ts";
import { fitting } from "./attention.ts";
import type { Command } from "./command.ts";
import { columns } from "./text.ts";

export const showCommand: Command = {
  takes: ["<subscription or event>"],
  about: "its whole story; or what an event of no subscription said",
  async run({ words: [name = ""], connect }) {
    const world = await connect();
    const story = await show(name, world);
    if (story) return { data: story, text: textOfStory(story, world.catalog) };
    const events = await showEvent(name, world);
    if (events.length === 0) throw new Unfit(`neither a subscription nor an event ${name} is known`);
    const text = events.map(({ body, ...event }) => `${lineOfEvent(event)}\n\n${pretty(body)}`).join("\n\n");
    return { data: events, text };
  },
};

function textOfStory(
  { name, at, subscription, entitled, chapters, next, agenda, repairs }: Story,
  catalog: Catalog,
): string {
  const { attention, pause } = subscription;
  const head: string[][] = [
    ["subscription", [name, ...customerOf(subscription)].join(", ")],
    ["sold", soldOf(subscription, catalog)],
    ["entitled", entitlementOf(entitled)],
    ...subscription.slots.map((slot) => [`license ${slot.n}`, licenseOf(slot, dayOf(at))]),
    ["next", sayDecision(next)],
    ...(agenda && "due" in agenda ? [["looks again", moment(agenda.due)]] : []),
    ...(pause ? [["paused", `until ${moment(pause.until)}: ${pause.why}`]] : []),
  ];
  if (agenda && "attention" in agenda) {
    head.push(["needs a person", `since ${moment(agenda.attention)}: ${agenda.reason}`]);
    head.push(["fits", fitting(name, repairs)]);
  } else if (attention) head.push(["needs a person", attention.reason]);
  return `${columns(head)}\n\n${chapters.map(textOfChapter).join("\n")}`;
}

const textOfChapter = (chapter: Chapter): string =>
  "event" in chapter ? lineOfEvent(chapter.event) : textOfOperation(chapter.operation);

function lineOfEvent(event: ShownEvent): string {
  const { received, became, settled } = event;
  const when = received.occurredAt === untold ? "a time that it does not tell" : moment(received.occurredAt);
  const head = `${moment(received.receivedAt)}  event ${received.id}, ${received.type}, of ${when}`;
  const why = event.became === "folded" ? "" : `: ${event.reason}`;
  return [
    `${head}: ${became}${why}`,
    ...event.events.map((one) => `    ${sayEvent(one)}`),
    ...(settled ? [`    ${settled.as} at ${moment(settled.at)}: ${settled.why}`] : []),
  ].join("\n");
}

function textOfOperation(operation: Operation): string {
  const { n, change, why, claimedAt, before, attempt, looks, state, outcome, finishedAt, due, resolved } = operation;
  const lines = [`${moment(claimedAt)}  operation ${n}: ${describe(change)}, because ${why}`];
  if (before.saw) lines.push(`    before: ${before.saw}`);
  if (attempt) {
    const { startedAt, endedAt, params, said } = attempt;
    lines.push(`    ${moment(startedAt)} called ${parameters(params)}`);
    lines.push(
      endedAt ? `    ${moment(endedAt)} ${attempt.outcome}: ${said}` : "    no outcome of the call is recorded",
    );
  }
  for (const { at, verdict, saw } of looks) lines.push(`    ${moment(at)} looked, ${verdict}: ${saw}`);
  if (resolved) lines.push(`    ${moment(resolved.at)} an operator: ${resolved.as}`);
  const last = finishedAt ? `${moment(finishedAt)} ` : "";
  lines.push(
    `    ${last}${state === "finished" ? `${outcome}` : `${state}${due ? `, looked at ${moment(due)}` : ""}`}`,
  );
  return lines.join("\n");
}
