/** A local system, a folder with copies of the PHP senders, and a test double of a shop. */
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LocalStack } from "../../../local/stack.ts";
import { parseCatalog } from "../../../shared/licensing/catalog.ts";
import { inDays, standardSecret, startTestStack, stateOf } from "../local.ts";

export const runProgram = promisify(execFile);
export const senders = fileURLToPath(new URL("../../../docs/senders", import.meta.url));
const doubles = fileURLToPath(new URL(".", import.meta.url));

/** A machine without PHP skips the tests of the PHP senders. If CI is set, it must have PHP. */
export const canSkipPhp = ((): boolean => {
  if (process.env.CI === "true") return false;
  try {
    execFileSync("php", ["-r", "exit(function_exists('curl_init') ? 0 : 1);"], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
})();

/** A date or a time `days` from now, as databases of shops write it. */
export const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
export const midnight = (days: number): string => `${day(days)} 00:00:00`;

export type Shop = {
  stack: LocalStack;
  folder: string;
  url: string;
  configure: (changes?: object) => void;
  environment: () => NodeJS.ProcessEnv;
  /** Runs operations of a double. The state of its earlier operations is kept. */
  run: (double: string, ...operations: [string, ...unknown[]][]) => Promise<{ stdout: string; stderr: string }>;
  setState: (state: object) => void;
  state: () => Record<string, never>;
  command: (...args: string[]) => Promise<{ stdout: string; stderr: string }>;
  unsent: () => string[];
  /** @returns billmgr's operations since the last call, with the addons that they set */
  done: () => Promise<string[]>;
  endOf: (subscription: string) => Promise<string | undefined>;
  stop: () => Promise<void>;
};

export async function startShop(): Promise<Shop> {
  const soldAs = { standard: ["whmcs:12", "fossbilling:12", "paymenter:5", "blesta:7"] };
  const stack = await startTestStack({
    clock: new Date(),
    catalog: parseCatalog({
      billmgr: { url: "https://api.ispsystem.com/manager/billmgr" },
      products: { vmmanager6: { pricelist: 55163, addons: { nodes: 55165, virtualMachines: 55164 } } },
      plans: { "vm6-monthly": { product: "vmmanager6", period: 1, addons: { nodes: { perUnit: 1 } }, soldAs } },
      extras: { "vm6-vms": { product: "vmmanager6", addons: { virtualMachines: { perUnit: 1 } } } },
    }),
  });
  const folder = mkdtempSync(join(tmpdir(), "billmgr-webhooks-"));
  mkdirSync(join(folder, "spool"));
  copyFileSync(join(senders, "billmgr-webhooks.php"), join(folder, "billmgr-webhooks.php"));
  const url = `${stack.url}/webhooks/standard`;
  const stateFile = join(folder, "state.json");
  let seen = 0;

  const environment = () => ({
    ...process.env,
    SENDERS: senders,
    BILLMGR_WEBHOOKS: folder,
    BILLMGR_WEBHOOKS_URL: url,
    BILLMGR_WEBHOOKS_SECRET: standardSecret,
  });
  const php = (...args: string[]) => runProgram("php", ["-d", "date.timezone=UTC", ...args], { env: environment() });

  const shop: Shop = {
    stack,
    folder,
    url,
    environment,
    configure(changes = {}) {
      const spool = join(folder, "spool");
      const config = { url, secret: standardSecret, spool, products: [12], quantity: "Nodes", ...changes };
      const text = JSON.stringify(config).replaceAll("'", "\\'");
      writeFileSync(join(folder, "config.php"), `<?php return json_decode('${text}', true);`);
    },
    run: (double, ...operations) =>
      php(
        join(doubles, `${double}.php`),
        stateFile,
        JSON.stringify(operations.map(([method, ...args]) => [method, args])),
      ),
    setState: (state) => writeFileSync(stateFile, JSON.stringify(state)),
    state: () => JSON.parse(readFileSync(stateFile, "utf8")),
    command: (...args) => php(join(folder, "billmgr-webhooks.php"), ...args),
    unsent: () => readdirSync(join(folder, "spool")).filter((file) => /\.json(\.refused)?$/.test(file)),
    async done() {
      await stack.advanceTo(inDays(stack, 1 / 24));
      const all = stack.sandbox?.ledger() ?? [];
      const since = all.slice(seen);
      seen = all.length;
      return since.map((entry) => {
        const addons = "addons" in entry ? Object.entries(entry.addons) : [];
        return [entry.operation, ...addons.map(([code, value]) => `${code}=${value}`)].join(" ");
      });
    },
    async endOf(subscription) {
      await stack.settle();
      return (await stateOf(stack, `standard/${subscription}`))?.end?.value.kind;
    },
    async stop() {
      rmSync(folder, { recursive: true });
      await stack.stop();
    },
  };
  shop.configure();
  return shop;
}

export async function serve(listener: RequestListener): Promise<{ url: string; close: () => void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
