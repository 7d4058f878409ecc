import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { inDays, standardSecret, startTestStack, stateOf } from "../support/local.ts";
import { standardSecretOf } from "../support/secrets.ts";

const run = promisify(execFile);
const senders = fileURLToPath(new URL("../../docs/senders", import.meta.url));
const hosts = fileURLToPath(new URL("../support/senders", import.meta.url));

/** On a machine without PHP these are passed over; where CI is set they are not. */
const hasPhp = (() => {
  try {
    execFileSync("php", ["-r", "exit(function_exists('curl_init') ? 0 : 1);"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const second = (): string => new Date().toISOString().slice(0, 19).replace("T", " ");

let stack: LocalStack;
let folder: string;

beforeEach(async () => {
  const soldAs = { standard: ["whmcs:12", "fossbilling:12", "paymenter:5", "blesta:7"] };
  const addons = { nodes: { perUnit: 1 } };
  stack = await startTestStack({
    clock: new Date(),
    catalog: parseCatalog({
      billmgr: { url: "https://api.ispsystem.com/manager/billmgr" },
      products: { vmmanager6: { pricelist: 55163, addons: { nodes: 55165 } } },
      plans: { "vm6-monthly": { product: "vmmanager6", period: 1, addons, soldAs } },
    }),
  });
  folder = mkdtempSync(join(tmpdir(), "billmgr-webhooks-"));
  mkdirSync(join(folder, "spool"));
  copyFileSync(join(senders, "billmgr-webhooks.php"), join(folder, "billmgr-webhooks.php"));
  configure();
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await stack.stop();
});

function configure(of: object = {}): void {
  const url = `${stack.url}/webhooks/standard`;
  const config = {
    url,
    secret: standardSecret,
    spool: join(folder, "spool"),
    products: [12],
    quantity: "Nodes",
    ...of,
  };
  writeFileSync(join(folder, "config.php"), `<?php return json_decode('${JSON.stringify(config)}', true);`);
}

const env = () => ({
  ...process.env,
  SENDERS: senders,
  BILLMGR_WEBHOOKS: folder,
  BILLMGR_WEBHOOKS_URL: `${stack.url}/webhooks/standard`,
  BILLMGR_WEBHOOKS_SECRET: standardSecret,
});

const php = (file: string, ...args: unknown[]) =>
  run("php", ["-d", "date.timezone=UTC", file, ...args.map((one) => JSON.stringify(one))], { env: env() });
const host = (name: string, ...args: unknown[]) => php(join(hosts, `${name}.php`), ...args);
const flush = () => php(join(folder, "billmgr-webhooks.php"));
const kept = () => readdirSync(join(folder, "spool")).filter((file) => file !== ".lock");

async function serve(listener: RequestListener): Promise<{ url: string; close: () => void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** What billmgr did since it was asked last. */
function watch() {
  let seen = 0;
  return async () => {
    await stack.advanceTo(inDays(stack, 1 / 24));
    const all = (stack.sandbox?.ledger() ?? []).map((entry) =>
      "addons" in entry ? [entry.operation, Number(Object.values(entry.addons)[0] ?? 0)] : entry.operation,
    );
    const since = all.slice(seen);
    seen = all.length;
    return since;
  };
}

const whmcsService = (of: object = {}) => ({
  id: 7,
  clientid: 6,
  pid: 12,
  nextduedate: day(31),
  configoptions: { configoption: [{ id: 1, option: "Nodes", type: "quantity", value: 3 }] },
  ...of,
});

const whmcs = (hook: string, vars: object, service: object = {}) => {
  const items = {
    item: [
      { type: "Hosting", relid: 7 },
      { type: "Hosting", relid: 8 },
      { type: "Domain", relid: 7 },
    ],
  };
  const invoice = { invoiceid: 101, userid: 6, datepaid: second(), items };
  const product = (one: object) => ({ products: { product: [one] } });
  return host(
    "whmcs",
    {
      GetInvoice: { 101: invoice, 102: { ...invoice, invoiceid: 102, datepaid: "0000-00-00 00:00:00" } },
      GetClientsProducts: { 7: product(whmcsService(service)), 8: product(whmcsService({ id: 8, pid: 99 })) },
    },
    [[hook, vars]],
  );
};

describe.skipIf(!hasPhp && process.env.CI !== "true")("in PHP", () => {
  test("WHMCS tells a service's life; what is no license is not told", async () => {
    const done = watch();
    await whmcs("InvoicePaid", { invoiceid: 101 });
    expect(await done()).toEqual([["order", 3]]);
    await whmcs("InvoicePaid", { invoiceid: 101 });
    expect(await done()).toEqual([]);
    await whmcs("InvoicePaid", { invoiceid: 102 }, { nextduedate: day(61) });
    expect(await done()).toEqual(["prolong"]);
    await whmcs("AfterModuleSuspend", { params: { serviceid: 7 } });
    expect(await done()).toEqual(["suspend"]);
    await whmcs("AfterModuleUnsuspend", { params: { serviceid: 7 } });
    expect(await done()).toEqual(["resume"]);
    const configoptions = { configoption: [{ option: "Nodes", value: "5" }] };
    await whmcs("AfterModuleChangePackage", { params: { serviceid: 7 } }, { configoptions });
    expect(await done()).toEqual([["edit", 5]]);
    await whmcs("CancellationRequest", { relid: 7, type: "Immediate" }, { configoptions });
    expect((await stateOf(stack, "standard/7"))?.end).toBeUndefined();
    await whmcs("CancellationRequest", { relid: 7, type: "End of Billing Period" }, { configoptions });
    await stack.settle();
    expect((await stateOf(stack, "standard/7"))?.end?.value).toMatchObject({ is: "scheduled" });
    await whmcs("InvoiceRefunded", { invoiceid: 101 }, { configoptions });
    await whmcs("InvoiceRefunded", { invoiceid: 102 }, { configoptions });
    expect(await done()).toEqual(["suspend"]);
    await whmcs("AfterModuleTerminate", { params: { serviceid: 7 } }, { configoptions });
    await stack.settle();
    expect((await stateOf(stack, "standard/7"))?.end?.value).toEqual({ is: "ended" });
    expect(await stack.table.load("subscription#standard/8")).toBeUndefined();
    expect(kept()).toEqual([]);
  });

  test("FOSSBilling tells an order's life", async () => {
    const done = watch();
    const order = { id: 17, client_id: 6, product_id: 12, quantity: 3, expires_at: `${day(31)} 10:00:00` };
    const fire = (hook: string, of: object = {}) =>
      host("fossbilling", { 17: { ...order, ...of }, 18: { ...order, id: 18, product_id: 99 } }, [
        [hook, 17],
        [hook, 18],
      ]);
    await fire("onAfterAdminOrderActivate");
    await fire("onAfterAdminOrderActivate");
    expect(await done()).toEqual([["order", 3]]);
    await fire("onAfterAdminOrderRenew", { expires_at: `${day(61)} 10:00:00` });
    expect(await done()).toEqual(["prolong"]);
    await fire("onAfterAdminOrderSuspend");
    expect(await done()).toEqual(["suspend"]);
    await fire("onAfterAdminOrderUnsuspend");
    expect(await done()).toEqual(["resume"]);
    await fire("onAfterAdminOrderUpdate", { quantity: 5 });
    expect(await done()).toEqual([["edit", 5]]);
    await fire("onAfterAdminOrderCancel", { quantity: 5, expires_at: null });
    expect(await done()).toEqual(["suspend"]);
    await fire("onAfterAdminOrderUncancel", { quantity: 5 });
    expect(await done()).toEqual(["resume"]);
    await fire("onAfterAdminOrderDelete");
    expect(await done()).toEqual(["suspend"]);
    expect((await stack.table.load("subscription#standard/18"))?.due).toBeUndefined();
    expect(kept()).toEqual([]);
  });

  test("Paymenter tells a service's life", async () => {
    const done = watch();
    const service = {
      id: 27,
      user_id: 6,
      product_id: 12,
      plan_id: 5,
      quantity: 3,
      status: "active",
      expires_at: day(31),
    };
    const fire = (changes: object, of: object = {}, event = "Service\\Updated") =>
      host("paymenter", [
        [`App\\Events\\${event}`, { ...service, ...of }, changes],
        [`App\\Events\\${event}`, { ...service, id: 28, product_id: 99 }, changes],
      ]);
    const paid = (through: string) => fire({ expires_at: through, status: "active" }, { expires_at: through });
    await paid(day(31));
    await paid(day(31));
    expect(await done()).toEqual([["order", 3]]);
    await paid(day(61));
    expect(await done()).toEqual(["prolong"]);
    await fire({ status: "suspended" }, { status: "suspended" });
    expect(await done()).toEqual(["suspend"]);
    await fire({ status: "active" });
    expect(await done()).toEqual(["resume"]);
    await fire({ quantity: 5 }, { quantity: 5 });
    expect(await done()).toEqual([["edit", 5]]);
    const end = async () => {
      await stack.settle();
      return (await stateOf(stack, "standard/27"))?.end?.value.kind;
    };
    await fire({ type: "immediate" }, { quantity: 5 }, "ServiceCancellation\\Created");
    expect(await end()).toBeUndefined();
    await fire({ type: "end_of_period" }, { quantity: 5 }, "ServiceCancellation\\Created");
    expect(await end()).toBe("scheduled");
    await fire({ type: "end_of_period" }, { quantity: 5 }, "ServiceCancellation\\Deleted");
    expect(await end()).toBe("open");
    await fire({ status: "cancelled" }, { quantity: 5, status: "cancelled" });
    expect(await done()).toEqual(["suspend"]);
    expect(await stack.table.load("subscription#standard/28")).toBeUndefined();
    expect(kept()).toEqual([]);
  });

  test("Blesta tells a service's life", async () => {
    const done = watch();
    const service = {
      id: 37,
      client_id: 6,
      status: "active",
      qty: 3,
      date_canceled: null,
      package: { id: 12 },
      package_pricing: { id: 7, term: 1, period: "month" },
    };
    const invoice = {
      id: 201,
      status: "active",
      date_closed: second(),
      line_items: [37, 37, 38, null].map((id) => ({ service_id: id })),
    };
    const fire = (event: string, params: object, of: object = {}, closed: object = {}) =>
      host(
        "blesta",
        {
          Services: { 37: { ...service, ...of }, 38: { ...service, id: 38, package: { id: 99 } } },
          Invoices: { 201: { ...invoice, ...closed }, 202: { ...invoice, id: 202 } },
        },
        [[event, params]],
      );
    await fire("Invoices.setClosedAfter", { invoice_id: 201 }, {}, { date_closed: null });
    expect(await done()).toEqual([]);
    await fire("Invoices.setClosedAfter", { invoice_id: 201 });
    await fire("Invoices.setClosedAfter", { invoice_id: 201 });
    expect(await done()).toEqual([["order", 3]]);
    await fire("Invoices.setClosedAfter", { invoice_id: 202 });
    expect(await done()).toEqual(["prolong"]);
    await fire("Services.suspendAfter", { service_id: 37 });
    expect(await done()).toEqual(["suspend"]);
    await fire("Services.unsuspendAfter", { service_id: 37 });
    expect(await done()).toEqual(["resume"]);
    await fire("Services.editAfter", { service_id: 37 }, { qty: 5 });
    expect(await done()).toEqual([["edit", 5]]);
    await fire("Services.cancelAfter", { service_id: 37 }, { qty: 5, date_canceled: `${day(30)} 00:00:00` });
    await stack.settle();
    expect((await stateOf(stack, "standard/37"))?.end?.value).toMatchObject({ is: "scheduled" });
    await fire("Services.cancelAfter", { service_id: 37 }, { qty: 5, status: "canceled", date_canceled: second() });
    expect(await done()).toEqual(["suspend"]);
    expect(await stack.table.load("subscription#standard/38")).toBeUndefined();
    expect(kept()).toEqual([]);
  });

  test("what cannot be sent is kept, and sent later by cron, once", async () => {
    const done = watch();
    configure({ url: "http://127.0.0.1:1/webhooks/standard" });
    await whmcs("InvoicePaid", { invoiceid: 101 });
    await whmcs("InvoicePaid", { invoiceid: 101 });
    await whmcs("InvoicePaid", { invoiceid: 102 }, { nextduedate: day(61) });
    expect(kept()).toHaveLength(2);
    await expect(flush()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("no answer") });
    expect(kept()).toHaveLength(2);
    configure();
    await Promise.all([flush(), flush().catch(() => {})]);
    await flush();
    expect(kept()).toEqual([]);
    expect(await done()).toEqual([["order", 3], "prolong"]);
  });

  test("a wrong secret keeps events; what would always be refused is put aside for a person", async () => {
    configure({ secret: standardSecretOf("another shop") });
    await whmcs("InvoicePaid", { invoiceid: 101 });
    await expect(flush()).rejects.toMatchObject({ stderr: expect.stringContaining("answered 401") });
    expect(kept()).toHaveLength(1);
    const { url, close } = await serve((_, response) => response.writeHead(400).end("{}"));
    configure({ url });
    await flush();
    close();
    expect(kept()).toEqual([expect.stringMatching(/\.json\.refused$/)]);
  });

  test("a shop goes on when nothing is configured, and says so in its log", async () => {
    rmSync(join(folder, "config.php"));
    expect((await whmcs("InvoicePaid", { invoiceid: 101 })).stderr).toBe("");
    configure({ spool: "" });
    expect((await whmcs("InvoicePaid", { invoiceid: 101 })).stderr).toContain("config.php: spool is missing");
  });
});

describe.each([
  ["TypeScript", process.execPath, "send.ts"],
  ["a shell", "sh", "send.sh"],
])("in %s", (_, command, file) => {
  const data = JSON.stringify({ subscription: "s1", payment: "p1", plan: "vm6-monthly", quantity: 2, months: 1 });
  const send = (of: object = {}) =>
    run(command, [join(senders, file), "paid-p1", "payment.succeeded", data], { env: { ...env(), ...of } });

  test("a payment orders, once", async () => {
    const done = watch();
    await send();
    await send();
    expect(await done()).toEqual([["order", 2]]);
  });

  test("what is refused is an error at once", async () => {
    const secret = standardSecretOf("another shop");
    const failed = expect.stringContaining("payment.succeeded paid-p1: answered 401");
    await expect(send({ BILLMGR_WEBHOOKS_SECRET: secret })).rejects.toMatchObject({ code: 1, stderr: failed });
  });

  test("what is not durable is sent again: the same event under a signature of its own", async () => {
    const heard: { id: unknown; body: string }[] = [];
    const { url, close } = await serve(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      new Webhook(standardSecret).verify(body, request.headers as Record<string, string>);
      heard.push({ id: request.headers["webhook-id"], body });
      response.writeHead(heard.length === 1 ? 503 : 200).end("{}");
    });
    await send({ BILLMGR_WEBHOOKS_URL: url });
    close();
    expect(heard).toEqual([heard[0], heard[0]]);
  });
});
