/** Mutates what decides about money. `npm run mutation`; figures and survivors: docs/mutation.md. */
export default {
  mutate: ["shared/licensing/**/*.ts", "shared/billmgr/{outcome,readback,reply,license}.ts"],
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutation.config.ts", related: false },
  coverageAnalysis: "perTest",
  // What fails while the module loads (a schema, a table of names) is known by its tests too, each in a fresh environment.
  ignoreStatic: false,
  ignorePatterns: [".local", "cdk.out"],
  // Stryker would rewrite it by an API that TypeScript 7 has not; nothing here reads it while tests run.
  tsconfigFile: "none",
  incremental: true,
  incrementalFile: ".stryker/incremental.json",
  tempDirName: ".stryker/sandbox",
  concurrency: 2,
  timeoutMS: 20_000,
  reporters: ["clear-text", "progress-append-only", "json", "html"],
  jsonReporter: { fileName: ".stryker/mutation.json" },
  htmlReporter: { fileName: ".stryker/mutation.html" },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
};
