import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LocalAws } from "../../shared/aws/local-parts.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";

/** Where the process finds what it needs; plain JSON. */
export type Told = {
  aws: LocalAws;
  table: { endpoint: string; name: string };
  queue: { endpoint: string; url: string };
  secrets: string;
  bus: string;
  billmgr: string;
  catalog: Catalog;
  /** Milliseconds of the local clock before the real one. */
  clockOffset: number;
};

export type Life = {
  url: string;
  /** Aborted once it is over. */
  over: AbortSignal;
  /** At once, whatever it is at. */
  kill: () => void;
  ended: Promise<unknown>;
};

/** Starts the functions in a process of their own. @throws when it ends before it listens */
export async function live(told: Told): Promise<Life> {
  const program = fileURLToPath(new URL("functions.ts", import.meta.url));
  const child = fork(program, [JSON.stringify(told)], { execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  // Nobody reads its log but the canary; what it dies of is shown.
  child.stdout?.resume();
  child.stderr?.pipe(process.stderr, { end: false });
  const over = new AbortController();
  const ended = once(child, "exit").then(() => over.abort());
  const [ready] = (await Promise.race([once(child, "message"), ended])) ?? [];
  if (!ready) throw new Error("the functions ended before they listened");
  return { url: (ready as { url: string }).url, over: over.signal, kill: () => child.kill("SIGKILL"), ended };
}
