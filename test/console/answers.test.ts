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

describe("a repair applies to the operation that was confirmed", () => {
  const leaveOrderInCart = async () => {
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy();
    await minutes(120);
  };
  const openConfirmation = async (repair: string) => {
    const text = await page(`/repair?${new URLSearchParams({ repair, name: "standard/42" })}`);
    return { text, operation: /name="operation" value="(\d+)"/.exec(text)?.[1] ?? "" };
  };

  test("the confirmation names the operation, and does not count for a later one", async () => {
    await leaveOrderInCart();
    const { text, operation } = await openConfirmation("never-bought");
    expect(text).toContain("(operation 1, order vmmanager6 for a month)");
    const confirmation = { repair: "never-bought", name: "standard/42", operation };
    stack.sandbox?.plan({ fault: "act_then_drop", func: "order" });
    expect((await change(stack, "/repair", confirmation)).status).toBe(303);
    await stack.settle();
    expect((await stateOf(stack))?.operation).toMatchObject({ n: 2, state: "unknown" });
    const again = await change(stack, "/repair", confirmation);
    expect([again.status, again.text]).toEqual([409, expect.stringContaining("is at operation 2 now")]);
    await minutes(240);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("a change that failed halfway is reported as unknown", async () => {
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
    const { request } = createConsole({ where: "a test", deps });
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
    expect([answer.status, text]).toEqual([409, expect.stringContaining("It is unknown whether the change was made")]);
    expect(text).toContain("AWS: ThrottlingException: Rate exceeded");
    expect((await stack.table.load("subscription#standard/42"))?.due).toEqual(expect.any(String));
  });

  test("a repair without an operation number is refused", async () => {
    await leaveOrderInCart();
    const before = await stateOf(stack);
    expect((await change(stack, "/repair", { repair: "never-bought", name: "standard/42" })).status).toBe(409);
    expect(await stateOf(stack)).toEqual(before);
  });
});

describe("the page shows", () => {
  const customer = { id: "cus_9", email: "ann@example.com" };

  test("the customer of an attention item, and what to do about it", async () => {
    await buy({ plan: "vm7-monthly", customer });
    await minutes(1);
    const home = await words("/");
    expect(home).toMatch(
      /standard\/42 customer cus_9, ann@example.com since .* The catalog sells nothing .* Add the id to the catalog/,
    );
    expect(await words("/subscription?name=standard%2F42")).toContain("Add the id to the catalog");
  });

  test("the plan by its name in the catalog", async () => {
    await buy({ customer });
    await minutes(1);
    expect(await words("/subscription?name=standard%2F42")).toContain("sold 1 × vm6-monthly paid until");
  });

  test("that nothing is paid, even if nothing is to be done about it", async () => {
    await tell(stack, "payment.succeeded", {
      ...paid(inDays(stack, 30)),
      paidThrough: inDays(stack, -30).toISOString(),
    });
    await minutes(1);
    expect(await words("/subscription?name=standard%2F42")).toMatch(/not paid nothing to do/);
  });

  test("the response of billmgr while the outcome is unknown", async () => {
    stack.sandbox?.configure({ balance: 1 });
    await buy({ customer });
    await minutes(2);
    expect(await words("/subscription?name=standard%2F42")).toMatch(
      /scheduled check again at .* billmgr responded: error money/,
    );
  });

  test("bidirectional control characters by their code points", async () => {
    await buy({ customer: { email: "ann@example.com\u202egnp.exe" } });
    await minutes(1);
    const text = await page("/subscription?name=standard%2F42");
    expect(text).toContain("<bdi>ann@example.com[U+202E]gnp.exe</bdi>");
    expect(text).not.toContain("\u202e");
  });

  test("a link back to the subscription after a refused repair", async () => {
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

  test("no halt button during a halt", async () => {
    expect(await page("/")).toContain("Halt all calls…");
    await change(stack, "/halt", { reason: "maintenance" });
    expect(await page("/")).not.toContain("Halt all calls…");
  });
});
