import { type ParseArgsConfig, parseArgs } from "node:util";
import { suggest } from "../problems.ts";
import { UsageError } from "./usage-error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/**
 * Reads a command's words.
 * @throws Mistake naming what is wrong, and the likely option behind a mistyped one; then the usage
 */
export function readArguments<T extends Options>(args: string[], options: T, usage: string, allowPositionals = false) {
  try {
    return parseArgs({ args, options, allowPositionals });
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    const word = /'--?([\w-]+)/.exec(message)?.[1];
    if (word === undefined) throw new UsageError(`${message}\n${usage}`);
    const known = Object.keys(options);
    const mistake = known.includes(word)
      ? `--${word} ${options[word]?.type === "string" ? "needs a value" : "takes no value"}`
      : `no such option --${word}${suggest(word, known)}`;
    throw new UsageError(`${mistake}\n${usage}`);
  }
}
