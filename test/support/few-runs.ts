import type fc from "fast-check";
import { vi } from "vitest";

const most = 50;

// Limits the cases of a property: full runs for thousands of mutants would take days. A fixed seed keeps the results equal.
vi.mock("fast-check", async (importOriginal) => {
  const real = await importOriginal<typeof import("fast-check")>();
  real.configureGlobal({ seed: 1 });
  const assert = (property: fc.IRawProperty<unknown>, given?: fc.Parameters<unknown>) =>
    real.assert(property, { ...given, numRuns: Math.min(given?.numRuns ?? most, most) });
  return { ...real, assert, default: { ...real.default, assert } };
});
