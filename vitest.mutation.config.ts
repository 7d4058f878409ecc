import { defineConfig } from "vitest/config";

/** What decides: the unit and property tests alone, each property with few cases of one seed, so that a run can be repeated. */
export default defineConfig({
  test: {
    include: ["test/unit/**/*.test.ts", "test/properties/**/*.test.ts"],
    exclude: ["test/unit/sandbox*.test.ts"],
    setupFiles: ["test/support/few-runs.ts"],
    testTimeout: 20_000,
    maxWorkers: 1,
  },
});
