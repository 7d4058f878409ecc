/** `ops retry` and `ops resolve` */
import { UsageError } from "../../shared/command-line/usage-error.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import { keyNamed, unknownSubscription } from "../actions/dependencies.ts";
import { confirmResolution, reportRepair } from "../actions/format.ts";
import { latestOf, type Resolution, refuseStale, resolve, retry } from "../actions/repair.ts";
import { type Command, type Invocation, textOption } from "./command.ts";

export const retryCommand: Command = {
  parameters: ["<subscription…>"],
  summary: "clear attention and backoff, and process again; always safe",
  help: "  A call with an unknown outcome is checked again, not repeated.",
  async run({ positionals: names, connect }) {
    const deps = await connect();
    const data: ReturnType<typeof dataOf>[] = [];
    const lines: string[] = [];
    for (const name of names) {
      const repaired = await retry(name, deps);
      data.push(dataOf(name, repaired));
      lines.push(formatRepair(name, repaired));
    }
    return { data, text: lines.join("\n") };
  },
};

const resolutionNames = ["adopt", "never-bought", "done", "gone"] as const;

export const resolveCommand: Command = {
  parameters: ["<subscription>"],
  summary: "record what only a person can find out at billmgr",
  options: {
    adopt: { type: "string" },
    "never-bought": { type: "boolean" },
    done: { type: "boolean" },
    gone: { type: "string" },
    operation: { type: "string" },
  },
  help: `  --adopt ELID     this license is the one that was ordered; billmgr must confirm it
  --never-bought   the open order or prolong bought nothing; it may be made again
  --done           the open operation was carried out
  --gone ELID      this license was deleted in billmgr; its slot is empty
  --operation N    the latest operation that you saw; if it has changed, nothing is done`,
  async run(invocation) {
    const [name = ""] = invocation.positionals;
    const requested = parseResolution(invocation);
    const deps = await invocation.connect();
    const { subscription } = (await deps.table.load(keyNamed("subscription", name))) ?? {};
    if (!subscription) throw unknownSubscription(keyNamed("subscription", name));
    const resolution = { operation: latestOf(subscription), ...requested };
    refuseStale(name, resolution, subscription);
    await invocation.confirm(confirmResolution(name, resolution, subscription.operation));
    const repaired = await resolve(name, resolution, deps);
    return { data: dataOf(name, repaired), text: formatRepair(name, repaired) };
  },
};

function parseResolution(invocation: Invocation): Resolution {
  const [as, another] = resolutionNames.filter((name) => invocation.values[name] !== undefined);
  if (as === undefined || another !== undefined) {
    throw new UsageError(`resolve needs exactly one of ${resolutionNames.map((name) => `--${name}`).join(", ")}`);
  }
  const operation = parseOperation(textOption(invocation, "operation"));
  const resolution = as === "adopt" || as === "gone" ? { as, elid: textOption(invocation, as) ?? "" } : { as };
  return { ...resolution, ...(operation !== undefined && { operation }) };
}

function parseOperation(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`--operation: found "${text}", expected an operation number as printed by show`);
}

const dataOf = (name: string, { subscription, finished }: Repaired) => ({ name, subscription, finished });

const formatRepair = (name: string, repaired: Repaired): string => reportRepair(name, repaired).join("\n  ");
