import { type Chapter, type ShownEvent, type Story, show, showEvent } from "../../functions/ops/show.ts";
import type { Event } from "../../shared/licensing/event.ts";
import type { Decision } from "../../shared/licensing/next.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import { Unfit } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { untold } from "../../shared/licensing/time.ts";
import { fitting } from "./attention.ts";
import type { Command } from "./command.ts";
import { columns, moment, parameters } from "./text.ts";

export const showCommand: Command = {
  takes: ["<subscription or event>"],
  about: "its whole story; or what an event of no subscription said",
  async run({ words: [name = ""], connect }) {
    const world = await connect();
    const story = await show(name, world);
    if (story) return { data: story, text: textOfStory(story) };
    const events = await showEvent(name, world);
    if (events.length === 0) throw new Unfit(`neither a subscription nor an event ${name} is known`);
    const text = events.map(({ body, ...event }) => `${lineOfEvent(event)}\n\n${pretty(body)}`).join("\n\n");
    return { data: events, text };
  },
};

function textOfStory({ name, subscription, entitled, chapters, next, agenda, repairs }: Story): string {
  const { attention, pause } = subscription;
  const head: string[][] = [
    ["subscription", [name, ...customerOf(subscription)].join(", ")],
    [
      "sold",
      subscription.items?.value.map(({ names, quantity }) => `${quantity ?? 1} × ${names[0]}`).join(", ") ?? "not told",
    ],
    ["entitled", entitlementOf(entitled)],
    ...subscription.slots.map((slot) => [`license ${slot.n}`, licenseOf(slot)]),
    ["next", sayDecision(next)],
    ...(agenda && "due" in agenda ? [["looked at", moment(agenda.due)]] : []),
    ...(pause ? [["paused", `until ${moment(pause.until)}: ${pause.why}`]] : []),
  ];
  if (agenda && "attention" in agenda) {
    head.push(["needs a person", `since ${moment(agenda.attention)}: ${agenda.reason}`]);
    head.push(["fits", fitting(name, repairs)]);
  } else if (attention) head.push(["needs a person", attention.reason]);
  return `${columns(head)}\n\n${chapters.map(textOfChapter).join("\n")}`;
}

const customerOf = ({ customerId, email }: Subscription): string[] => [
  ...(customerId ? [`customer ${customerId.value}`] : []),
  ...(email ? [email.value] : []),
];

function entitlementOf({ through, ended, withheld, setToEnd, until }: Story["entitled"]): string {
  if (ended) return `ended ${moment(ended)}`;
  const paid = through ? `paid through ${moment(through)}` : "nothing is paid";
  const more = withheld ? `, withheld: ${withheld.replace("_", " ")}` : "";
  return `${paid}${setToEnd && until ? `, set to end ${moment(until)}` : ""}${more}`;
}

function licenseOf({ generation, plan, license }: Subscription["slots"][number]): string {
  if (!license) return `none, of ${plan}${generation > 1 ? ` (generation ${generation})` : ""}`;
  const { elid, expiry, suspended, trial, addons } = license;
  const shown = Object.entries(addons).map(([code, value]) => `addon ${code} = ${value}`);
  const states = [
    trial ? "trial" : "",
    suspended ? "suspended" : expiry ? "active" : "not seen active yet",
    expiry ? `until ${expiry}` : "expiry not read",
  ];
  return [elid, plan, ...states.filter(Boolean), ...shown].join(", ");
}

export function sayDecision(decision: Decision): string {
  switch (decision.do) {
    case "look":
      return "find out by reading what the open operation did";
    case "change":
      return `${describe(decision.change)}, because ${decision.why}`;
    case "wait":
      return `wait until ${moment(decision.until)}: ${decision.why}`;
    case "settled":
      return decision.until === undefined ? "nothing" : `nothing before ${moment(decision.until)}`;
    case "attention":
      return `nothing without a person: ${decision.reason}`;
  }
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

function sayEvent(event: Event): string {
  const payment = "payment" in event && event.payment ? ` ${event.payment}` : "";
  const covers = event.type === "payment.succeeded" ? ` ${sayCovers(event.covers)}` : "";
  const items = event.items?.list.map(({ names, quantity }) => `${quantity ?? 1} × ${names[0]}`).join(", ");
  return `${event.type}${payment}${covers}${items ? `: ${items}` : ""}`;
}

function sayCovers(covers: (Event & { type: "payment.succeeded" })["covers"]): string {
  if ("through" in covers) return `through ${moment(covers.through)}`;
  if ("months" in covers) return `for ${covers.months} months`;
  if ("periodFrom" in covers) return `for the period from ${moment(covers.periodFrom)}`;
  return `for ${covers.intervals} intervals`;
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

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
