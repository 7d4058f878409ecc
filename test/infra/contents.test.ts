import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { unusedSdkModules } from "../../infra/constructs/bundle.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));

const logs = ["@aws-lambda-powertools/logger", "shared/aws"];
const metrics = ["@aws-lambda-powertools/metrics", "shared/aws", "shared/observability"];
const queue = ["@aws-sdk/client-sqs", "shared/aws", "shared/digest.ts", "shared/intake", "shared/licensing"];
const table = [
  "@aws-sdk/client-dynamodb",
  "@aws-sdk/util-dynamodb",
  "shared/aws",
  "shared/digest.ts",
  "shared/errors.ts",
  "shared/licensing",
];
const secrets = ["@aws-sdk/client-secrets-manager", "shared/errors.ts", "shared/problems.ts", "zod"];
const storefronts = ["shared/digest.ts", "shared/intake", "shared/problems.ts", "shared/storefronts", "zod"];
const billmgr = ["fast-xml-parser", "shared/billmgr", "shared/problems.ts", "undici", "zod"];

/** The parts of each function's bundle, in addition to its own folder. bundles.test.ts limits the sizes. */
const functions: [name: string, parts: string[][]][] = [
  ["webhook", [logs, metrics, queue, secrets, storefronts]],
  ["provision", [logs, metrics, queue, table, secrets, billmgr]],
  ["renew", [logs, metrics, queue, table]],
  ["announce", [logs, metrics, table, ["@aws-sdk/client-eventbridge", "shared/intake"]]],
  ["watch", [metrics, table]],
  ["mail", [logs, ["@aws-sdk/client-sesv2"]]],
  ["partner", [logs, queue, storefronts]],
];

describe("a function's bundle contains exactly the parts that it uses", () => {
  test.each(functions)("%s", async (name, parts) => {
    expect(await contentsOf(name)).toEqual([...new Set([`functions/${name}`, ...parts.flat()])].sort());
  });

  test("the table above lists every function", () => {
    const found = globSync("functions/*/index.ts", { cwd: root }).map((file) => file.split("/")[1]);
    expect(found.sort()).toEqual(functions.map(([name]) => name).sort());
  });
});

/** The folders and the direct dependencies of which the bundle contains code. */
async function contentsOf(name: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`functions/${name}/index.ts`],
    outfile: "index.mjs",
    write: false,
    metafile: true,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    minify: true,
    logLevel: "error",
    external: unusedSdkModules,
  });
  const [output] = Object.values(metafile.outputs);
  const parts = Object.entries(output?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) => {
    const [, inPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
    return bytesInOutput === 0 ? [] : [inPackage ?? file.split("/").slice(0, 2).join("/")];
  });
  const isOurs = (part: string) =>
    part in { ...dependencies, ...devDependencies } || /^(functions|shared)\//.test(part);
  return [...new Set(parts)].filter(isOurs).sort();
}
