/** `ops export` */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { UsageError } from "../../shared/command-line/usage-error.ts";
import { exportLines } from "../actions/export.ts";
import { count } from "../actions/format.ts";
import { type Command, textOption } from "./command.ts";

export const exportCommand: Command = {
  parameters: [],
  summary: "export all subscriptions with their events and operations as JSON lines",
  options: { out: { type: "string" } },
  help: "  --out FILE       write to a new file instead of the terminal",
  async run(invocation) {
    const deps = await invocation.connect();
    const file = textOption(invocation, "out");
    const from = textOption(invocation, "stack") ?? textOption(invocation, "url") ?? "";
    let written = 0;
    async function* lines() {
      for await (const line of exportLines(from, deps)) {
        yield `${JSON.stringify(line)}\n`;
        if (++written % 1000 === 0) invocation.progress(count(written, "line"));
      }
    }
    // The file contains customer data: only its owner may read it.
    const out = file === undefined ? process.stdout : createWriteStream(file, { flags: "wx", mode: 0o600 });
    await pipeline(lines, out, { end: file !== undefined }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return;
      throw file !== undefined && error.path === file ? new UsageError(describeFileError(error, file)) : error;
    });
    return file === undefined
      ? undefined
      : { data: { file, lines: written }, text: `wrote ${count(written, "line")} to ${file}` };
  },
};

const describeFileError = ({ code, message }: NodeJS.ErrnoException, file: string): string =>
  code === "EEXIST" ? `--out: ${file} already exists; choose another name` : `--out: ${message}`;
