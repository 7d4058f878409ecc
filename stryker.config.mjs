/** Mutates the code that decides about money: `npm run mutation`. Figures and survivors: docs/mutation.md. */
export default {
  mutate: ["shared/licensing/**/*.ts", "shared/billmgr/{outcome,readback,reply,license}.ts"],
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutation.config.ts", related: false },
  coverageAnalysis: "perTest",
  // Tests also detect mutants that fail while a module loads (a schema, a table of names), because each test file loads it again.
  ignoreStatic: false,
  ignorePatterns: [".local", "cdk.out"],
  // Stryker would rewrite it through an API that TypeScript 7 does not have. No test reads it.
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
