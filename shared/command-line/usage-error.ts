import { readFileSync } from "node:fs";
import { ExpectedError } from "../errors.ts";
import { formatProblem, InvalidDocument } from "../problems.ts";
import { lineAndColumn, offsetAt, scanJson } from "./json-positions.ts";

/** Invalid user input. It is printed without a stack trace. */
export class UsageError extends ExpectedError {
  override name = "UsageError";
  readonly code = "usage";
}

/**
 * Reads a JSON file and parses its content.
 * @param what names the content in errors, such as "catalog"
 * @throws UsageError with the file, line, and column of each problem
 */
export function readFile<T>(file: string, what: string, parse: (value: unknown) => T): T {
  const text = readText(file, what);
  const positions = scanJson(text);
  const at = (offset: number): string => `${file}:${lineAndColumn(text, offset)}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the text, which may be a secret, so it is not kept as the cause either.
    const { errorOffset } = positions;
    throw new UsageError(`${errorOffset === undefined ? file : at(errorOffset)}: the ${what} file is not valid JSON`);
  }
  try {
    return parse(value);
  } catch (cause) {
    if (!(cause instanceof InvalidDocument)) throw cause;
    const lines = cause.problems.map(
      (problem) => `${at(offsetAt(positions, problem.path))}: ${formatProblem(problem)}`,
    );
    throw new UsageError(lines.join("\n"), { cause });
  }
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const problem = missing ? "does not exist" : "cannot be read";
    throw new UsageError(`${file} ${problem}; expected the ${what} file`, { cause });
  }
}

/** Runs a command. A UsageError ends it with exit code 1 and prints only the message. */
export async function run(command: () => Promise<void> | void): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
