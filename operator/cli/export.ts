import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { UsageError } from "../../shared/command-line/usage-error.ts";
import { exported } from "../actions/export.ts";
import { count } from "../actions/format.ts";
import { type Command, textOf } from "./command.ts";

export const exportCommand: Command = {
  takes: [],
  about: "all subscriptions with their events and operations, as JSON lines",
  options: { out: { type: "string" } },
  help: "  --out FILE       writes them there, where nothing may be yet; without it they are printed",
  async run(given) {
    const deps = await given.connect();
    const file = textOf(given, "out");
    const from = textOf(given, "stack") ?? textOf(given, "url") ?? "";
    let written = 0;
    async function* lines() {
      for await (const line of exported(from, deps)) {
        yield `${JSON.stringify(line)}\n`;
        if (++written % 1000 === 0) given.progress(count(written, "line"));
      }
    }
    // It holds customers' data.
    const out = file === undefined ? process.stdout : createWriteStream(file, { flags: "wx", mode: 0o600 });
    await pipeline(lines, out, { end: file !== undefined }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") return;
      throw file !== undefined && error.path === file ? new UsageError(`--out: ${sayError(error, file)}`) : error;
    });
    return file === undefined
      ? undefined
      : { data: { file, lines: written }, text: `${count(written, "line")} in ${file}` };
  },
};

const sayError = ({ code, message }: NodeJS.ErrnoException, file: string): string =>
  code === "EEXIST" ? `${file} is there already` : message;
