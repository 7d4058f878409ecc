import { defineConfig } from "vitest/config";

/** The tests of what decides, and no others: each mutant that acts while its module loads is put before all of them. */
export default defineConfig({
  test: {
    include: [
      "test/unit/shared/licensing/**/*.test.ts",
      "test/unit/shared/billmgr/{license,outcome,readback,reply}.test.ts",
      "test/unit/docs/schemas.test.ts",
      "test/properties/{convergence,entitlement,fold,movein,parsers,renewal,repair}.test.ts",
      "test/fuzz/decisions.test.ts",
    ],
    setupFiles: ["test/support/few-runs.ts"],
    testTimeout: 20_000,
    maxWorkers: 1,
  },
});
