/** `ops attention` */
import { type AttentionItem, type AttentionReport, attention } from "../actions/attention.ts";
import { count, moment } from "../actions/format.ts";
import type { Command } from "./command.ts";

export const attentionCommand: Command = {
  parameters: [],
  summary: "list what needs attention, oldest first, with the repairs that apply",
  async run({ connect }) {
    const report = await attention(await connect());
    return { data: report, text: formatReport(report) };
  },
};

function formatReport({ halt, balance, overdue, items }: AttentionReport): string {
  const lines: string[] = [];
  if (halt)
    lines.push(`ALL CALLS ARE HALTED since ${moment(halt.since)}: ${halt.reason}`, "  fix the cause, then: resume", "");
  if (balance?.low)
    lines.push(`THE BALANCE IS LOW: ${balance.amount} ${balance.currency} at ${moment(balance.at)}`, "");
  if (overdue) lines.push(`PROCESSING IS BEHIND: ${overdue.name} has been due since ${moment(overdue.since)}`, "");
  for (const item of items) {
    const customer = item.customer ? `  (${item.customer})` : "";
    lines.push(`${moment(item.since)}  ${item.kind === "event" ? "event " : ""}${item.name}${customer}`);
    lines.push(`  ${item.reason}`);
    if (item.advice) lines.push(`  ${item.advice}`);
    lines.push(`  repairs: ${repairCommands(item.name, item.repairs)}`, "");
  }
  lines.push(items.length === 0 ? "nothing needs attention" : count(items.length, "attention item"));
  return lines.join("\n");
}

/** The repairs as commands to copy. */
export const repairCommands = (name: string, repairs: readonly AttentionItem["repairs"][number][]): string =>
  repairs.map((repair) => repairCommand(name, repair)).join(" | ");

function repairCommand(name: string, repair: AttentionItem["repairs"][number]): string {
  if (repair === "retry" || repair === "replay") return `${repair} ${name}`;
  if (repair === "dismiss") return `dismiss ${name} REASON`;
  return `resolve ${name} --${repair}${repair === "adopt" || repair === "gone" ? " ELID" : ""}`;
}
