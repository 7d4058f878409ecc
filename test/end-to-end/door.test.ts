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
const note = (message: string, fields: object) => logged.push(JSON.stringify([message, fields]));

const stack = useSharedTestStack({ log: { info: note, warn: note, error: note } });

const standard = (body: string | Buffer, headers: Record<string, string> = {}) =>
  post(`${stack.url}/webhooks/standard`, body, headers);

describe("what the door answers", () => {
  test("200 for health, once it is open", async () => {
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });

  test("401 without a signature, and nothing of the body in the log", async () => {
    const { status, body } = await standard('{"canary":"unsigned-body"}');
    expect({ status, body }).toEqual({ status: 401, body: { error: expect.stringContaining("webhook-id") } });
    expect(logged.join("\n")).not.toContain("unsigned-body");
  });

  test("401 for a body that was changed after it was signed", async () => {
    const { status } = await standard('{"type":"b"}', signStandard('{"type":"a"}', stack.clock.now()));
    expect(status).toBe(401);
  });

  test.each([-301, 301])("401 for a signature %i seconds away", async (seconds) => {
    const body = "{}";
    const { status } = await standard(body, signStandard(body, new Date(stack.clock.now().getTime() + seconds * 1000)));
    expect(status).toBe(401);
  });

  test("400 for what is signed and not JSON", async () => {
    const { status, body } = await standard("nonsense", signStandard("nonsense", stack.clock.now()));
    expect({ status, body }).toEqual({ status: 400, body: { error: "the body is not JSON" } });
  });

  test("404 for a storefront that there is none of", async () => {
    expect((await post(`${stack.url}/webhooks/nobody`, "{}", {})).status).toBe(404);
    expect((await post(`${stack.url}/webhooks/nobody/else`, "{}", {})).status).toBe(404);
  });

  test("404 for a storefront that has no secret", async () => {
    const secrets = JSON.stringify({ billmgr: authinfo, storefronts: { standard: [standardSecret] } });
    await withTestStack({ secrets: () => secrets }, async (closed) => {
      const { status, body } = await post(`${closed.url}/webhooks/paddle`, "{}", {});
      expect({ status, body }).toEqual({
        status: 404,
        body: { error: "no signing secret is configured for paddle" },
      });
    });
  });

  test("405 for another method, naming the right one", async () => {
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

  test("raw bytes are what is signed: other scripts, and a form's content type", async () => {
    const body = JSON.stringify({ type: "subscription.changed", note: "żółć — 日本" });
    const headers = { ...signStandard(body, stack.clock.now()), "content-type": "application/x-www-form-urlencoded" };
    expect((await standard(Buffer.from(body), headers)).status).toBe(200);
  });

  test("a connection that dies amid the body does no harm", async () => {
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

describe("signed, and nothing to be done", () => {
  test("an unknown type is answered 200 and recorded as ignored with the reason", async () => {
    const { status } = await tell(stack, "invoice.drafted", {}, { id: "msg_unknown" });
    await stack.settle();
    const [stored] = await stack.table.events("event#standard/msg_unknown");
    expect(status).toBe(200);
    expect(stored).toMatchObject({ status: "ignored", reason: expect.stringContaining("invoice.drafted") });
  });

  test("what cannot be understood is answered 200, stored whole, and waits for a person", async () => {
    const { status } = await tell(stack, "payment.succeeded", { plan: "vm6-monthly" }, { id: "msg_unclear" });
    await stack.settle();
    const [stored] = await stack.table.events("event#standard/msg_unclear");
    expect(status).toBe(200);
    expect(stored).toMatchObject({
      status: "unparseable",
      reason: "data.payment: missing, expected a string or a number",
    });
    expect(stored?.received.body).toContain("vm6-monthly");
  });

  test("a plan that is not in the catalog is stored and waits for a person; nothing is bought", async () => {
    const before = done(stack).length;
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription: "odd", plan: "vm6-montly" }));
    await stack.settle();
    const stored = await stack.table.load("subscription#standard/odd");
    expect(stored?.subscription.attention).toMatchObject([{ reason: { code: "unknown_item" } }]);
    expect(await stack.table.events("subscription#standard/odd")).toHaveLength(1);
    expect(done(stack)).toHaveLength(before);
  });

  test("a thin Stripe event waits for a person", async () => {
    const thin = { id: "evt_thin", object: "v2.core.event", type: "v1.billing.meter.error_report_triggered" };
    expect((await tellStripe(stack, thin)).status).toBe(200);
    await stack.settle();
    expect(await stack.table.events("event#stripe/evt_thin")).toMatchObject([{ status: "unparseable" }]);
  });
});

test("503 while secrets cannot be read, and everything works once they can", { timeout: 15_000 }, async () => {
  let broken = true;
  const secrets = JSON.stringify({
    billmgr: authinfo,
    storefronts: { standard: [standardSecret] },
  });
  await withTestStack({ secrets: () => (broken ? "not filled in" : secrets) }, async (other) => {
    const { status, body } = await post(`${other.url}/webhooks/standard`, "{}", {});
    expect([status, body.error]).toEqual([503, "the signing secrets cannot be read now"]);
    broken = false;
    await expect
      .poll(async () => (await post(`${other.url}/webhooks/standard`, "{}", {})).status, { timeout: 10_000 })
      .toBe(401);
  });
});

describe("what moves the local system", () => {
  const lever = (path: string, headers: Record<string, string>, body?: string) =>
    ask(stack, path, { method: body === undefined ? "GET" : "POST", headers, ...(body !== undefined && { body }) });
  const month = JSON.stringify({ advance: "P30D" });

  test.each<[string, string, Record<string, string>]>([
    ["the clock, for a page of somebody else's", "/local/clock", { origin: "https://evil.example" }],
    ["the clock, for a page without an origin of its own", "/local/clock", { origin: "null" }],
    ["the clock, by a name that somebody had lead here", "/local/clock", { host: "evil.example" }],
    ["faults, for a page of somebody else's", "/sandbox/faults", { origin: "https://evil.example" }],
  ])("does not move %s", async (_, path, headers) => {
    const before = stack.clock.now().getTime();
    expect((await lever(path, headers, month)).status).toBe(403);
    expect(stack.clock.now().getTime() - before).toBeLessThan(60_000);
  });

  test("where the secrets are is not told by another name", async () => {
    expect((await lever("/local/parts", { host: "evil.example" })).status).toBe(403);
    expect((await lever("/local/parts", {})).status).toBe(200);
    expect((await lever("/local/clock", { origin: stack.url })).status).toBe(200);
  });

  test("webhooks come by any name: a tunnel has its own", async () => {
    const { status } = await lever("/webhooks/standard", { host: "shop.tunnel.example" }, "{}");
    expect(status).toBe(401);
  });
});
