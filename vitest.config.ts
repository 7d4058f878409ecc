import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Half of what a short process costs is compiling the AWS SDK and the CDK. Workers and the commands that tests start inherit this.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL(".vitest/compile-cache", import.meta.url));

/** Test files of these share the modules of their worker, which saves most of the time that a small file takes. */
const shared = (name: string, ...include: string[]) => ({
  extends: true as const,
  test: { name, include, isolate: false },
});

export default defineConfig({
  test: {
    setupFiles: ["test/support/canary.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // The machine has two cores. The embedded stacks of more than two files would only wait for each other.
    maxWorkers: 2,
    projects: [
      shared("unit", "test/{unit,properties,support}/**/*.test.ts"),
      shared("integration", "test/{contract,end-to-end,field,console,fuzz}/**/*.test.ts"),
      shared("infra", "test/infra/**/*.test.ts"),
      // Its own modules for each file: some replace modules, and seeds determine a run only in a process of its own.
      { extends: true, test: { name: "simulation", include: ["test/{simulation,baseline,model}/**/*.test.ts"] } },
      // Searches for minutes per breakage: `npm run breakages`, not part of `npm test`.
      { extends: true, test: { name: "breakages", include: ["test/simulation/breakages.search.ts"] } },
      shared("browser", "test/browser/**/*.test.ts"),
    ],
  },
});
