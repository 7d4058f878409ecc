import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Message as Received } from "@aws-sdk/client-sqs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Bundles the functions as `cdk synth` does, outside of any node_modules, as on Lambda. @returns the folder of each function */
export async function bundlesIn<Name extends string>(
  directory: string,
  names: readonly Name[],
  settings: Record<string, string>,
): Promise<Record<Name, string>> {
  const outdir = join(directory, "assembly");
  const { context } = JSON.parse(readFileSync(join(root, "cdk.json"), "utf8"));
  const env = {
    ...process.env,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, stack: "shop", ...settings }),
  };
  await promisify(execFile)(process.execPath, ["infra/app.ts"], { cwd: root, env });
  const read = (file: string) => JSON.parse(readFileSync(join(outdir, file), "utf8"));
  const { Resources } = read("shop.template.json") as { Resources: Record<string, LambdaFunction> };
  const { files } = read("shop.assets.json") as { files: Record<string, { source: { path: string } }> };
  const directoryOf = (name: Name): string => {
    const [, found] =
      Object.entries(Resources).find(
        ([id, { Type }]) => Type === "AWS::Lambda::Function" && id.toLowerCase().startsWith(name),
      ) ?? [];
    const asset = files[found?.Properties.Code.S3Key.replace(".zip", "") ?? ""];
    if (!asset) throw new Error(`no asset of ${name}`);
    return join(outdir, asset.source.path);
  };
  return Object.fromEntries(names.map((name) => [name, directoryOf(name)])) as Record<Name, string>;
}

type LambdaFunction = { Type: string; Properties: { Code: { S3Key: string } } };

const script = `
  const [, bundle] = process.argv;
  let input = "";
  for await (const chunk of process.stdin) input += chunk;
  const { events, timeoutMs } = JSON.parse(input);
  const { handler } = await import(bundle);
  const answers = [];
  for (const event of events) {
    const ends = Date.now() + timeoutMs;
    answers.push((await handler(event, { getRemainingTimeInMillis: () => ends - Date.now() })) ?? null);
  }
  process.stdout.write("\\n" + JSON.stringify(answers), () => process.exit());
`;

/** Runs a bundle's handler in a separate process that has only Lambda's environment variables. */
export async function invokeBundle<T>(
  folder: string,
  env: Record<string, string>,
  events: readonly unknown[],
  timeoutMs: number,
): Promise<{ answers: T[]; logs: string }> {
  const bundle = pathToFileURL(join(folder, "index.mjs")).href;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, bundle], { cwd: folder, env });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdin.end(JSON.stringify({ events, timeoutMs }));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${folder} ended with ${code}\n${output}\n${errors}`);
  const lines = output.trim().split("\n");
  return { answers: JSON.parse(lines.pop() ?? ""), logs: [...lines, errors].join("\n") };
}

/** As an HTTP API sends it, in payload format 2.0. */
export function httpEvent(
  request: { method: string; path: string; headers?: Record<string, string>; body?: string },
  isBase64Encoded = false,
) {
  const { method, path, headers = {}, body } = request;
  const host = "abc123.execute-api.us-east-1.amazonaws.com";
  return {
    version: "2.0",
    routeKey: path === "/health" ? "GET /health" : "ANY /webhooks/{storefront}",
    rawPath: path,
    rawQueryString: "",
    headers: { accept: "*/*", "content-type": "application/json", host, "x-forwarded-proto": "https", ...headers },
    requestContext: {
      accountId: "123456789012",
      apiId: "abc123",
      domainName: host,
      domainPrefix: "abc123",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "test" },
      requestId: "JKJaXmPLvHcESHA=",
      routeKey: "ANY /webhooks/{storefront}",
      stage: "$default",
      time: "31/Jan/2027:10:00:00 +0000",
      timeEpoch: 1_801_389_600_000,
    },
    pathParameters: { storefront: path.split("/").at(-1) },
    ...(body !== undefined && { body: isBase64Encoded ? Buffer.from(body).toString("base64") : body }),
    isBase64Encoded,
  };
}

/** As Lambda's event source mapping passes messages of a FIFO queue on. */
export const sqsEvent = (messages: readonly Received[]) => ({
  Records: messages.map(({ MessageId, ReceiptHandle, Body, MD5OfBody, Attributes }) => ({
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes,
    messageAttributes: {},
    md5OfBody: MD5OfBody,
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:Queue.fifo",
    awsRegion: "us-east-1",
  })),
});

export const scheduled = {
  version: "0",
  id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  source: "aws.events",
  account: "123456789012",
  time: "2027-01-31T10:00:00Z",
  region: "us-east-1",
  resources: ["arn:aws:events:us-east-1:123456789012:rule/EveryMinute"],
  detail: {},
};
