import { afterEach, expect, test, vi } from "vitest";
import { breakages, type Modules, type Replaced } from "./breakages.ts";
import { moneyBreakages } from "./money-breakages.ts";
import { run } from "./run.ts";
import { noEnd } from "./scheduler.ts";

const seam = vi.hoisted(() => ({ replaced: {} as Replaced }));

/** Wraps the exports of a module: each checks at every call whether a breakage replaces it. */
const through = vi.hoisted(() => (name: string, real: object): object => {
  const made = new Map<unknown, Record<string, unknown>>();
  return Object.fromEntries(
    Object.entries(real).map(([key, value]) => {
      // Classes stay unwrapped.
      if (typeof value !== "function" || /^class\b/.test(String(value))) return [key, value];
      const through = (...args: unknown[]) => {
        const replace = seam.replaced[name as keyof Modules] as ((real: object) => Record<string, unknown>) | undefined;
        if (replace && !made.has(replace)) made.set(replace, replace(real));
        const chosen = (made.get(replace)?.[key] ?? value) as (...args: unknown[]) => unknown;
        return chosen(...args);
      };
      return [key, through];
    }),
  );
});

vi.mock(import("../../shared/licensing/fold.ts"), async (real) => through("fold", await real()));
vi.mock(import("../../shared/licensing/decide.ts"), async (real) => through("next", await real()));
vi.mock(import("../../shared/licensing/attention.ts"), async (real) => through("attention", await real()));
vi.mock(import("../../shared/licensing/coverage.ts"), async (real) => through("coverage", await real()));
vi.mock(import("../../shared/licensing/repair.ts"), async (real) => through("repair", await real()));
vi.mock(import("../../shared/billmgr/billmgr.ts"), async (real) => through("billmgr", await real()));
vi.mock(import("../../shared/billmgr/license.ts"), async (real) => through("license", await real()));
vi.mock(import("../../shared/licensing/operation.ts"), async (real) => through("operation", await real()));
vi.mock(import("../../shared/billmgr/outcome.ts"), async (real) => through("outcome", await real()));
vi.mock(import("../../shared/licensing/operation-lifecycle.ts"), async (real) => through("progress", await real()));
vi.mock(import("../../shared/billmgr/readback.ts"), async (real) => through("readback", await real()));

afterEach(() => {
  seam.replaced = {};
});

/** More seeds than any breakage has ever needed. */
const within = 400;

const named = [...breakages, ...moneyBreakages].map(
  (breakage) => [`${breakage.finding ?? ""} ${breakage.what}`.trim(), breakage] as const,
);

test.for(named)("is found: a system that %s", { timeout: 300_000 }, async ([, breakage]) => {
  const { what, alteration, modules = {}, from = 1, by = /./ } = breakage;
  const began = performance.now();
  const beforeChecks = () => {
    seam.replaced = {};
  };
  for (let seed = from; seed < from + within; seed++) {
    seam.replaced = modules;
    const { violations } = await run(seed, { alteration: { ...alteration, beforeChecks, mostSteps: 20_000 } });
    // A run without an end was stopped, and proves nothing.
    if (violations.some((violation) => violation.includes(noEnd))) continue;
    const shown = violations.find((violation) => by.test(violation));
    if (shown === undefined) continue;
    // As docs/simulation.md lists them.
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${breakage.finding ?? ""} ${what}: ${seed - from + 1} seeds, ${seconds} s: ${shown.slice(0, 200)}`);
    return;
  }
  expect.fail(`not found in ${within} seeds from ${from}: a system that ${what}`);
});
