import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Message as Received, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type LocalQueue, startQueue } from "../../local/queue.ts";
import { serveSecrets } from "../../local/secrets.ts";
import { serveSandbox } from "../../local/simulators/billmgr/serve.ts";
import { type LocalTable, startTable, tableName } from "../../local/table.ts";
import { createTable } from "../../shared/aws/table.ts";
import { serve } from "../../shared/http/serve.ts";
import { keyOf, type Message } from "../../shared/intake/message.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { bundlesIn, httpEvent, invokeBundle, root, scheduled, sqsEvent } from "../support/bundles.ts";
import { authinfoWith, standardSecretOf } from "../support/secrets.ts";

const names = ["webhook", "provision", "renew", "announce", "watch", "partner", "mail"] as const;
type Name = (typeof names)[number];

const aws = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
const eventSource = "aws.partner/stripe.com/ed_test_61TbJ2";
const mailFrom = "licenses@shop.test";
const authinfo = authinfoWith(":word");
const signingSecret = standardSecretOf("the bundles");
const secrets = { billmgr: authinfo, storefronts: { standard: [signingSecret] } };

// A test starts up to two processes, which takes more than vitest's default timeout on a busy machine.
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
    // The SDK sends to the host in the queue's URL, and no resolver knows "sqs.us-east-1.localhost".
    QUEUE_URL: queueAt + new URL(queue.url).pathname,
    SECRET_ID: "secrets",
    BUS_NAME: "shop",
    MAIL_FROM: mailFrom,
    POWERTOOLS_METRICS_NAMESPACE: "shop",
    EVENT_SOURCES: JSON.stringify({ [eventSource]: "stripe" }),
    // Hides the AWS configuration files of the user who runs the test.
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
  return await bundlesIn(directory, names, { catalog, stripeEventSource: eventSource, mailFrom });
}

/** Runs a function with the environment that the stack gives it. */
const invoke = <T>(name: Name, events: readonly unknown[], timeoutMs: number) =>
  invokeBundle<T>(bundles[name], { ...environment, POWERTOOLS_SERVICE_NAME: name }, events, timeoutMs);

/** A webhook that is signed by the vendor's own package. */
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

/** Receives all messages of the queue. */
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

describe("the bundle of", () => {
  test.each([
    ["webhook", 320],
    ["renew", 265],
    ["announce", 260],
    ["watch", 220],
    ["partner", 290],
    ["mail", 250],
    ["provision", 660],
  ] as const)("%s is at most %i KiB", (name, maxKiB) => {
    expect(statSync(join(bundles[name], "index.mjs")).size / 1024).toBeLessThanOrEqual(maxKiB);
  });

  test.each(names)("%s contains no path of the machine that built it", (name) => {
    const text = readFileSync(join(bundles[name], "index.mjs"), "utf8");
    for (const path of [root, directory, "/node_modules/", "sourceMappingURL"]) expect(text).not.toContain(path);
  });

  test("only provision includes the catalog, readable by Lambda's user", () => {
    expect(statSync(join(bundles.provision, "catalog.json")).mode & 0o777).toBe(0o644);
    for (const name of names.filter((one) => one !== "provision")) {
      expect(() => statSync(join(bundles[name], "catalog.json"))).toThrow("ENOENT");
    }
  });
});

describe("webhook", () => {
  test("answers the health check", async () => {
    const { answers } = await invoke<Answer>("webhook", [httpEvent({ method: "GET", path: "/health" })], 10_000);
    expect(answers).toMatchObject([{ statusCode: 200, body: '{"status":"ok"}' }]);
  });

  test("queues a signed body, in plain text or base64, and rejects others", async () => {
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

  test("asks for another delivery while the secret has no value", async () => {
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
  test("orders one license for a webhook, however often its message arrives", async () => {
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
  test("queues the events of the configured source only", async () => {
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
    const other = { ...event, source: "aws.partner/stripe.com/ed_of_another_account" };
    await expect(invoke("partner", [other], 10_000)).rejects.toThrow("is not a configured source");
    expect(await received()).toEqual([]);
  });
});

describe("renew", () => {
  test("wakes the subscriptions that are due, and provision accepts the wake", async () => {
    const memory = createTable(table.client, tableName);
    const key = keyOf("subscription", "standard", "due-1");
    const later = keyOf("subscription", "standard", "later-1");
    const stored = (id: string) => ({ subscription: newSubscription("standard", id), version: 0 });
    await memory.save(key, { ...stored("due-1"), due: toInstant(new Date(inDays(-1))) });
    await memory.save(later, { ...stored("later-1"), due: toInstant(new Date(inDays(1))) });

    const { answers } = await invoke("renew", [scheduled], 50_000);
    expect(answers).toEqual([null]);
    const wakes = await received();
    const woken = wakes.map(bodyOf);
    expect(woken).toContainEqual({ key, kind: "wake" });
    expect(woken).not.toContainEqual({ key: later, kind: "wake" });

    const provisioned = await invoke<Failures>("provision", [sqsEvent(wakes)], 180_000);
    expect(provisioned.answers).toEqual([{ batchItemFailures: [] }]);
    expect((await memory.load(key))?.due).toBeUndefined();
  });
});

describe("watch", () => {
  test("publishes its metrics in the stack's namespace", async () => {
    const { answers, logs } = await invoke("watch", [scheduled], 50_000);
    expect(answers).toEqual([null]);
    const metrics = logs.split("\n").filter((line) => line.includes('"_aws"'));
    const halted = metrics.map((line) => JSON.parse(line)).find((line) => "Halted" in line);
    expect(halted).toMatchObject({ service: "watch", Halted: 0 });
    expect(halted._aws.CloudWatchMetrics).toMatchObject([{ Namespace: "shop", Dimensions: [["service"]] }]);
  });
});

describe("announce and mail", () => {
  test("publish an attention item on the bus, and receive it from there", async () => {
    const { type, timestamp, data } = payment("attention-1", "pay_5");
    const unsold = signed("msg_attention", { type, timestamp, data: { ...data, plan: "vm7" } });
    await invoke<Answer>("webhook", [httpEvent(unsold)], 10_000);
    await invoke<Failures>("provision", [sqsEvent(await received())], 180_000);
    const put: { EventBusName: string; Source: string; DetailType: string; Detail: string }[] = [];
    const bus = await serve(async (request, response) => {
      const { Entries } = JSON.parse(await text(request)) as { Entries: typeof put };
      put.push(...Entries);
      const answer = {
        FailedEntryCount: 0,
        Entries: Entries.map(({ Detail }) => ({ EventId: JSON.parse(Detail).id })),
      };
      response.writeHead(200, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(answer));
    });
    environment.AWS_ENDPOINT_URL_EVENTBRIDGE = bus.url;
    const { answers } = await invoke("announce", [scheduled], 50_000);
    await bus.close();

    expect(answers).toEqual([null]);
    const published = put.find(({ Detail }) => JSON.parse(Detail).subscription === "attention-1");
    expect(published).toMatchObject({
      EventBusName: "shop",
      Source: "billmgr-webhooks",
      DetailType: "license.attention",
    });

    // An attention item concerns the operator only, so no mail is sent and SES is not called.
    const event = { ...scheduled, detail: JSON.parse(published?.Detail ?? "") };
    const mailed = await invoke("mail", [event], 10_000);
    expect([mailed.answers, mailed.logs]).toEqual([[null], expect.stringContaining("no letter")]);
  });
});
