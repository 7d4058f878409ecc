import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { authinfo, post, signStandard, standardSecret } from "../support/local.ts";
import { canary } from "../support/secrets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let secrets: string;
let running: ChildProcess | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "billmgr-webhooks-"));
  secrets = file("secrets.json", {
    billmgr: authinfo,
    storefronts: { standard: [standardSecret] },
  });
});
afterEach(() => running?.kill("SIGKILL"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** `npm start` as its own process. */
function start(...args: string[]) {
  const child = spawn(process.execPath, ["local/main.ts", ...args], { cwd: root });
  running = child;
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const opened = async () => {
    const url = await vi.waitFor(
      () => /listening at (\S+)/.exec(output)?.[1] ?? Promise.reject(new Error(output)),
      15_000,
    );
    await vi.waitFor(async () => expect((await fetch(`${url}/health`)).status).toBe(200), 15_000);
    return url;
  };
  return { child, ended, opened, output: () => output };
}

const withSecrets = (...args: string[]) => start("--port", "0", "--secrets", secrets, ...args);

describe("npm start reports without a stack trace", { timeout: 30_000 }, () => {
  const catalog = {
    billmgr: { url: "https://api.ispsystem.com/manager/billmgr" },
    products: { vmmanager6: { pricelist: 55163 } },
    plans: { monthly: { product: "vmmanager", period: "1" } },
    policy: { graceDay: 3 },
  };
  test.each([
    ["a mistyped option", () => ["--prot", "1"], '--prot is not an option; did you mean "port"?'],
    ["a catalog file that does not exist", () => ["--catalog", "nowhere.json"], "nowhere.json does not exist"],
    [
      "a catalog that is not JSON",
      () => ["--catalog", file("bad.json", "{")],
      "bad.json:1:2: the catalog file is not valid JSON",
    ],
    [
      "a wrong type in the catalog",
      () => ["--catalog", file("a.json", catalog)],
      'plans.monthly.period is "1"; expected a number',
    ],
    [
      "a mistyped name",
      () => ["--catalog", file("b.json", catalog)],
      'policy.graceDay is not a setting; did you mean "graceDays"?',
    ],
    [
      "invalid secrets",
      () => ["--secrets", file("s.json", { billmgr: canary })],
      's.json:1:2: billmgr is a string; expected "user:password"',
    ],
    [
      "an API key in place of a signing secret",
      () => ["--secrets", file("t.json", { billmgr: authinfo, storefronts: { stripe: [`sk_live_${canary}`] } })],
      "storefronts.stripe[0] is no signing secret",
    ],
    ["an invalid time", () => ["--clock", "yesterday"], '--clock is "yesterday"; expected an ISO 8601 time'],
    [
      "an invalid URL",
      () => ["--billmgr", "api.ispsystem.com"],
      '--billmgr is "api.ispsystem.com"; expected an https URL',
    ],
  ])("%s", async (_, args, response) => {
    const { ended, output } = start(...args());
    expect(await ended).toBe(1);
    expect(output()).toContain(response);
    expect(output()).not.toMatch(/^\s+at /m);
    expect(output()).not.toContain(`sk_live_${canary}`);
  });

  test("a busy port", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const { ended, output } = start("--port", String(port), "--secrets", secrets);
    expect(await ended).toBe(1);
    expect(output()).toBe(`port ${port} is in use; choose another one with --port\n`);
    server.close();
  });

  test("an unreachable billmgr, and continues", async () => {
    const { opened, output, child, ended } = withSecrets("--billmgr", "http://127.0.0.1:1025/billmgr");
    await opened();
    await vi.waitFor(() =>
      expect(output()).toContain(
        "billmgr cannot be reached at http://127.0.0.1:1025/billmgr (connect ECONNREFUSED 127.0.0.1:1025)",
      ),
    );
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });
});

test("--data keeps licenses, subscriptions, and the clock between runs; Ctrl-C stops cleanly", {
  timeout: 60_000,
}, async () => {
  const args = ["--data", join(folder, "data"), "--clock", "2030-01-01T00:00:00Z"];
  const first = withSecrets(...args);
  let url = await first.opened();
  const buy = async (payment: string, paidThrough: string) => {
    const { now } = (await (await fetch(`${url}/local/clock`)).json()) as { now: string };
    const data = { subscription: "7", plan: "vm6-monthly", payment, paidThrough };
    const body = JSON.stringify({ type: "payment.succeeded", timestamp: now, data });
    return post(`${url}/webhooks/standard`, body, signStandard(body, new Date(now), `msg_${payment}`));
  };
  const advance = (span: string) =>
    fetch(`${url}/local/clock`, { method: "POST", body: JSON.stringify({ advance: span }) });
  const operations = async () =>
    ((await (await fetch(`${url}/sandbox/ledger`)).json()) as { operation: string }[]).map(
      ({ operation }) => operation,
    );

  await buy("first", "2030-02-01T00:00:00Z");
  await advance("P10D");
  expect(await operations()).toEqual(["order"]);
  first.child.kill("SIGINT");
  expect(await first.ended).toBe(0);

  const second = withSecrets(...args.slice(0, 2));
  url = await second.opened();
  await buy("second", "2030-03-01T00:00:00Z");
  await advance("PT1M");
  expect(await operations()).toEqual(["order", "prolong"]);
  const { now } = (await (await fetch(`${url}/local/clock`)).json()) as { now: string };
  expect(now.slice(0, 10)).toBe("2030-01-11");
  second.child.kill("SIGTERM");
  expect(await second.ended).toBe(0);
});

test("a webhook that was answered 200 survives a process that is killed immediately", { timeout: 90_000 }, async () => {
  const args = ["--data", join(folder, "killed"), "--clock", "2030-01-01T00:00:00Z"];
  const first = withSecrets(...args);
  const url = await first.opened();
  const buyers = Array.from({ length: 12 }, (_, i) => `buyer-${i}`);
  const answers = buyers.map((subscription) => {
    const now = "2030-01-01T00:00:10.000Z";
    const data = { subscription, plan: "vm6-monthly", payment: "p", paidThrough: "2030-02-01T00:00:00Z" };
    const body = JSON.stringify({ type: "payment.succeeded", timestamp: now, data });
    return post(`${url}/webhooks/standard`, body, signStandard(body, new Date(now), subscription));
  });
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(buyers.map(() => 200));
  first.child.kill("SIGKILL");
  await first.ended;

  const second = withSecrets(...args.slice(0, 2));
  const again = await second.opened();
  await fetch(`${again}/local/clock`, { method: "POST", body: JSON.stringify({ advance: "PT3H" }) });
  const licenses = (await (await fetch(`${again}/sandbox/licenses`)).json()) as { remoteid: string }[];
  expect(licenses).toHaveLength(buyers.length);
  expect(new Set(licenses.map(({ remoteid }) => remoteid)).size).toBe(buyers.length);
  second.child.kill("SIGTERM");
  expect(await second.ended).toBe(0);
});
