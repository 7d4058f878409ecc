import { type BundlingOptions, LogLevel, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";

/**
 * Parts of the SDK that it imports lazily and that never run here: credential sources other than Lambda's environment,
 * and event streams. They would add 150 KiB to each bundle. The rest of the SDK is bundled, because loading Lambda's own
 * copy takes longer.
 */
export const unusedSdkModules = [
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
  externalModules: [...unusedSdkModules],
};

/**
 * undici contains two HTTP parsers, each compiled with and without SIMD. Lambda's ARM processors have SIMD, and Node's own
 * build of undici removes the second, experimental parser by the same definition. This saves 230 KiB.
 */
const smallerUndici = {
  externalModules: ["*/llhttp/llhttp-wasm.js"],
  define: { esbuildDetection: "1" },
};

/** The bundling of provision, with the catalog next to the code. */
export const bundlingWithCatalog = (catalogFile: string): BundlingOptions => ({
  ...bundling,
  externalModules: [...unusedSdkModules, ...smallerUndici.externalModules],
  define: smallerUndici.define,
  // undici is CommonJS and requires Node's modules, but an ES module has no `require`.
  banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
  commandHooks: {
    beforeBundling: () => [],
    beforeInstall: () => [],
    afterBundling: (_, bundle) => [
      // The zip keeps the file mode. Lambda's user could not read a catalog that only its owner may read.
      `install -m 644 ${quoted(catalogFile)} ${quoted(`${bundle}/catalog.json`)}`,
    ],
  },
});

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
