/** `ops preview` */
import { readFile, UsageError } from "../../shared/command-line/usage-error.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { formatDecision, formatParameters } from "../actions/format.ts";
import { type Preview, preview } from "../actions/preview.ts";
import { type Command, type Invocation, textOption } from "./command.ts";

export const previewCommand: Command = {
  parameters: ["<event.json>"],
  summary: "show the calls that a webhook would cause, without making them",
  options: {
    storefront: { type: "string", default: "standard" },
    header: { type: "string", multiple: true },
    at: { type: "string" },
  },
  help: `  --storefront NAME      the storefront that sends this body (standard)
  --header "name: value" a header of the webhook; may be repeated
  --at ISO-TIME          the time of the webhook (now)`,
  async run(invocation) {
    const [file = ""] = invocation.positionals;
    const body = readFile(file, "event", (value) => value);
    const deps = await invocation.connect();
    const webhook = { storefront: textOption(invocation, "storefront") ?? "", body, headers: parseHeaders(invocation) };
    const previews = await preview(webhook, parseTime(invocation) ?? toInstant(deps.now()), deps);
    return { data: previews, text: previews.map(formatPreview).join("\n\n") };
  },
};

function parseHeaders({ values }: Invocation): Record<string, string> {
  const lines = Array.isArray(values.header) ? values.header.map(String) : [];
  const headers = lines.map((line) => {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`--header: found "${line}", expected "name: value"`);
    return [name.toLowerCase(), value];
  });
  return { "webhook-id": "preview", ...Object.fromEntries(headers) };
}

function parseTime(invocation: Invocation): string | undefined {
  const text = textOption(invocation, "at");
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new UsageError(`--at: found "${text}", expected an ISO 8601 time such as 2027-01-31T09:00:00Z`);
  return toInstant(time);
}

function formatPreview(previewed: Preview): string {
  const head = `event ${previewed.event}, ${previewed.type}`;
  if ("nothing" in previewed) return `${head}: ${previewed.nothing}`;
  const lines = [`${head}, for ${previewed.subscription}${previewed.known ? "" : " (new)"}`];
  for (const { what, why, params } of previewed.changes)
    lines.push(`  ${what}, because ${why}`, `    ${formatParameters(params)}`);
  if (previewed.changes.length === 0) lines.push("  no call");
  lines.push(`  then: ${formatDecision(previewed.next)}`);
  return lines.join("\n");
}
