import { createInterface } from "node:readline/promises";
import { readArguments } from "../../shared/command-line/arguments.ts";
import { run, UsageError } from "../../shared/command-line/usage-error.ts";
import { suggest } from "../../shared/problems.ts";
import { attentionCommand } from "./attention.ts";
import type { Command, Given } from "./command.ts";
import { type Connection, connect } from "./connect.ts";
import { dismissCommand, replayCommand } from "./events.ts";
import { exportCommand } from "./export.ts";
import { findCommand } from "./find.ts";
import { haltCommand, resumeCommand } from "./halt.ts";
import { importCommand } from "./import.ts";
import { inWords } from "./operator-error.ts";
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

const common = {
  url: { type: "string", default: "http://127.0.0.1:3000" },
  stack: { type: "string" },
  region: { type: "string" },
  catalog: { type: "string" },
  json: { type: "boolean" },
  yes: { type: "boolean" },
  help: { type: "boolean" },
} as const;

const commonHelp = `  --url URL        where npm start listens (http://127.0.0.1:3000)
  --stack NAME     a deployed stack instead, with AWS's usual credentials
  --region REGION  where it is deployed, if not where those say
  --catalog FILE   the catalog as deployed (catalog.json)
  --json           prints data
  --yes            does not ask
  --help           tells about a command`;

const usage = `npm run ops -- <command> [options]
${Object.entries(commands)
  .map(([name, { takes, about }]) => `  ${[name, ...takes].join(" ").padEnd(42)} ${about}`)
  .join("\n")}
A subscription or event is named by its storefront and id: stripe/sub_1.
options:
${commonHelp}`;

async function main(args: string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "help") return console.log(usage);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const mistake = name.startsWith("-") ? "the command comes first" : `no such command "${name}"`;
    throw new UsageError(`${mistake}${suggest(name, Object.keys(commands), "")}\n${usage}`);
  }
  const ownUsage = usageOf(name, command);
  const { values, positionals } = readArguments(rest, { ...common, ...command.options }, ownUsage, true);
  if (values.help) return console.log(ownUsage);
  checkWords(positionals, command, ownUsage);
  if (!URL.canParse(String(values.url))) throw new UsageError(`--url: found "${values.url}", expected an address`);

  const open: Connection[] = [];
  try {
    const outcome = await command.run({
      words: positionals,
      values,
      connect: async () => {
        const connection = await connect(values);
        open.push(connection);
        return connection;
      },
      confirm: (what) => confirm(what, values.yes === true),
      progress,
    });
    if (outcome) console.log(values.json ? JSON.stringify(outcome.data, null, 2) : outcome.text);
    if (outcome?.failed) process.exitCode = 1;
  } catch (error) {
    throw inWords(error);
  } finally {
    for (const connection of open) connection.close();
  }
}

const usageOf = (name: string, { takes, about, help }: Command): string =>
  `npm run ops -- ${[name, ...takes].join(" ")} [options]\n  ${about}\n${help ? `${help}\n` : ""}${commonHelp}`;

function checkWords(words: readonly string[], { takes }: Command, ownUsage: string): void {
  const needed = takes.filter((word) => word.startsWith("<"));
  const missing = needed[words.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing\n${ownUsage}`);
  const endless = takes.at(-1)?.includes("…");
  const surplus = endless ? undefined : words[takes.length];
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is one word too many\n${ownUsage}`);
}

async function confirm(what: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new UsageError(`${what}\nThis asks first, and there is no terminal to ask at: say --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${what}\nGo on? [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError("nothing was done");
}

const progress: Given["progress"] = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}\r`);
};

await run(() => main(process.argv.slice(2)));
