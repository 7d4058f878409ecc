import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Comparison, compare } from "../baseline/compare.ts";
import { type Report, run } from "./run.ts";
import { failureOf, Summary } from "./summary.ts";

const usage = "npm run simulate -- [--seeds 1000] [--from 1] [--threads 2] | --seed N [--trace]";

/** One of this many seeds also runs the comparison with the usual way. */
const comparedEvery = 50;
const progressMs = 15_000;

type Share = { from: number; seeds: number; step: number };
type Found = { report: Report } | { comparison: Comparison };

/** Runs every `step`th seed, and reports each. */
async function work({ from, seeds, step }: Share, report: (found: Found) => void): Promise<void> {
  for (let seed = from; seed < from + seeds; seed += step) {
    report({ report: await run(seed) });
    if ((seed - from) % (comparedEvery * step) < step) report({ comparison: await compare(seed) });
  }
}

/** Runs all seeds and prints the progress. After an interrupt it prints the results so far. */
async function many(from: number, seeds: number, threads: number): Promise<Summary> {
  const summary = new Summary();
  const began = performance.now();
  const workers = Array.from({ length: Math.min(threads, seeds) }, (_, i) => {
    const data: Share = { from: from + i, seeds: seeds - i, step: threads };
    return new Worker(new URL(import.meta.url), { workerData: data });
  });
  const progress = setInterval(() => console.log(summary.progress(seeds, secondsSince(began))), progressMs);
  process.once("SIGINT", () => {
    for (const worker of workers) void worker.terminate();
  });
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on("message", (found: Found) => {
            if ("comparison" in found) return summary.compare(found.comparison);
            summary.add(found.report);
            if (found.report.violations.length > 0) console.log(failureOf(found.report).join("\n"));
          });
          worker.on("error", reject);
          worker.on("exit", () => resolve());
        }),
    ),
  );
  clearInterval(progress);
  print(summary, began);
  return summary;
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;

async function one(seed: number, trace: boolean): Promise<Summary> {
  const summary = new Summary();
  const began = performance.now();
  summary.add(await run(seed, trace ? { trace: console.log } : {}));
  print(summary, began);
  return summary;
}

function print(summary: Summary, began: number): void {
  for (const line of summary.lines(secondsSince(began))) console.log(line);
}

function numberIn(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`"${text}" is not a whole number: ${usage}`);
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
  await work(workerData as Share, (found) => parentPort?.postMessage(found));
  process.exit();
}
