import { readFileSync } from "node:fs";

/** What a person gave is not as expected: said in its own words, without a stack trace. */
export class UsageError extends Error {
  override name = "Mistake";
}

/** @throws Mistake naming the file and each mistake in it */
export function readFile<T>(file: string, what: string, parse: (value: unknown) => T): T {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UsageError(`${what}: ${file} ${missing ? "does not exist" : "cannot be read"}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`${what}: ${file} is not JSON`);
  }
  try {
    return parse(value);
  } catch (error) {
    const problems = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${what}: ${file} has mistakes\n${problems.replace(/^/gm, "  ")}`);
  }
}

/** Runs a command; a mistake ends it with exit code 1 and nothing but what it says. */
export async function run(command: () => Promise<void> | void): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
