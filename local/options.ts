import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseSecrets, type Secrets } from "../shared/aws/secrets.ts";
import { readArguments } from "../shared/command-line/arguments.ts";
import { readBillmgrUrl } from "../shared/command-line/billmgr-url.ts";
import { UsageError } from "../shared/command-line/usage-error.ts";
import { storefrontNamed, storefrontNamesBuilt } from "../shared/storefronts/index.ts";

const madeUp = ".local/secrets.json";

export const usage = `npm start [-- options]
  --port 3000          where to listen, on 127.0.0.1
  --billmgr URL        a real or test billmgr; without it, a simulated one
  --catalog FILE       what is sold as what (catalog.json)
  --secrets FILE       billmgr's authinfo and the storefronts' signing secrets (random ones in ${madeUp} without it)
  --data DIR           keep table, queue, clock and sandbox over restarts
  --clock ISO-TIME     where the local clock starts`;

const flags = {
  port: { type: "string", default: "3000" },
  billmgr: { type: "string" },
  catalog: { type: "string", default: "catalog.json" },
  secrets: { type: "string" },
  data: { type: "string" },
  clock: { type: "string" },
  help: { type: "boolean" },
} as const;

export type LocalOptions = {
  port: number;
  billmgr?: string;
  catalog: string;
  secrets?: string;
  data?: string;
  clock?: Date;
  help: boolean;
};

/** @throws Mistake */
export function readOptions(args: string[]): LocalOptions {
  const { port, billmgr, catalog, secrets, data, clock, help = false } = readArguments(args, flags, usage).values;
  return {
    port: portIn(port),
    catalog,
    help,
    ...(billmgr !== undefined && { billmgr: readBillmgrUrl(billmgr) }),
    ...(secrets !== undefined && { secrets }),
    ...(data !== undefined && { data: resolve(data) }),
    ...(clock !== undefined && { clock: timeIn(clock) }),
  };
}

function portIn(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new UsageError(`--port: found "${text}", expected a number up to 65535`);
  return port;
}

function timeIn(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new UsageError(`--clock: found "${text}", expected an ISO 8601 time such as 2027-01-31T09:00:00Z`);
  }
  return time;
}

/** Also what no function checks at run time: that each secret can be one of its storefront's. */
export function readSecrets(value: unknown): Secrets {
  const secrets = parseSecrets(value);
  const flaws = Object.entries(secrets.storefronts).flatMap(([name, list]) =>
    list.flatMap((secret, i) => {
      const flaw = storefrontNamed(name)?.secretProblem(secret);
      return flaw ? [`storefronts.${name}[${i}]: ${flaw}`] : [];
    }),
  );
  if (flaws.length > 0) throw new Error(flaws.join("\n"));
  return secrets;
}

const hex = (): string => randomBytes(20).toString("hex");
const standardKey = (): string => `whsec_${randomBytes(24).toString("base64")}`;

/** Where a storefront's own secrets have a form. */
const forms: Record<string, () => string> = {
  standard: standardKey,
  stripe: () => `whsec_${hex()}`,
  paddle: () => `pdl_ntfset_${hex()}`,
  polar: standardKey,
  shopify: () => `shpss_${hex()}`,
  chargebee: () => `webhooks:${hex()}`,
  appstle: standardKey,
};

/** One for each storefront that there is. */
export const randomSecrets = (): Secrets => ({
  billmgr: `sandbox:${hex()}`,
  storefronts: Object.fromEntries(storefrontNamesBuilt.map((name) => [name, [(forms[name] ?? hex)()]])),
});

/** Random, and kept, so that the demo and what was pasted still work after a restart. */
export function madeUpSecrets(): string {
  const file = resolve(madeUp);
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, `${JSON.stringify(randomSecrets(), null, 2)}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return file;
}
