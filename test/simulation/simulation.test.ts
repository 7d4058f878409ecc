import { describe, expect, test } from "vitest";
import { profileOfSeed, type Report, run } from "./run.ts";
import { Summary } from "./summary.ts";

/** `npm run simulate` runs any number of seeds. */
const seeds = 300;
const timeout = 600_000;

test(`${seeds} runs violate nothing, and cover each fault and each standing`, { timeout }, async () => {
  const summary = new Summary();
  for (let seed = 1; seed <= seeds; seed++) summary.add(await run(seed));
  expect(summary.failures.map(({ seed, violations }) => [seed, ...violations])).toEqual([]);
  expect(Object.keys(summary.operations).sort()).toEqual(["delete", "edit", "order", "prolong", "resume", "suspend"]);
  expect(Object.keys(summary.standings).length).toBe(5);
  expect(Object.keys(summary.faults).length).toBeGreaterThan(30);
  const { "needs attention": waiting = 0, ...others } = summary.standings;
  expect(waiting).toBeLessThan(0.1 * Object.values(others).reduce((sum, count) => sum + count));
});

async function reportsOf(profile: string, count: number): Promise<Report[]> {
  const reports: Report[] = [];
  for (let seed = 1; reports.length < count; seed++) {
    if (profileOfSeed(seed).name === profile) reports.push(await run(seed));
  }
  return reports;
}

describe.each([
  ["calm", "without faults"],
  ["shop", "with late, repeated, and unordered webhooks"],
  ["crashes", "with faults of only the functions, the table, and the queue"],
])("in runs with the profile %s, %s,", (profile) => {
  test("at the end nothing needs attention but what the shop sells or changes without end", { timeout }, async () => {
    const reports = await reportsOf(profile, 40);
    const isOfTheShop = (why: string) => /^(The catalog sells nothing|This month's limit of)/.test(why);
    expect(
      reports.flatMap(({ seed, attention, violations }) =>
        [...attention.filter((why) => !isOfTheShop(why)), ...violations].map((why) => [seed, why]),
      ),
    ).toEqual([]);
  });
});

test("a seed produces the same run each time, to the last step", { timeout }, async () => {
  for (const seed of [18, 41, 75]) {
    const traces: string[][] = [];
    // One after another: a run has the timers of its thread to itself.
    for (const _ of [1, 2]) {
      const trace: string[] = [];
      await run(seed, { trace: (line) => trace.push(line) });
      traces.push(trace);
    }
    const [first, second] = traces;
    expect(first?.length).toBeGreaterThan(20);
    expect(second).toEqual(first);
  }
});
