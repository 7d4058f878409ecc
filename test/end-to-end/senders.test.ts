import { rmSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { standardSecret } from "../support/local.ts";
import { standardSecretOf } from "../support/secrets.ts";
import { canSkipPhp, day, runProgram, type Shop, senders, serve, startShop } from "../support/senders/shop.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await startShop();
  const items = { item: [{ type: "Hosting", relid: 7 }] };
  const configoptions = { configoption: [{ option: "Nodes", value: 3 }] };
  shop.setState({
    services: { 7: { id: 7, clientid: 6, pid: 12, nextduedate: day(0), status: "Active", configoptions } },
    invoices: { 101: { items }, 102: { items } },
  });
});
afterEach(() => shop.stop());

const pay = (invoice: number) => shop.run("whmcs", ["pay", invoice]);
const nowhere = "http://127.0.0.1:1/webhooks/standard";

describe.skipIf(canSkipPhp)("the spool of the PHP senders", () => {
  test("an unsent event is kept and shown, and cron sends it once", async () => {
    shop.configure({ url: nowhere });
    await pay(101);
    await pay(102);
    expect(shop.unsent()).toHaveLength(2);
    await expect(shop.command()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("no answer") });
    await expect(shop.command("list")).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^waiting {2}\S+Z {2}payment\.succeeded {2}whmcs-invoice-10[12]-service-7 {2}no answer: /,
      ),
    });
    expect(shop.unsent()).toHaveLength(2);
    shop.configure();
    await Promise.all([shop.command(), shop.command().catch(() => {})]);
    await shop.command();
    expect(shop.unsent()).toEqual([]);
    expect((await shop.command("list")).stdout).toBe("Nothing waits.\n");
    expect(await shop.done()).toEqual(["order 55165=3", "prolong"]);
  });

  test("a page waits for one answer at most, though it has several events", async () => {
    let requests = 0;
    const { url, close } = await serve((_, response) => {
      requests += 1;
      response.writeHead(503).end("{}");
    });
    shop.configure({ url });
    await shop.run("whmcs", ["pay", 101], ["pay", 102], ["module", "Suspend", 7]);
    close();
    expect(requests).toBe(1);
    expect(shop.unsent()).toHaveLength(3);
  });

  test("events stay queued while the secret is wrong; an operator can retry refused events", async () => {
    shop.configure({ secret: standardSecretOf("another shop") });
    await pay(101);
    await expect(shop.command()).rejects.toMatchObject({ stderr: expect.stringContaining("answered 401") });
    expect(shop.unsent()).toHaveLength(1);
    const { url, close } = await serve((_, response) => response.writeHead(400).end('{"error":"not JSON"}'));
    shop.configure({ url });
    await shop.command();
    close();
    expect(shop.unsent()).toEqual([expect.stringMatching(/\.json\.refused$/)]);
    await expect(shop.command("list")).rejects.toMatchObject({
      stdout: expect.stringMatching(/^refused .* answered 400: \{"error":"not JSON"\}\n$/),
    });
    shop.configure();
    await shop.command("retry");
    expect(shop.unsent()).toEqual([]);
    expect(await shop.done()).toEqual(["order 55165=3"]);
  });

  test("a shop without a configuration continues, and logs that it is missing", async () => {
    rmSync(join(shop.folder, "config.php"));
    expect((await pay(101)).stderr).toContain("config.php is missing; nothing is sent");
    shop.configure({ spool: "" });
    expect((await pay(102)).stderr).toContain("config.php: spool is missing");
    await expect(shop.command("lsit")).rejects.toMatchObject({ code: 2 });
  });

  test("an event is sent though the spool cannot be written", async () => {
    shop.configure({ spool: join(shop.folder, "no-such-directory") });
    expect((await pay(101)).stderr).toContain("cannot be kept in");
    expect(await shop.done()).toEqual(["order 55165=3"]);
  });
});

describe.each([
  ["TypeScript", process.execPath, "send.ts"],
  ["a shell", "sh", "send.sh"],
])("in %s", (_, command, file) => {
  const data = JSON.stringify({ subscription: "s1", payment: "p1", plan: "vm6-monthly", quantity: 2, months: 1 });
  const send = (changes: object = {}) =>
    runProgram(command, [join(senders, file), "paid-p1", "payment.succeeded", data], {
      env: { ...shop.environment(), ...changes },
    });

  test("a payment orders, once", async () => {
    await send();
    await send();
    expect(await shop.done()).toEqual(["order 55165=2"]);
  });

  test("a refused event is an error immediately", async () => {
    const secret = standardSecretOf("another shop");
    const failed = expect.stringContaining("payment.succeeded paid-p1: answered 401");
    await expect(send({ BILLMGR_WEBHOOKS_SECRET: secret })).rejects.toMatchObject({ code: 1, stderr: failed });
  });

  test("an event that was not stored is sent again with a new signature", async () => {
    const received: { id: unknown; body: string }[] = [];
    const { url, close } = await serve(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      new Webhook(standardSecret).verify(body, request.headers as Record<string, string>);
      received.push({ id: request.headers["webhook-id"], body });
      response.writeHead(received.length === 1 ? 503 : 200).end("{}");
    });
    await send({ BILLMGR_WEBHOOKS_URL: url });
    close();
    expect(received).toEqual([received[0], received[0]]);
  });
});
