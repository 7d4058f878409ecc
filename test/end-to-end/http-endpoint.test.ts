import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { ask } from "../support/console.ts";
import {
  authinfo,
  done,
  inDays,
  paid,
  post,
  signStandard,
  standardSecret,
  tell,
  tellStripe,
} from "../support/local.ts";
import { useSharedTestStack, withTestStack } from "../support/test-stack.ts";

const logged: string[] = [];
const record = (message: string, fields: object) => logged.push(JSON.stringify([message, fields]));

const stack = useSharedTestStack({ log: { info: record, warn: record, error: record } });

const standard = (body: string | Buffer, headers: Record<string, string> = {}) =>
  post(`${stack.url}/webhooks/standard`, body, headers);

describe("the HTTP endpoint answers", () => {
  test("200 for /health", async () => {
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });

  test("401 without a signature, and does not log the body", async () => {
    const { status, body } = await standard('{"canary":"unsigned-body"}');
    expect({ status, body }).toEqual({ status: 401, body: { error: expect.stringContaining("webhook-id") } });
    expect(logged.join("\n")).not.toContain("unsigned-body");
  });

  test("401 for a body that was changed after signing", async () => {
    const { status } = await standard('{"type":"b"}', signStandard('{"type":"a"}', stack.clock.now()));
    expect(status).toBe(401);
  });

  test.each([-301, 301])("401 for a signature %i seconds away", async (seconds) => {
    const body = "{}";
    const { status } = await standard(body, signStandard(body, new Date(stack.clock.now().getTime() + seconds * 1000)));
    expect(status).toBe(401);
  });

  test("400 for a signed body that is not JSON", async () => {
    const { status, body } = await standard("nonsense", signStandard("nonsense", stack.clock.now()));
    expect({ status, body }).toEqual({ status: 400, body: { error: "the body is not valid JSON" } });
  });

  test("404 for an unknown storefront", async () => {
    expect((await post(`${stack.url}/webhooks/nobody`, "{}", {})).status).toBe(404);
    expect((await post(`${stack.url}/webhooks/nobody/else`, "{}", {})).status).toBe(404);
  });

  test("404 for a storefront without a secret", async () => {
    const secrets = JSON.stringify({ billmgr: authinfo, storefronts: { standard: [standardSecret] } });
    await withTestStack({ secrets: () => secrets }, async (closed) => {
      const { status, body } = await post(`${closed.url}/webhooks/paddle`, "{}", {});
      expect({ status, body }).toEqual({
        status: 404,
        body: { error: "no signing secret is configured for paddle" },
      });
    });
  });

  test("405 for another method, with the allowed one", async () => {
    const response = await fetch(`${stack.url}/webhooks/standard`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("413 over 1 MiB, 200 at exactly 1 MiB", async () => {
    const of = (size: number) => `"${"x".repeat(size - 2)}"`;
    const exact = of(1024 * 1024);
    const larger = of(1024 * 1024 + 1);
    expect((await standard(larger, signStandard(larger, stack.clock.now()))).status).toBe(413);
    expect((await standard(exact, signStandard(exact, stack.clock.now()))).status).toBe(200);
  });

  test("200 for a signature over raw bytes, with any script and content type", async () => {
    const body = JSON.stringify({ type: "subscription.changed", note: "żółć — 日本" });
    const headers = { ...signStandard(body, stack.clock.now()), "content-type": "application/x-www-form-urlencoded" };
    expect((await standard(Buffer.from(body), headers)).status).toBe(200);
  });

  test("later requests after a connection was lost within a body", async () => {
    const { port } = new URL(stack.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write("POST /webhooks/standard HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{");
        socket.destroy();
        resolve();
      });
    });
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });
});

