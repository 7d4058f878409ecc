import { UsageError } from "../../shared/command-line/usage-error.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import { keyNamed, unknownSubscription } from "../actions/dependencies.ts";
import { meaning, sayRepaired } from "../actions/format.ts";
import { latestOf, type Resolution, refuseStale, resolve, retry } from "../actions/repair.ts";
import { type Command, type Given, textOf } from "./command.ts";

export const retryCommand: Command = {
  takes: ["<subscription…>"],
  about: "clear what holds them up and wake them; always safe",
  help: "  While the outcome of a call is not known it looks again and does not call.",
  async run({ words: names, connect }) {
    const deps = await connect();
    const data: ReturnType<typeof dataOf>[] = [];
    const lines: string[] = [];
    for (const name of names) {
      const repaired = await retry(name, deps);
      data.push(dataOf(name, repaired));
      lines.push(textOfRepair(name, repaired));
    }
    return { data, text: lines.join("\n") };
  },
};

const resolutions = ["adopt", "never-bought", "done", "gone"] as const;

export const resolveCommand: Command = {
  takes: ["<subscription>"],
  about: "settle what only a person can find out",
  options: {
    adopt: { type: "string" },
    "never-bought": { type: "boolean" },
    done: { type: "boolean" },
    gone: { type: "string" },
    operation: { type: "string" },
  },
  help: `  --adopt ELID     that license is the one which was ordered; a reading has to confirm it
  --never-bought   the open order or prolong was never carried out: it may be made again
  --done           the open operation was carried out
  --gone ELID      somebody deleted that license in billmgr: its place is empty
  --operation N    the operation that you saw last: if it is another by now, nothing is changed`,
  async run(given) {
    const [name = ""] = given.words;
    const asked = resolutionIn(given);
    const deps = await given.connect();
    const { subscription } = (await deps.table.load(keyNamed("subscription", name))) ?? {};
    if (!subscription) throw unknownSubscription(keyNamed("subscription", name));
    const resolution = { operation: latestOf(subscription), ...asked };
    refuseStale(name, resolution, subscription);
    await given.confirm(meaning(name, resolution, subscription.operation));
    const repaired = await resolve(name, resolution, deps);
    return { data: dataOf(name, repaired), text: textOfRepair(name, repaired) };
  },
};

function resolutionIn(given: Given): Resolution {
  const [as, another] = resolutions.filter((name) => given.values[name] !== undefined);
  if (as === undefined || another !== undefined) {
    throw new UsageError(`resolve takes one of ${resolutions.map((name) => `--${name}`).join(", ")}`);
  }
  const operation = operationIn(textOf(given, "operation"));
  const response = as === "adopt" || as === "gone" ? { as, elid: textOf(given, as) ?? "" } : { as };
  return { ...response, ...(operation !== undefined && { operation }) };
}

function operationIn(text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,6}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(`--operation: found "${text}", expected the number that show tells`);
}

const dataOf = (name: string, { subscription, finished }: Repaired) => ({ name, subscription, finished });

const textOfRepair = (name: string, repaired: Repaired): string => sayRepaired(name, repaired).join("\n  ");
