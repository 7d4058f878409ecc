import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { inDays, paid, tell } from "../support/local.ts";
import { useSharedTestStack } from "../support/test-stack.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const stack = useSharedTestStack();
let child: ChildProcess;
let address = "";

const command = (...args: string[]) => {
  const started = spawn(process.execPath, ["operator/cli/console.ts", ...args], { cwd: root });
  let output = "";
  for (const stream of [started.stdout, started.stderr]) stream?.on("data", (piece) => (output += piece));
  const ended = new Promise<number | null>((resolve) => started.on("close", resolve));
  return { started, ended, output: () => output };
};

const addressIn = (output: () => string): Promise<string> =>
  vi.waitFor(() => /open at (\S+)/.exec(output())?.[1] ?? Promise.reject(new Error(output())), 20_000);

beforeAll(async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await stack.settle();
  const { started, output } = command("--url", stack.url, "--port", "0");
  child = started;
  address = await addressIn(output);
});
afterAll(() => void child?.kill("SIGKILL"));

const openConsole = async (): Promise<(path: string) => Promise<string>> => {
  const { headers } = await fetch(address, { redirect: "manual" });
  const cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(headers.get("set-cookie")).toMatch(/; Path=\/; HttpOnly; SameSite=Strict/);
  return async (path) => (await fetch(new URL(path, address), { headers: { cookie } })).text();
};

test("only requests with the printed access key are answered", async () => {
  for (const path of [
    "/",
    "/subscription?name=standard/42",
    "/?key=",
    `/?key=${"0".repeat(32)}`,
    "/assets/style.css",
    "/live",
  ]) {
    const response = await fetch(new URL(path, address));
    expect([path, response.status, await response.text()]).toEqual([
      path,
      401,
      expect.stringContaining("access key missing"),
    ]);
  }
  const page = await openConsole();
  expect(await page("/subscription?name=standard/42")).toContain("334673");
});

test("two consoles work in one browser, although it shares cookies between ports", async () => {
  const { started, output } = command("--url", stack.url, "--port", "0");
  const other = await addressIn(output);
  const jar = new Map<string, string>();
  for (const each of [address, other]) {
    const { headers } = await fetch(each, { redirect: "manual" });
    const [name = "", value = ""] = (headers.get("set-cookie")?.split(";")[0] ?? "").split("=");
    jar.set(name, value);
  }
  const cookie = [...jar].map((pair) => pair.join("=")).join("; ");
  for (const each of [address, other]) {
    expect((await fetch(new URL("/", each), { headers: { cookie } })).status).toBe(200);
  }
  started.kill("SIGKILL");
});

test("the console shows the same system at its time, without Try it", async () => {
  const page = await openConsole();
  await stack.advanceTo(new Date("2027-05-01T10:00:30Z"));
  const home = await page("/");
  expect(home).toMatch(/<p class="clock"><time[^>]*>2027-05-01 10:00/);
  expect(home).not.toContain("Try it");
  expect(await page("/try")).toContain("This page does not exist.");
});

test.each([
  [[], "pass either --stack or --url"],
  [["--stack", "a", "--url", "http://127.0.0.1:1"], "pass either --stack or --url"],
  [["--url", "nonsense"], '--url: found "nonsense"'],
  [["--url", "http://127.0.0.1:1"], "nothing answers at http://127.0.0.1:1"],
  [["--url", "http://127.0.0.1:1", "--port", "x"], '--port: found "x"'],
  [["--stak", "a"], 'did you mean "stack"?'],
])("wrong usage is explained without a stack trace: %j", async (args, why) => {
  const { ended, output } = command(...args);
  expect(await ended).toBe(1);
  expect(output()).toContain(why);
  expect(output()).not.toMatch(/^ {4}at /m);
});

test("the console stops on SIGTERM", async () => {
  const { started, ended, output } = command("--url", stack.url, "--port", "0");
  await vi.waitFor(() => expect(output()).toContain("open at"), 20_000);
  started.kill("SIGTERM");
  expect(await ended).toBe(0);
});
