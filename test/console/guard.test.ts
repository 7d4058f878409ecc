import { beforeAll, describe, expect, test } from "vitest";
import { ask, change, tokenOf } from "../support/console.ts";
import { inDays, paid, tell } from "../support/local.ts";
import { useSharedTestStack, withTestStack } from "../support/test-stack.ts";

const stack = useSharedTestStack();
beforeAll(async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await stack.settle();
});

const isHalted = async () => (await stack.table.halt()) !== undefined;

describe("access", () => {
  test.each(["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "localhost.evil.example:80"])(
    "a request with the host %j is refused",
    async (host) => {
      const { status, text } = await ask(stack, "/", { headers: { host } });
      expect(status).toBe(421);
      expect(text).not.toContain("standard/42");
    },
  );

  test.each(["localhost:1234", "127.0.0.1"])("the host %s is accepted", async (host) => {
    expect((await ask(stack, "/", { headers: { host } })).status).toBe(200);
  });

  test.each(["https://evil.example", "http://127.0.0.1:1", "http://localhost", "null", ""])(
    "a change from a page of %j is refused",
    async (origin) => {
      expect((await change(stack, "/halt", { reason: "x" }, { origin })).status).toBe(403);
      expect(await isHalted()).toBe(false);
    },
  );

  test.each(["", "0".repeat(64), "é".repeat(64)])("a change with the token %j is refused", async (token) => {
    expect((await change(stack, "/halt", { reason: "x", token })).status).toBe(403);
    expect(await isHalted()).toBe(false);
  });

  test("a change without a token is refused", async () => {
    const headers = { origin: stack.url, "content-length": "0" };
    const { status } = await ask(stack, "/halt", { method: "POST", headers });
    expect([status, await isHalted()]).toEqual([403, false]);
  });

  test.each(["PUT", "DELETE", "PATCH", "OPTIONS"])("the method %s is refused", async (method) => {
    const { status, headers } = await ask(stack, "/halt", { method, headers: { origin: stack.url } });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD, POST"]);
  });

  test("a form of more than 64 KiB is refused", async () => {
    expect((await change(stack, "/halt", { reason: "x".repeat(70_000) })).status).toBe(413);
    const headers = { "transfer-encoding": "chunked" };
    expect((await change(stack, "/halt", { reason: "without a length" }, headers)).status).toBe(413);
    expect(await isHalted()).toBe(false);
  });

  test("a change from the form of a page is made", async () => {
    expect((await change(stack, "/halt", { reason: "to see" })).status).toBe(303);
    expect((await stack.table.halt())?.reason).toBe("to see");
    await change(stack, "/resume", {});
    expect(await isHalted()).toBe(false);
  });

  test("every start has a new token", async () => {
    await withTestStack({}, async (other) => {
      expect(await tokenOf(other)).not.toBe(await tokenOf(stack));
    });
  });
});

const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

test.each([
  "/",
  "/operations",
  "/scheduled",
  "/account",
  "/try",
  "/subscription?name=standard/42",
  "/find?text=42",
  "/nothing",
  "/assets/style.css",
])("%s allows no foreign content, no inline content, no framing, and no caching", async (path) => {
  const { headers, text } = await ask(stack, path);
  expect(headers["content-security-policy"]).toBe(policy);
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["cache-control"]).toBe("no-store");
  expect(text).not.toMatch(/ style="| on\w+="|<style|<script(?! src="\/assets\/)|(src|href|action)="(?!\/|#)/);
});

test("webhooks and local endpoints are answered under any host name", async () => {
  const headers = { host: "tunnel.example" };
  expect((await ask(stack, "/health", { headers })).text).toBe('{"status":"ok"}');
  expect((await ask(stack, "/webhooks/standard", { method: "POST", headers })).status).toBe(401);
  expect(JSON.parse((await ask(stack, "/local/clock")).text)).toHaveProperty("now");
  expect((await ask(stack, "/local/nothing")).headers["content-type"]).toBe("application/json");
});
