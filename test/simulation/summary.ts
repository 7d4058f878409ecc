import { addTo, type Counts, countBy, inWords } from "./counts.ts";
import type { Report } from "./run.ts";

/** What many runs came to. */
export class Summary {
  seeds = 0;
  webhooks = 0;
  steps = 0;
  readonly failures: Report[] = [];
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

  lines(seconds: number): string[] {
    return [
      `${this.seeds} seeds in ${seconds.toFixed(0)} s, ${(this.seeds / seconds).toFixed(0)} a second, ${this.steps} steps (${inWords(this.profiles)})`,
      `webhooks: ${this.webhooks}`,
      `faults: ${inWords(this.faults)}`,
      `billmgr did: ${inWords(this.operations)}`,
      `in the end a subscription: ${inWords(this.standings)}`,
      ...Object.entries(this.attention)
        .sort(([, a], [, b]) => b - a)
        .map(([reason, count]) => `  needs a person, ${count}: ${reason}`),
      ...this.failures.flatMap(({ seed, violations }) => [
        `SEED ${seed} FAILED; see npm run simulate -- --seed ${seed} --trace`,
        ...violations.slice(0, 5).map((violation) => `  ${violation}`),
      ]),
      this.failures.length === 0 ? "nothing was violated" : `${this.failures.length} seeds failed`,
    ];
  }
}

/** A reason without its numbers, names and dates. */
const kindOf = (reason: string): string =>
  reason
    .replace(/bw-[0-9a-f]+-\d+-\d+/g, "bw-…")
    .replace(/\{.*?\}/g, "{…}")
    .replace(/[\d][\d.:TZ-]*/g, "…")
    .slice(0, 160);
