import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type Message as Received, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type LocalQueue, startQueue } from "../../infra/local/queue.ts";
import { serveSandbox } from "../../infra/local/sandbox/serve.ts";
import { serveSecrets } from "../../infra/local/secrets.ts";
import { type LocalTable, startTable, tableName } from "../../infra/local/table.ts";
import { createTable } from "../../shared/aws/table.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { keyOf, type Message } from "../../shared/message.ts";
import { authinfoWith, standardSecretOf } from "../support/secrets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const names = ["webhook", "provision", "renew", "partner"] as const;
type Name = (typeof names)[number];

const aws = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
const eventSource = "aws.partner/stripe.com/ed_test_61TbJ2";
const authinfo = authinfoWith(":word");
const signingSecret = standardSecretOf("the bundles");
const secrets = { billmgr: authinfo, storefronts: { standard: [signingSecret] } };

// A test starts up to two processes, which a busy machine does not do within vitest's 5 s.
vi.setConfig({ testTimeout: 60_000 });

let directory: string;
let secretsText: string | undefined;
let sandbox: Awaited<ReturnType<typeof serveSandbox>>;
let secretsServer: Awaited<ReturnType<typeof serveSecrets>>;
let table: LocalTable;
let queue: LocalQueue;
let bundles: Record<Name, string>;
let environment: Record<string, string>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "bundles-"));
  secretsText = JSON.stringify(secrets);
  sandbox = await serveSandbox({ now: () => new Date(), authinfo: () => authinfo });
  secretsServer = await serveSecrets(() => {
    if (secretsText === undefined)
      throw new Error("can't find the specified secret value for staging label: AWSCURRENT");
    return secretsText;
  });
  table = await startTable(aws);
  queue = await startQueue(aws);
  const queueAt = await originOf(queue.client);
  environment = {
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: await originOf(table.client),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsServer.url,
    AWS_ENDPOINT_URL_SQS: queueAt,
    TABLE_NAME: tableName,
    // The SDK sends to the host in the queue's URL, and "sqs.us-east-1.localhost" is known to no resolver.
    QUEUE_URL: queueAt + new URL(queue.url).pathname,
    SECRET_ID: "secrets",
    EVENT_SOURCES: JSON.stringify({ [eventSource]: "stripe" }),
    // No file of whoever runs the test.
    HOME: directory,
  };
  bundles = await synthesize();
}, 180_000);

