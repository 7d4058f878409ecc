import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startQueue } from "../../local/queue.ts";
import { serveSecrets } from "../../local/secrets.ts";
import { startTable, tableName } from "../../local/table.ts";
import { sendTo } from "../../shared/aws/queue.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { ReadError } from "../../shared/errors.ts";
import { watchedLog } from "./log.ts";
import { authinfoWith, canary, plainSecretOf, standardSecretOf } from "./secrets.ts";
import { knowingly, takeFound } from "./watch.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
const authinfo = authinfoWith();
/** Echoes the header X-Echo. */
const server = createServer((request, response) => response.end(`echo: ${request.headers["x-echo"] ?? ""}`));
let origin: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe("a secret is found", () => {
  test("in an item of the table", async () => {
    const { client, stop } = await startTable(aws);
    await client.send(new PutItemCommand({ TableName: tableName, Item: { pk: { S: "a" }, sk: { S: authinfo } } }));
    expect(takeFound()).toContain("an HTTP request (DynamoDB_20120810.PutItem)");
    await stop();
  });

  test("in a message of the queue", async () => {
    const { client, url, stop } = await startQueue(aws);
    await sendTo(
      client,
      url,
    )([{ message: { key: `subscription#standard/${canary}`, kind: "wake" }, deduplicationId: "1" }]);
    expect(takeFound()).toContain("an HTTP request (AmazonSQS.SendMessageBatch)");
    await stop();
  });

  test.each([
    ["as it is", authinfo],
    [
      "in percents",
      `${authinfo.split(":")[0]}%3A${[...Buffer.from(canary)].map((byte) => `%${byte.toString(16)}`).join("")}`,
    ],
    ["in base64", Buffer.from(authinfo).toString("base64")],
    ["in base64, one on", Buffer.from(`.${authinfo}`).toString("base64")],
    ["in base64, two on", Buffer.from(`..${authinfo}`).toString("base64url")],
    ["in hex", Buffer.from(authinfo).toString("hex")],
    ["of a storefront", plainSecretOf("stripe")],
    ["of a storefront, in base64", standardSecretOf("standard")],
    ["of a storefront, decoded", Buffer.from(standardSecretOf("standard").slice(6), "base64").toString()],
  ])("in an HTTP reply, %s", async (_, secret) => {
    await fetch(`${origin}/webhooks/x`, { headers: { "x-echo": secret } });
    expect(takeFound()).toEqual(["an HTTP request (/webhooks/x)", "an HTTP reply (GET /webhooks/x)"]);
  });

  test("in a reply of billmgr, and in its URL, but not in a form sent to it", async () => {
    await fetch(`${origin}/manager/billmgr`, { method: "POST", body: new URLSearchParams({ authinfo }) });
    await postTo(`${origin}/billmgr`)(new URLSearchParams({ authinfo }), 5000);
    expect(takeFound()).toEqual([]);
    await fetch(`${origin}/billmgr?authinfo=${authinfo}`);
    expect(takeFound()).toEqual(["a URL (GET /billmgr)", "a URL (GET /billmgr)"]);
    await fetch(`${origin}/billmgr`, { headers: { "x-echo": authinfo } });
    expect(takeFound()).toContain("a reply of billmgr (GET /billmgr)");
    knowingly("a reply of billmgr", "an HTTP request");
    await fetch(`${origin}/billmgr`, { headers: { "x-echo": authinfo } });
    expect(takeFound()).toEqual([]);
  });

  test("in a reply that arrives in pieces", async () => {
    const pieces = createServer((_, response) => {
      response.write(canary.slice(0, 5));
      response.end(canary.slice(5));
    });
    await new Promise<void>((resolve) => pieces.listen(0, "127.0.0.1", resolve));
    await fetch(`http://127.0.0.1:${(pieces.address() as AddressInfo).port}/x`);
    expect(takeFound()).toEqual(["an HTTP reply (GET /x)"]);
    pieces.close();
  });

  test("but not in a reply of the secret store", async () => {
    const store = await serveSecrets(() => authinfo);
    const headers = { "x-amz-target": "secretsmanager.GetSecretValue" };
    await fetch(store.url, { method: "POST", headers, body: "{}" });
    await store.close();
    expect(takeFound()).toEqual([]);
  });

  test("on the console", () => {
    for (const level of ["log", "info", "warn", "error", "debug"] as const) {
      console[level](`a line with ${authinfo}`);
      expect(takeFound()).toEqual(["the console"]);
    }
    process.stdout.write(`${authinfo}\n`);
    process.stderr.write(`${authinfo}\n`);
    expect(takeFound()).toEqual(["the console", "the console"]);
  });

  test("in a log", () => {
    const lines: unknown[] = [];
    const log = watchedLog({ info: (...line) => void lines.push(line), warn() {}, error() {} });
    for (const level of ["info", "warn", "error"] as const) log[level]("called", { reply: { text: authinfo } });
    expect(takeFound()).toEqual(["a log (info)", "a log (warn)", "a log (error)"]);
    expect(lines).toHaveLength(1);
  });

  test("in the output of another process", async () => {
    await promisify(execFile)(process.execPath, ["-e", "console.log(process.env.X); console.error(process.env.X)"], {
      env: { X: authinfo },
    });
    expect(takeFound()).toEqual(["a process's output", "a process's output"]);
  });

  test("in an error of any class, thrown or not", () => {
    new Error(authinfo);
    new ReadError(`reading failed: ${authinfo}`);
    new Error("it failed", { cause: new TypeError(authinfo) });
    expect(takeFound()).toEqual(["an error", "an error", "an error"]);
    expect(new ReadError("x")).toBeInstanceOf(Error);
    expect(new TypeError("x")).toBeInstanceOf(Error);
  });

  test("in a rejection that nobody handles", () => {
    process.listeners("unhandledRejection").at(-1)?.(new TypeError(authinfo), Promise.resolve());
    expect(takeFound()).toContain("an error");
  });
});

test.fails("a leaked secret fails its test", () => {
  new Error(authinfo);
});

test("a leaked secret does not fail the next test", () => {
  expect(takeFound()).toEqual([]);
});
