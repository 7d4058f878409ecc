import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { catalogJson, root, withoutBundling } from "../support/synthesized.ts";

type Run = { code: number; stderr: string; stacks: string[] };

let directory: string;
let catalog: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "app-"));
  catalog = join(directory, "shop.json");
  writeFileSync(catalog, JSON.stringify(catalogJson));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs infra/app.ts as the `cdk` command does. */
function synth(context: Record<string, unknown>, before: string[] = []): Promise<Run> {
  const outdir = mkdtempSync(join(directory, "out-"));
  const env = {
    ...process.env,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ ...withoutBundling, catalog, ...context }),
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [...before, "infra/app.ts"], { cwd: root, env }, (error, _, stderr) => {
      const templates = readdirSync(outdir).filter((file) => file.endsWith(".template.json"));
      const stacks = templates.map((file) => file.replace(".template.json", ""));
      resolve({ code: Number(error?.code ?? 0), stderr, stacks });
    });
  });
}

test("synthesizes the stack that the context names, without output", async () => {
  const { code, stderr, stacks } = await synth({ stack: "staging" });
  expect({ code, stderr, stacks }).toEqual({ code: 0, stderr: "", stacks: ["staging"] });
}, 60_000);

test("an invalid setting ends with a message, without a stack trace", async () => {
  const { code, stderr } = await synth({ catalgo: "staging.json" });
  expect({ code, stderr: stderr.trimEnd() }).toEqual({
    code: 1,
    stderr: '-c catalgo is not a setting; did you mean "catalog"?',
  });
}, 60_000);

test("a finding of AWS's security rules ends the synthesis, unless it is acknowledged with a reason", async () => {
  const script = `const { Validations } = require(${JSON.stringify(join(root, "node_modules/aws-cdk-lib"))});
    Validations.prototype.acknowledge = () => {};`;
  const preload = join(directory, "without-reasons.cjs");
  writeFileSync(preload, script);
  const { code, stderr } = await synth({ stack: "shop" }, ["--import", pathToFileURL(preload).href]);
  expect(code).toBe(1);
  expect(stderr).toContain("AwsSolutions-SMG4");
  expect(stderr).toContain("AwsSolutions-APIG4");
}, 60_000);
