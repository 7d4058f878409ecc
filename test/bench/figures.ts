import { cpus, loadavg, totalmem } from "node:os";

/** Describes the machine. A high load shows that other programs ran too. */
export function machine(): string {
  const all = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const [load = 0] = loadavg();
  const { platform, arch, version } = process;
  const hardware = `${all[0]?.model ?? "unknown cpu"}, ${all.length} cores, ${memory} GiB, ${platform} ${arch}`;
  return `${hardware}, node ${version}, load ${load.toFixed(1)} at the start`;
}

export const median = (sample: readonly number[]): number => quantile(sample, 0.5);

function quantile(sample: readonly number[], at: number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const place = (sorted.length - 1) * at;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}

/** Formats with three significant digits. */
export const number = (value: number): string =>
  value.toFixed(value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2);

/** The median, with the quartiles. */
export const spread = (sample: readonly number[]): string =>
  `${number(median(sample))} (${number(quantile(sample, 0.25))} to ${number(quantile(sample, 0.75))})`;

export const ratio = (sample: readonly number[], to: readonly number[]): string =>
  `${number(median(sample) / median(to))} x`;

/** Prints aligned columns: the first to the left, figures to the right. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
    console.log(`  ${cells.join("  ")}`.trimEnd());
  }
}

export function raw(samples: Record<string, readonly number[]>, unit: string): void {
  console.log(`\n  every round, ${unit}`);
  for (const [name, sample] of Object.entries(samples)) console.log(`    ${name}: ${sample.map(number).join(" ")}`);
}

/**
 * Runs all of them in each round, each time with another one first, so that a slow phase of the machine affects all.
 * @returns the results of each run, by name
 */
export async function interleave(
  runs: Record<string, () => number | Promise<number>>,
  rounds: number,
): Promise<Record<string, number[]>> {
  const entries = Object.entries(runs);
  const results: Record<string, number[]> = Object.fromEntries(entries.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const shift = round % entries.length;
    for (const [name, run] of [...entries.slice(shift), ...entries.slice(0, shift)]) {
      results[name]?.push(await run());
    }
  }
  return results;
}
