/** The command line of `npm run ops`. */
import { createInterface } from "node:readline/promises";
import { readArguments } from "../../shared/command-line/arguments.ts";
import { run, UsageError } from "../../shared/command-line/usage-error.ts";
import { suggest } from "../../shared/problems.ts";
import { attentionCommand } from "./attention.ts";
import type { Command, Invocation } from "./command.ts";
import { type Connection, connect } from "./connect.ts";
import { dismissCommand, replayCommand } from "./events.ts";
import { exportCommand } from "./export.ts";
import { findCommand } from "./find.ts";
import { haltCommand, resumeCommand } from "./halt.ts";
import { importCommand } from "./import.ts";
import { toUsageError } from "./operator-error.ts";
import { previewCommand } from "./preview.ts";
import { probeCommand } from "./probe.ts";
import { reconcileCommand } from "./reconcile.ts";
import { resolveCommand, retryCommand } from "./repair.ts";
import { showCommand } from "./show.ts";

const commands: Record<string, Command> = {
  attention: attentionCommand,
  find: findCommand,
  show: showCommand,
  retry: retryCommand,
  resolve: resolveCommand,
  replay: replayCommand,
  dismiss: dismissCommand,
  halt: haltCommand,
  resume: resumeCommand,
  preview: previewCommand,
  reconcile: reconcileCommand,
  probe: probeCommand,
  export: exportCommand,
  import: importCommand,
};

const commonOptions = {
  url: { type: "string", default: "http://127.0.0.1:3000" },
  stack: { type: "string" },
  region: { type: "string" },
  catalog: { type: "string" },
  json: { type: "boolean" },
  yes: { type: "boolean" },
  help: { type: "boolean" },
} as const;

const commonHelp = `  --url URL        address of a local system (http://127.0.0.1:3000)
  --stack NAME     use a deployed stack, with the usual AWS credentials
  --region REGION  AWS region of the stack, if different from the configured one
  --catalog FILE   catalog of the stack, as deployed (catalog.json)
  --json           print JSON
  --yes            do not ask for confirmation
  --help           show this help`;

const usage = `npm run ops -- <command> [options]
${Object.entries(commands)
  .map(([name, { parameters, summary }]) => `  ${[name, ...parameters].join(" ").padEnd(42)} ${summary}`)
  .join("\n")}
A subscription or event is named by its storefront and id, for example stripe/sub_1.
Options of every command:
${commonHelp}`;

async function main(args: string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "help") return console.log(usage);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const problem = name.startsWith("-")
      ? `found "${name}"; the command comes first`
      : `no such command "${name}"${suggest(name, Object.keys(commands), "")}`;
    throw new UsageError(`${problem}\n${helpHint()}`);
  }
  const { values, positionals } = readArguments(rest, { ...commonOptions, ...command.options }, helpHint(name), true);
  if (values.help) return console.log(usageOf(name, command));
  checkPositionals(positionals, name, command);
  if (!URL.canParse(String(values.url))) throw new UsageError(`--url: found "${values.url}", expected an address`);

  const connections: Connection[] = [];
  try {
    const result = await command.run({
      positionals,
      values,
      connect: async () => {
        const connection = await connect(values);
        connections.push(connection);
        return connection;
      },
      confirm: (text) => confirm(text, values.yes === true),
      progress,
    });
    if (result) console.log(values.json ? JSON.stringify(result.data, null, 2) : result.text);
    if (result?.failed) process.exitCode = 1;
  } catch (error) {
    throw toUsageError(error);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** A complete usage text would scroll the error off the screen. */
const helpHint = (name?: string): string => `see: npm run ops -- ${name === undefined ? "" : `${name} `}--help`;

const usageOf = (name: string, { parameters, summary, help }: Command): string =>
  `npm run ops -- ${[name, ...parameters].join(" ")} [options]\n  ${summary}\n${help ? `${help}\n` : ""}${commonHelp}`;

function checkPositionals(positionals: readonly string[], name: string, { parameters }: Command): void {
  const required = parameters.filter((parameter) => parameter.startsWith("<"));
  const missing = required[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing\n${helpHint(name)}`);
  const isVariadic = parameters.at(-1)?.includes("…");
  const surplus = isVariadic ? undefined : positionals[parameters.length];
  if (surplus !== undefined) throw new UsageError(`unexpected argument "${surplus}"\n${helpHint(name)}`);
}

async function confirm(text: string, isConfirmed: boolean): Promise<void> {
  if (isConfirmed) return;
  if (!process.stdin.isTTY)
    throw new UsageError(`${text}\nConfirmation required, but stdin is not a terminal. Pass --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${text}\nContinue? [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError("Canceled. Nothing was changed.");
}

const progress: Invocation["progress"] = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}\r`);
};

await run(() => main(process.argv.slice(2)));
