import { type ParseArgsConfig, parseArgs } from "node:util";
import { suggest } from "../problems.ts";
import { UsageError } from "./usage-error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Parses command-line arguments. @throws UsageError with the problem, the likely option behind a mistyped one, and the usage */
export function readArguments<T extends Options>(args: string[], options: T, usage: string, allowPositionals = false) {
  try {
    return parseArgs({ args, options, allowPositionals });
  } catch (cause) {
    throw new UsageError(`${problemOf(cause, options)}\n${usage}`, { cause });
  }
}

function problemOf(error: unknown, options: Options): string {
  const message = error instanceof Error ? error.message : "";
  const name = /'--?([\w-]+)/.exec(message)?.[1];
  if (name === undefined) return message;
  const known = Object.keys(options);
  if (!known.includes(name)) return `--${name} is not an option${suggest(name, known)}`;
  return `--${name} ${options[name]?.type === "string" ? "needs a value" : "takes no value"}`;
}
