import { describe, expect, test } from "vitest";
import type { OperatorDependencies } from "../../operator/actions/dependencies.ts";
import { createConsole } from "../../operator/console/app.ts";
import { ask, change, wordsOf } from "../support/console.ts";
import { advanceMinutes, done, inDays, paid, stateOf, tell, testCatalog } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const stack = useTestStack();

const minutes = (count: number) => advanceMinutes(stack, count);
const page = async (path: string) => (await ask(stack, path)).text;
const buy = (more: object = {}) => tell(stack, "payment.succeeded", paid(inDays(stack, 30), more));
const words = async (path: string) => wordsOf(await page(path));

describe("a repair is made of what was seen", () => {
  const lose = async () => {
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy();
    await minutes(120);
  };
  const confirmed = async (repair: string) => {
    const text = await page(`/repair?${new URLSearchParams({ repair, name: "standard/42" })}`);
    return { text, operation: /name="operation" value="(\d+)"/.exec(text)?.[1] ?? "" };
  };

  test("the question names the operation, and a yes of before says nothing of a later one", async () => {
    await lose();
    const { text, operation } = await confirmed("never-bought");
    expect(text).toContain("(operation 1, order vmmanager6 for a month)");
    const yes = { repair: "never-bought", name: "standard/42", operation };
    stack.sandbox?.plan({ fault: "act_then_drop", func: "order" });
    expect((await change(stack, "/repair", yes)).status).toBe(303);
    await stack.settle();
    expect((await stateOf(stack))?.operation).toMatchObject({ n: 2, state: "unknown" });
    const again = await change(stack, "/repair", yes);
    expect([again.status, again.text]).toEqual([409, expect.stringContaining("is at operation 2 by now")]);
    await minutes(240);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("one that failed half-way is not said to be undone", async () => {
    await buy();
    await minutes(1);
    const throttled = Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException", $metadata: {} });
    const send = async () => Promise.reject(throttled);
    const deps = {
      table: stack.table,
      send,
      catalog: testCatalog(),
      now: stack.clock.now,
    } as unknown as OperatorDependencies;
    const { request } = createConsole({ where: "a test", world: deps });
    const headers = { host: "127.0.0.1", origin: "http://127.0.0.1" };
    const shown = await (await request("/account", { headers })).text();
    const token = /name="token" value="([0-9a-f]{64})"/.exec(shown)?.[1] ?? "";
    const body = new URLSearchParams({ token, repair: "retry", name: "standard/42" }).toString();
    const form = {
      ...headers,
      "content-type": "application/x-www-form-urlencoded",
      "content-length": `${body.length}`,
    };
    const answer = await request("/repair", { method: "POST", headers: form, body });
    const text = await answer.text();
    expect([answer.status, text]).toEqual([409, expect.stringContaining("It is not known whether it was done")]);
    expect(text).toContain("AWS: ThrottlingException: Rate exceeded");
    expect((await stack.table.load("subscription#standard/42"))?.agenda).toMatchObject({ due: expect.any(String) });
  });

  test("without saying of which, nothing is done", async () => {
    await lose();
    const before = await stateOf(stack);
    expect((await change(stack, "/repair", { repair: "never-bought", name: "standard/42" })).status).toBe(409);
    expect(await stateOf(stack)).toEqual(before);
  });
});

describe("who answers a customer sees", () => {
  const customer = { id: "cus_9", email: "ann@example.com" };

  test("whose a case is, and what to do about it", async () => {
    await buy({ plan: "vm7-monthly", customer });
    await minutes(1);
    const home = await words("/");
    expect(home).toMatch(
      /standard\/42 customer cus_9, ann@example.com since .* nothing in the catalog is sold .* Add the id to the catalog/,
    );
    expect(await words("/subscription?name=standard%2F42")).toContain("Add the id to the catalog");
  });

  test("the plan by the catalog's name, and the shop's own beside it", async () => {
    await buy({ customer });
    await minutes(1);
    expect(await words("/subscription?name=standard%2F42")).toContain("sold 1 × vm6-monthly entitled");
  });

  test("that nothing is paid, where nothing is to be done about it", async () => {
    await tell(stack, "payment.succeeded", {
      ...paid(inDays(stack, 30)),
      paidThrough: inDays(stack, -30).toISOString(),
    });
    await minutes(1);
    expect(await words("/subscription?name=standard%2F42")).toMatch(/not paid nothing/);
  });

  test("what billmgr said, while it is being found out whether anything was done", async () => {
    stack.sandbox?.configure({ balance: 1 });
    await buy({ customer });
    await minutes(2);
    expect(await words("/subscription?name=standard%2F42")).toMatch(/waits wait until .* billmgr said: error money/);
  });

  test("characters that turn the text around by their names", async () => {
    await buy({ customer: { email: "ann@example.com\u202egnp.exe" } });
    await minutes(1);
    const text = await page("/subscription?name=standard%2F42");
    expect(text).toContain("<bdi>ann@example.com[U+202E]gnp.exe</bdi>");
    expect(text).not.toContain("\u202e");
  });

  test("after a refusal, the way back to whom it was about", async () => {
    await buy();
    await minutes(1);
    const { text } = await change(stack, "/repair", {
      repair: "gone",
      name: "standard/42",
      elid: "334673",
      operation: "1",
    });
    expect(text).toContain('<a href="/subscription?name=standard%2F42">Back to <bdi>standard/42</bdi></a>');
  });

  test("no button to stop what is stopped", async () => {
    expect(await page("/")).toContain("Halt all calls…");
    await change(stack, "/halt", { reason: "maintenance" });
    expect(await page("/")).not.toContain("Halt all calls…");
  });
});