describe("a signed webhook", () => {
  test("of an unknown type is answered 200 and stored as ignored with the reason", async () => {
    const { status } = await tell(stack, "invoice.drafted", {}, { id: "msg_unknown" });
    await stack.settle();
    const [stored] = await stack.table.events("event#standard/msg_unknown");
    expect(status).toBe(200);
    expect(stored).toMatchObject({ status: "ignored", reason: expect.stringContaining("invoice.drafted") });
  });

  test("that cannot be parsed is answered 200 and stored as unparseable with its body", async () => {
    const { status } = await tell(stack, "payment.succeeded", { plan: "vm6-monthly" }, { id: "msg_unparseable" });
    await stack.settle();
    const [stored] = await stack.table.events("event#standard/msg_unparseable");
    expect(status).toBe(200);
    expect(stored).toMatchObject({
      status: "unparseable",
      reason: "data.payment: missing; expected a string or a number",
    });
    expect(stored?.received.body).toContain("vm6-monthly");
  });

  test("with a plan that is not in the catalog buys nothing and needs attention", async () => {
    const before = done(stack).length;
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription: "odd", plan: "vm6-montly" }));
    await stack.settle();
    const stored = await stack.table.load("subscription#standard/odd");
    expect(stored?.subscription.attention).toMatchObject([{ reason: { code: "unknown_item" } }]);
    expect(await stack.table.events("subscription#standard/odd")).toHaveLength(1);
    expect(done(stack)).toHaveLength(before);
  });

  test("that is a thin Stripe event is stored as unparseable", async () => {
    const thin = { id: "evt_thin", object: "v2.core.event", type: "v1.billing.meter.error_report_triggered" };
    expect((await tellStripe(stack, thin)).status).toBe(200);
    await stack.settle();
    expect(await stack.table.events("event#stripe/evt_thin")).toMatchObject([{ status: "unparseable" }]);
  });
});

test("the endpoint answers 503 while secrets cannot be read, and recovers", { timeout: 15_000 }, async () => {
  let broken = true;
  const secrets = JSON.stringify({
    billmgr: authinfo,
    storefronts: { standard: [standardSecret] },
  });
  await withTestStack({ secrets: () => (broken ? "not filled in" : secrets) }, async (other) => {
    const { status, body } = await post(`${other.url}/webhooks/standard`, "{}", {});
    expect([status, body.error]).toEqual([503, "the signing secrets cannot be read; send the webhook again later"]);
    broken = false;
    await expect
      .poll(async () => (await post(`${other.url}/webhooks/standard`, "{}", {})).status, { timeout: 10_000 })
      .toBe(401);
  });
});

describe("the controls of the local system", () => {
  const request = (path: string, headers: Record<string, string>, body?: string) =>
    ask(stack, path, { method: body === undefined ? "GET" : "POST", headers, ...(body !== undefined && { body }) });
  const month = JSON.stringify({ advance: "P30D" });

  test.each<[string, string, Record<string, string>]>([
    ["the clock, from another origin", "/local/clock", { origin: "https://evil.example" }],
    ["the clock, from an opaque origin", "/local/clock", { origin: "null" }],
    ["the clock, through a foreign host name", "/local/clock", { host: "evil.example" }],
    ["faults, from another origin", "/sandbox/faults", { origin: "https://evil.example" }],
  ])("refuse to change %s", async (_, path, headers) => {
    const before = stack.clock.now().getTime();
    expect((await request(path, headers, month)).status).toBe(403);
    expect(stack.clock.now().getTime() - before).toBeLessThan(60_000);
  });

  test("do not reveal the addresses of the services through a foreign host name", async () => {
    expect((await request("/local/parts", { host: "evil.example" })).status).toBe(403);
    expect((await request("/local/parts", {})).status).toBe(200);
    expect((await request("/local/clock", { origin: stack.url })).status).toBe(200);
  });

  test("accept webhooks through any host name, such as that of a tunnel", async () => {
    const { status } = await request("/webhooks/standard", { host: "shop.tunnel.example" }, "{}");
    expect(status).toBe(401);
  });
});
