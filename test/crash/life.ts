import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LocalAws } from "../../shared/aws/local-parts.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";

/** The configuration of the process, as plain JSON. */
export type ProcessConfig = {
  aws: LocalAws;
  table: { endpoint: string; name: string };
  queue: { endpoint: string; url: string };
  secrets: string;
  bus: string;
  billmgr: string;
  catalog: Catalog;
  /** The offset of the local clock from real time, in milliseconds. */
  clockOffset: number;
};

export type Life = {
  url: string;
  /** Aborted when the process ends. */
  over: AbortSignal;
  /** Kills the process immediately. */
  kill: () => void;
  ended: Promise<unknown>;
};

/** Starts the functions in their own process. @throws if it ends before it listens */
export async function live(config: ProcessConfig): Promise<Life> {
  const program = fileURLToPath(new URL("functions.ts", import.meta.url));
  const child = fork(program, [JSON.stringify(config)], { execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  // Only the canary reads the log. Errors are shown.
  child.stdout?.resume();
  child.stderr?.pipe(process.stderr, { end: false });
  const over = new AbortController();
  const ended = once(child, "exit").then(() => over.abort());
  const [ready] = (await Promise.race([once(child, "message"), ended])) ?? [];
  if (!ready) throw new Error("the functions ended before they listened");
  return { url: (ready as { url: string }).url, over: over.signal, kill: () => child.kill("SIGKILL"), ended };
}
