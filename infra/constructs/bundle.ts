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

/** provision's bundle, with the catalog beside it. */
export const withCatalog = (catalogFile: string): BundlingOptions => ({
  ...bundling,
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
