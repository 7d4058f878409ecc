import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Comparison, compare } from "../baseline/compare.ts";
import { type Report, run } from "./run.ts";
import { Summary } from "./summary.ts";

const usage = "npm run simulate -- [--seeds 1000] [--from 1] [--threads 2] | --seed N [--trace]";

/** Of so many seeds one buys the usual way too: that takes as long as the rest of it. */
const comparedEvery = 10;

type Share = { from: number; seeds: number; step: number };
type Told = { report: Report } | { comparison: Comparison };

/** Runs every `step`th seed, and tells of each. */
async function work({ from, seeds, step }: Share, tell: (told: Told) => void): Promise<void> {
  for (let seed = from; seed < from + seeds; seed += step) {
    tell({ report: await run(seed) });
    if ((seed - from) % (comparedEvery * step) < step) tell({ comparison: await compare(seed) });
  }
}

async function many(from: number, seeds: number, threads: number): Promise<Summary> {
  const summary = new Summary();
  const began = performance.now();
  const workers = Array.from({ length: threads }, (_, i) => {
    const data: Share = { from: from + i, seeds: seeds - i, step: threads };
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    return new Promise<void>((resolve, reject) => {
      worker.on("message", (told: Told) => {
        if ("report" in told) summary.add(told.report);
        else summary.compare(told.comparison);
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve());
    });
  });
  await Promise.all(workers);
  print(summary, began);
  return summary;
}

async function one(seed: number, trace: boolean): Promise<Summary> {
  const summary = new Summary();
  const began = performance.now();
  summary.add(await run(seed, trace ? { trace: console.log } : {}));
  print(summary, began);
  return summary;
}

function print(summary: Summary, began: number): void {
  for (const line of summary.lines((performance.now() - began) / 1000)) console.log(line);
}

function numberIn(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`"${text}" is no whole number: ${usage}`);
  return Number(text);
}

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      threads: { type: "string", default: "2" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
    },
  });
  const summary = values.seed
    ? await one(numberIn(values.seed), values.trace)
    : await many(numberIn(values.from), numberIn(values.seeds), numberIn(values.threads));
  process.exitCode = summary.failures.length > 0 ? 1 : 0;
} else {
  await work(workerData as Share, (told) => parentPort?.postMessage(told));
  // Whoever died while it read left a timer of its three minutes.
  process.exit();
}
