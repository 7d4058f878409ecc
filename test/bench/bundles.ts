import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { unusedSdkModules } from "../../infra/constructs/bundle.ts";
import { interleave, number, ratio, raw, spread, table } from "./figures.ts";

const rounds = 15;
const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

const clients: Record<string, string[]> = {
  dynamodb: ["DynamoDBClient", "GetItemCommand", "PutItemCommand", "QueryCommand", "UpdateItemCommand"],
  "secrets-manager": ["SecretsManagerClient", "GetSecretValueCommand"],
  eventbridge: ["EventBridgeClient", "PutEventsCommand"],
  sqs: ["SQSClient", "SendMessageBatchCommand", "ChangeMessageVisibilityCommand"],
};
const usedBy: Record<string, string[]> = {
  webhook: ["secrets-manager", "sqs"],
  provision: ["dynamodb", "secrets-manager", "sqs"],
  renew: ["dynamodb", "sqs"],
  announce: ["dynamodb", "eventbridge"],
  watch: ["dynamodb"],
};
const reference = ["dynamodb", "secrets-manager"];

/** Size and cold import of what is deployed, against an empty module and against only AWS's SDK. */
export async function bundles(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const modules = { empty: join(directory, "empty.mjs"), ...(await synthesize(directory)) };
    writeFileSync(modules.empty, "export {};\n");
    const files: Record<string, string> = { ...modules };
    for (const used of [reference, ...Object.values(usedBy)]) files[sdk(used)] = await bundleSdk(used, directory);

    const timed = await interleave(
      Object.fromEntries(Object.entries(files).map(([name, file]) => [name, () => coldImport(file, directory)])),
      rounds,
    );
    const sample = (name: string) => timed[name] ?? [];
    const own = (name: string) => usedBy[name] && sdk(usedBy[name]);
    console.log(
      `\nBundles: size, and cold import in ${rounds} fresh processes each (import only, files in the page cache)`,
    );
    table([
      ["", "min KiB", "gzip KiB", "import ms", "to empty", `to ${sdk(reference)}`, "to its own clients"],
      ...Object.entries(files).map(([name, file]) => {
        const text = readFileSync(file);
        const ownSdk = own(name);
        return [
          name,
          number(text.length / 1024),
          number(gzipSync(text, { level: 9 }).length / 1024),
          spread(sample(name)),
          ratio(sample(name), sample("empty")),
          ratio(sample(name), sample(sdk(reference))),
          ownSdk ? ratio(sample(name), sample(ownSdk)) : "",
        ];
      }),
    ]);
    raw(timed, "ms");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const sdk = (used: readonly string[]): string => `SDK: ${used.join(", ")}`;

/** Bundles the functions as `cdk synth` does. @returns the file of each function */
async function synthesize(directory: string): Promise<Record<string, string>> {
  const outdir = join(directory, "assembly");
  const { context } = JSON.parse(readFileSync(join(root, "cdk.json"), "utf8"));
  const env = { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify({ ...context, stack: "shop" }) };
  await run(process.execPath, ["infra/app.ts"], { cwd: root, env });
  const read = (file: string) => JSON.parse(readFileSync(join(outdir, file), "utf8"));
  const resources = Object.entries(read("shop.template.json").Resources as Record<string, Resource>);
  const { files } = read("shop.assets.json") as { files: Record<string, { source: { path: string } }> };
  return Object.fromEntries(
    Object.keys(usedBy).map((name) => {
      const [, found] =
        resources.find(([id, { Type }]) => Type === "AWS::Lambda::Function" && id.toLowerCase().startsWith(name)) ?? [];
      const asset = files[found?.Properties.Code?.S3Key.replace(".zip", "") ?? ""];
      if (!asset) throw new Error(`no asset of ${name}`);
      const folder = join(outdir, asset.source.path);
      const file = readdirSync(folder).find((one) => one.startsWith("index."));
      return [name, join(folder, file ?? "")];
    }),
  );
}

type Resource = { Type: string; Properties: { Code?: { S3Key: string } } };

/** Bundles only the SDK clients and commands that the functions use, with the stack's settings. */
async function bundleSdk(used: readonly string[], directory: string): Promise<string> {
  const outfile = join(directory, `sdk-${used.join("-")}.mjs`);
  const contents = used.map((name) => {
    const [client, ...commands] = clients[name] ?? [];
    const imported = [client, ...commands].join(", ");
    return `import { ${imported} } from "@aws-sdk/client-${name}"; new ${client}(); export { ${commands.join(", ")} };`;
  });
  await build({
    stdin: { contents: contents.join("\n"), resolveDir: root },
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    minify: true,
    logLevel: "error",
    external: unusedSdkModules,
  });
  return outfile;
}

const script = `
  const started = performance.now();
  await import(process.argv[1]);
  process.stdout.write(String(performance.now() - started), () => process.exit());
`;

/** Imports in a process that has only Lambda's environment variables. */
async function coldImport(file: string, directory: string): Promise<number> {
  const env = {
    HOME: directory,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    TABLE_NAME: "table",
    QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/000000000000/queue.fifo",
    SECRET_ID: "secrets",
    BUS_NAME: "bus",
  };
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script, pathToFileURL(file).href], {
    cwd: directory,
    env,
  });
  return Number(stdout);
}
