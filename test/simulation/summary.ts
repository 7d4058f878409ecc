import { byProfile, type Comparison } from "../baseline/compare.ts";
import { addTo, type Counts, countBy, inWords } from "./counts.ts";
import type { Report } from "./run.ts";

/** The results of many runs. */
export class Summary {
  seeds = 0;
  webhooks = 0;
  steps = 0;
  readonly failures: Report[] = [];
  readonly #comparisons: Comparison[] = [];
  readonly profiles: Counts = {};
  readonly standings: Counts = {};
  readonly faults: Counts = {};
  readonly operations: Counts = {};
  readonly attention: Counts = {};

  add(report: Report): void {
    this.seeds++;
    this.webhooks += report.webhooks;
    this.steps += report.steps;
    addTo(this.profiles, { [report.profile]: 1 });
    addTo(this.standings, report.standings);
    addTo(this.faults, report.faults);
    addTo(this.operations, report.operations);
    addTo(this.attention, countBy(report.attention.map(kindOf)));
    if (report.violations.length > 0) this.failures.push(report);
  }

  compare(comparison: Comparison): void {
    this.#comparisons.push(comparison);
  }

  progress(seeds: number, seconds: number): string {
    const { rss } = process.memoryUsage();
    const pace = `${(this.seeds / seconds).toFixed(1)} a second, ${Math.round(rss / 1e6)} MB`;
    return `${this.seeds} of ${seeds} seeds, ${this.failures.length} failed, ${pace}`;
  }

  lines(seconds: number): string[] {
    return [
      `${this.seeds} seeds in ${seconds.toFixed(0)} s, ${(this.seeds / seconds).toFixed(0)} a second, ${this.steps} steps (${inWords(this.profiles)})`,
      `webhooks: ${this.webhooks}`,
      `faults: ${inWords(this.faults)}`,
      `billmgr did: ${inWords(this.operations)}`,
      `in the end a subscription: ${inWords(this.standings)}`,
      ...Object.entries(this.attention)
        .sort(([, a], [, b]) => b - a)
        .map(([reason, count]) => `  needs attention, ${count}: ${reason}`),
      ...this.failures.flatMap(failureOf),
      ...table(byProfile(this.#comparisons)),
      this.failures.length === 0 ? "nothing was violated" : `${this.failures.length} seeds failed`,
    ];
  }
}

/** A seed that failed, with the command that shows why. */
export const failureOf = ({ seed, violations }: Report): string[] => [
  `SEED ${seed} FAILED; see npm run simulate -- --seed ${seed} --trace`,
  ...violations.slice(0, 5).map((violation) => `  ${violation.slice(0, 500)}`),
];

/** Compares the first orders of the usual way (an idempotent handler that the queue retries) with ours. */
function table(comparisons: readonly Comparison[]): string[] {
  if (comparisons.length === 0) return [];
  const rows = comparisons.flatMap(({ profile, usual, ours }) => [
    [profile, "usual", usual] as const,
    ["", "ours", ours] as const,
  ]);
  const columns = ["wanted", "placed", "doubled", "lost", "unknown", "waiting"] as const;
  return [
    `first orders, both ways: ${columns.map((column) => column.padStart(9)).join("")}`,
    ...rows.map(([profile, way, outcome]) => {
      const cells = columns.map((column) => String(outcome[column]).padStart(9)).join("");
      return `  ${profile.padEnd(12)}${way.padEnd(11)}${cells}`;
    }),
  ];
}

/** A reason without its numbers, names and dates. */
const kindOf = (reason: string): string =>
  reason
    .replace(/bw-[0-9a-f]+-\d+-\d+/g, "bw-…")
    .replace(/\{.*?\}/g, "{…}")
    .replace(/[\d][\d.:TZ-]*/g, "…")
    .slice(0, 160);