afterAll(async () => {
  await Promise.all([sandbox?.close(), secretsServer?.close(), queue?.stop(), table?.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

async function originOf({ config }: LocalQueue["client"] | LocalTable["client"]): Promise<string> {
  const { protocol, hostname, port } = (await config.endpoint?.()) ?? {};
  return `${protocol}//${hostname}:${port}`;
}

/** What `cdk synth` makes, away from any node_modules, as on Lambda. */
async function synthesize(): Promise<Record<Name, string>> {
  const catalog = join(directory, "shop's catalog.json");
  writeFileSync(
    catalog,
    JSON.stringify({
      billmgr: { url: sandbox.url },
      products: { vmmanager6: { pricelist: 55163, addons: { nodes: 55165 } } },
      plans: { "vm6-monthly": { product: "vmmanager6", period: 1, addons: { nodes: { perUnit: 1 } } } },
    }),
    { mode: 0o600 },
  );
  const outdir = join(directory, "assembly");
  const { context } = JSON.parse(readFileSync(join(root, "cdk.json"), "utf8"));
  const env = {
    ...process.env,
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, stack: "shop", catalog, stripeEventSource: eventSource }),
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

/** Runs a bundle's handler in a process of its own that has Lambda's variables and nothing else. */
async function invoke<T>(
  name: Name,
  events: readonly unknown[],
  timeoutMs: number,
): Promise<{ answers: T[]; logs: string }> {
  const bundle = pathToFileURL(join(bundles[name], "index.mjs")).href;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, bundle], {
    cwd: directory,
    env: environment,
  });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdin.end(JSON.stringify({ events, timeoutMs }));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${name} ended with ${code}\n${output}\n${errors}`);
  const lines = output.trim().split("\n");
  return { answers: JSON.parse(lines.pop() ?? ""), logs: [...lines, errors].join("\n") };
}

/** As an HTTP API sends it, in payload format 2.0. */
function httpEvent(
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

/** A webhook as a shop sends it, signed by the vendor's own package. */
function signed(id: string, body: unknown) {
  const now = new Date();
  const text = JSON.stringify(body);
  return {
    method: "POST",
    path: "/webhooks/standard",
    headers: {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": new Webhook(signingSecret).sign(id, now, text),
    },
    body: text,
  };
}

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

const payment = (subscription: string, payment: string) => ({
  type: "payment.succeeded",
  timestamp: inDays(0),
  data: { subscription, plan: "vm6-monthly", quantity: 2, payment, paidThrough: inDays(31) },
});

/** As Lambda's event source mapping passes messages of a FIFO queue on. */
const sqsEvent = (messages: readonly Received[]) => ({
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

const scheduled = {
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

/** The messages that wait, by what they are about. */
async function received(): Promise<Received[]> {
  const all: Received[] = [];
  for (;;) {
    const { Messages = [] } = await queue.client.send(
      new ReceiveMessageCommand({
        QueueUrl: queue.url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ["All"],
      }),
    );
    if (Messages.length === 0) return all;
    all.push(...Messages);
  }
}

const bodyOf = ({ Body = "" }: Received) => JSON.parse(Body) as Message;

type Answer = { statusCode: number; body: string };
type Failures = { batchItemFailures: unknown[] };

describe("what is bundled", () => {
  test.each([
    ["webhook", 340],
    ["renew", 280],
    ["partner", 330],
    ["provision", 1100],
  ] as const)("%s is at most %i KiB", (name, most) => {
    expect(statSync(join(bundles[name], "index.mjs")).size / 1024).toBeLessThanOrEqual(most);
  });

  test.each(names)("%s names no path of the machine that built it", (name) => {
    const text = readFileSync(join(bundles[name], "index.mjs"), "utf8");
    for (const path of [root, directory, "/node_modules/", "sourceMappingURL"]) expect(text).not.toContain(path);
  });

  test("the catalog lies beside provision, open to Lambda's user, and nowhere else", () => {
    expect(statSync(join(bundles.provision, "catalog.json")).mode & 0o777).toBe(0o644);
    expect(() => statSync(join(bundles.webhook, "catalog.json"))).toThrow("ENOENT");
    expect(() => statSync(join(bundles.renew, "catalog.json"))).toThrow("ENOENT");
    expect(() => statSync(join(bundles.partner, "catalog.json"))).toThrow("ENOENT");
  });
});

describe("webhook", () => {
  test("answers a check of health", async () => {
    const { answers } = await invoke<Answer>("webhook", [httpEvent({ method: "GET", path: "/health" })], 10_000);
    expect(answers).toMatchObject([{ statusCode: 200, body: '{"status":"ok"}' }]);
  });

  test("queues what is signed, in plain text or base64, and refuses the rest", async () => {
    const plain = signed("msg_plain", payment("webhook-plain", "pay_1"));
    const encoded = signed("msg_base64", payment("webhook-base64-ü", "pay_2"));
    const unsigned = { ...plain, headers: {} };
    const forged = { ...plain, body: plain.body.replace('"quantity":2', '"quantity":9') };
    const { answers, logs } = await invoke<Answer>(
      "webhook",
      [httpEvent(plain), httpEvent(encoded, true), httpEvent(unsigned), httpEvent(forged)],
      10_000,
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 401, 401]);
    expect((await received()).map((message) => bodyOf(message).key).sort()).toEqual([
      "subscription#standard/webhook-base64-ü",
      "subscription#standard/webhook-plain",
    ]);
    expect(logs).not.toContain(signingSecret);
    expect(logs).not.toContain(authinfo);
  });

  test("asks for another delivery while the secret is not filled in", async () => {
    const before = secretsText;
    secretsText = undefined;
    try {
      const event = httpEvent(signed("msg_unfilled", payment("unfilled", "pay_3")));
      const { answers, logs } = await invoke<Answer>("webhook", [event], 10_000);
      expect(answers).toMatchObject([{ statusCode: 503 }]);
      expect(logs).toContain("secrets could not be read");
    } finally {
      secretsText = before;
    }
  });
});

describe("provision", () => {
  test("orders one license for what webhook queued, however often it comes", async () => {
    const request = signed("msg_order", payment("order-1", "pay_4"));
    await invoke<Answer>("webhook", [httpEvent(request)], 10_000);
    const event = sqsEvent(await received());
    expect(event.Records).toHaveLength(1);

    const { answers, logs } = await invoke<Failures>("provision", [event, event], 180_000);
    expect(answers).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    const ledger = sandbox.sandbox.ledger().filter((entry) => entry.operation === "order");
    expect(ledger).toMatchObject([{ operation: "order", pricelist: 55163, period: 1, addons: { 55165: 2 } }]);
    expect(logs).not.toContain(authinfo);
  });
});

describe("partner", () => {
  test("queues a storefront's event, of the configured source alone", async () => {
    const object = { id: "sub_partner", status: "active", items: { data: [] } };
    const detail = {
      id: "evt_partner",
      object: "event",
      type: "customer.subscription.updated",
      created: 1_801_389_600,
      data: { object },
    };
    const event = { ...scheduled, "detail-type": detail.type, source: eventSource, resources: [], detail };
    await invoke("partner", [event], 10_000);
    expect((await received()).map((message) => bodyOf(message).key)).toEqual(["subscription#stripe/sub_partner"]);
    const other = { ...event, source: "aws.partner/stripe.com/ed_of_somebody_else" };
    await expect(invoke("partner", [other], 10_000)).rejects.toThrow("none of the configured sources");
    expect(await received()).toEqual([]);
  });
});

describe("renew", () => {
  test("wakes what is due, and provision takes the wake", async () => {
    const memory = createTable(table.client, tableName);
    const key = keyOf("subscription", "standard", "due-1");
    const later = keyOf("subscription", "standard", "later-1");
    const stored = (id: string) => ({ subscription: newSubscription("standard", id), version: 0 });
    await memory.save(key, { ...stored("due-1"), agenda: { due: toInstant(new Date(inDays(-1))) } });
    await memory.save(later, { ...stored("later-1"), agenda: { due: toInstant(new Date(inDays(1))) } });

    const { answers } = await invoke("renew", [scheduled], 50_000);
    expect(answers).toEqual([null]);
    const wakes = await received();
    const woken = wakes.map(bodyOf);
    expect(woken).toContainEqual({ key, kind: "wake" });
    expect(woken).not.toContainEqual({ key: later, kind: "wake" });

    const provisioned = await invoke<Failures>("provision", [sqsEvent(wakes)], 180_000);
    expect(provisioned.answers).toEqual([{ batchItemFailures: [] }]);
    expect((await memory.load(key))?.agenda).toBeUndefined();
  });
});
