import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/canary.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: the embedded stacks of more files at once would only wait for each other.
    maxWorkers: 2,
  },
});
