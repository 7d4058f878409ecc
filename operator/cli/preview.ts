import { readFile, UsageError } from "../../shared/command-line/usage-error.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { parameters, sayDecision } from "../actions/format.ts";
import { type Preview, preview } from "../actions/preview.ts";
import { type Command, type Given, textOf } from "./command.ts";

export const previewCommand: Command = {
  takes: ["<event.json>"],
  about: "what would be called if this webhook came; nothing is done",
  options: {
    storefront: { type: "string", default: "standard" },
    header: { type: "string", multiple: true },
    at: { type: "string" },
  },
  help: `  --storefront NAME      whose webhook the file holds: its body (standard)
  --header "name: value" one that the storefront tells something in
  --at ISO-TIME          when it would come (now)`,
  async run(given) {
    const [file = ""] = given.words;
    const body = readFile(file, "event", (value) => value);
    const deps = await given.connect();
    const webhook = { storefront: textOf(given, "storefront") ?? "", body, headers: headersIn(given) };
    const previews = await preview(webhook, momentIn(given) ?? toInstant(deps.now()), deps);
    return { data: previews, text: previews.map(textOfPreview).join("\n\n") };
  },
};

function headersIn({ values }: Given): Record<string, string> {
  const lines = Array.isArray(values.header) ? values.header.map(String) : [];
  const headers = lines.map((line) => {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`--header: found "${line}", expected "name: value"`);
    return [name.toLowerCase(), value];
  });
  return { "webhook-id": "preview", ...Object.fromEntries(headers) };
}

function momentIn(given: Given): string | undefined {
  const text = textOf(given, "at");
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new UsageError(`--at: found "${text}", expected an ISO 8601 time such as 2027-01-31T09:00:00Z`);
  return toInstant(time);
}

function textOfPreview(one: Preview): string {
  const head = `event ${one.event}, ${one.type}`;
  if ("nothing" in one) return `${head}: ${one.nothing}`;
  const lines = [`${head}, of ${one.subscription}${one.known ? "" : ", which is new"}`];
  for (const { what, why, params } of one.changes) lines.push(`  ${what}, because ${why}`, `    ${parameters(params)}`);
  if (one.changes.length === 0) lines.push("  no call");
  lines.push(`  then: ${sayDecision(one.next)}`);
  return lines.join("\n");
}
