import { type AttentionItem, type AttentionReport, attention } from "../actions/attention.ts";
import { count, moment } from "../actions/format.ts";
import type { Command } from "./command.ts";

export const attentionCommand: Command = {
  takes: [],
  about: "what needs a person, longest first, and the repairs that fit",
  async run({ connect }) {
    const found = await attention(await connect());
    return { data: found, text: textOf(found) };
  },
};

function textOf({ halt, balance, overdue, items }: AttentionReport): string {
  const lines: string[] = [];
  if (halt)
    lines.push(`ALL CALLS ARE HALTED since ${moment(halt.since)}: ${halt.reason}`, "  mend it, then: resume", "");
  if (balance?.low)
    lines.push(`THE BALANCE IS LOW: ${balance.amount} ${balance.currency} at ${moment(balance.at)}`, "");
  if (overdue) lines.push(`THE FUNCTIONS ARE BEHIND: ${overdue.name} has been due since ${moment(overdue.since)}`, "");
  for (const one of items) {
    const who = one.customer ? `  (${one.customer})` : "";
    lines.push(`${moment(one.since)}  ${one.kind === "event" ? "event " : ""}${one.name}${who}`, `  ${one.reason}`);
    if (one.advice) lines.push(`  ${one.advice}`);
    lines.push(`  fits: ${one.repairs.map((repair) => commandOf(one, repair)).join(" | ")}`, "");
  }
  lines.push(items.length === 0 ? "nothing needs a person" : `${count(items.length, "case")} for a person`);
  return lines.join("\n");
}

const commandOf = ({ name }: Pick<AttentionItem, "name">, repair: string): string => {
  if (repair === "retry" || repair === "replay") return `${repair} ${name}`;
  if (repair === "dismiss") return `dismiss ${name} REASON`;
  return `resolve ${name} --${repair}${repair === "adopt" || repair === "gone" ? " ELID" : ""}`;
};

/** The repairs that fit a subscription, as commands. */
export const fitting = (name: string, repairs: readonly string[]): string =>
  repairs.map((repair) => commandOf({ name }, repair)).join(" | ");
