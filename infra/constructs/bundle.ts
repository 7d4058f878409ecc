import { type BundlingOptions, LogLevel, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";

/**
 * What the SDK imports only when it is needed, and here never is: credentials that the environment does not give, as
 * Lambda's always does, and streams of events, which no command of ours answers with. 150 KiB of each bundle. All else
 * of the SDK is bundled: loading Lambda's own copy takes longer.
 */
export const neverImported = [
  "@aws-sdk/credential-provider-http",
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/core/event-streams",
  "@smithy/credential-provider-imds",
];

export const bundling: BundlingOptions = {
  format: OutputFormat.ESM,
  mainFields: ["module", "main"],
  minify: true,
  logLevel: LogLevel.WARNING,
  externalModules: [...neverImported],
};

/**
 * undici has two parsers of HTTP, each for processors with and without SIMD. Node's own build of it leaves the second,
 * experimental parser out by this definition; Lambda's ARM has SIMD. 230 KiB.
 */
export const undiciAlone = {
  externalModules: ["*/llhttp/llhttp-wasm.js"],
  define: { esbuildDetection: "1" },
};

/** provision's bundle, with the catalog beside it. */
export const withCatalog = (catalogFile: string): BundlingOptions => ({
  ...bundling,
  externalModules: [...neverImported, ...undiciAlone.externalModules],
  define: undiciAlone.define,
  // undici is CommonJS and requires Node's modules, which an ES module has no `require` for.
  banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
  commandHooks: {
    beforeBundling: () => [],
    beforeInstall: () => [],
    afterBundling: (_, bundle) => [
      // The mode goes into the zip, where a catalog that only its owner may read would be closed to Lambda's user.
      `install -m 644 ${quoted(catalogFile)} ${quoted(`${bundle}/catalog.json`)}`,
    ],
  },
});

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
