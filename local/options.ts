/** The options of `npm start`, and its secrets file. */

import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseSecrets, type Secrets, SecretsError } from "../shared/aws/secrets.ts";
import { readArguments } from "../shared/command-line/arguments.ts";
import { readBillmgrUrl } from "../shared/command-line/billmgr-url.ts";
import { UsageError } from "../shared/command-line/usage-error.ts";
import { storefrontNames } from "../shared/licensing/event.ts";
import type { Problem } from "../shared/problems.ts";
import { storefrontNamed } from "../shared/storefronts/index.ts";

const generatedSecretsFile = ".local/secrets.json";

export const usage = `npm start [-- options]
  --port 3000          the port to listen on, at 127.0.0.1
  --billmgr URL        a real or test billmgr; without it, a simulated one
  --catalog FILE       the catalog of what you sell (catalog.json)
  --secrets FILE       billmgr's user and password and the signing secrets; without it, random ones in ${generatedSecretsFile}
  --data DIR           keep table, queue, clock, and simulated billmgr between runs
  --clock ISO-TIME     the initial local time`;

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

/** @throws UsageError */
export function readOptions(args: string[]): LocalOptions {
  const { port, billmgr, catalog, secrets, data, clock, help = false } = readArguments(args, flags, usage).values;
  return {
    port: parsePort(port),
    catalog,
    help,
    ...(billmgr !== undefined && { billmgr: readBillmgrUrl(billmgr) }),
    ...(secrets !== undefined && { secrets }),
    ...(data !== undefined && { data: resolve(data) }),
    ...(clock !== undefined && { clock: parseTime(clock) }),
  };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`--port is "${text}"; expected 0 to 65535`);
  return port;
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new UsageError(`--clock is "${text}"; expected an ISO 8601 time such as 2027-01-31T09:00:00Z`);
  }
  return time;
}

/** Parses the secrets, and checks that each has the form of its storefront's secrets. @throws SecretsError */
export function readSecrets(value: unknown): Secrets {
  const secrets = parseSecrets(value);
  const problems = Object.entries(secrets.storefronts).flatMap(([name, list]) =>
    list.flatMap((secret, i): Problem[] => {
      const text = storefrontNamed(name)?.secretProblem(secret);
      return text ? [{ path: ["storefronts", name, i], text }] : [];
    }),
  );
  if (problems.length > 0) throw new SecretsError(problems);
  return secrets;
}

const hex = (): string => randomBytes(20).toString("hex");
const standardKey = (): string => `whsec_${randomBytes(24).toString("base64")}`;

/** Generators for the storefronts whose secrets have a certain form. */
const generators: Record<string, () => string> = {
  standard: standardKey,
  stripe: () => `whsec_${hex()}`,
  paddle: () => `pdl_ntfset_${hex()}`,
  polar: standardKey,
  shopify: () => `shpss_${hex()}`,
  chargebee: () => `webhooks:${hex()}`,
  appstle: standardKey,
};

/** Random secrets for every storefront. */
export const randomSecrets = (): Secrets => ({
  billmgr: `sandbox:${hex()}`,
  storefronts: Object.fromEntries(storefrontNames.map((name) => [name, [(generators[name] ?? hex)()]])),
});

/**
 * Writes random secrets unless the file exists, so that the demo and copied secrets still work after a restart.
 * @returns the path of the file
 */
export function ensureSecretsFile(): string {
  const file = resolve(generatedSecretsFile);
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(file, `${JSON.stringify(randomSecrets(), null, 2)}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return file;
}
