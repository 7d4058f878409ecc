import { type BundlingOptions, LogLevel, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";

/**
 * Where the SDK looks for credentials that the environment does not give. Lambda's always does, so these lazy imports
 * never run: 120 KiB of each bundle. All else of the SDK is bundled: loading Lambda's own copy takes longer.
 */
export const otherCredentials = [
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/credential-provider-imds",
];

export const bundling: BundlingOptions = {
  format: OutputFormat.ESM,
  mainFields: ["module", "main"],
  minify: true,
  logLevel: LogLevel.WARNING,
  externalModules: [...otherCredentials],
};

/** provision's bundle, with the catalog beside it. */
export const withCatalog = (catalogFile: string): BundlingOptions => ({
  ...bundling,
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
