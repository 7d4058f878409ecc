import { resolve } from "node:path";
import { readFile, UsageError } from "../shared/command-line/usage-error.ts";
import { type Catalog, parseCatalog } from "../shared/licensing/catalog.ts";
import { suggest } from "../shared/problems.ts";
import { storefrontNamed } from "../shared/storefronts/index.ts";
import { partners } from "../shared/storefronts/partners.ts";

import type { Domain } from "./constructs/http-endpoint.ts";
import type { EventSources } from "./constructs/partner-events.ts";

/** The configuration of one stack. docs/deploy.md describes each setting. */
export type Config = {
  stack: string;
  region?: string;
  catalogFile: string;
  catalog: Catalog;
  domain?: Domain;
  /** The recipient of the alarm mails. */
  alarmEmail?: string;
  /** The sender of the mails to customers. Without it they get none. */
  mailFrom?: string;
  /** Whether each function reserves part of the account's concurrent executions. */
  reservedConcurrency: boolean;
  eventSources: EventSources;
};

type Setting = { pattern: RegExp; expected: string; default?: string };

const emailAddress = { pattern: /^[^\s@<>"]+@[^\s@<>"]+\.[a-z]{2,}$/i, expected: "one e-mail address" };

const settings = {
  stack: {
    pattern: /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
    expected: "a letter, then letters, digits, and dashes, at most 128 characters",
    default: "billmgr-webhooks",
  },
  region: { pattern: /^[a-z]{2}(-[a-z]+)+-\d$/, expected: 'an AWS region, such as "eu-central-1"' },
  catalog: { pattern: /./, expected: "the path of a JSON file", default: "catalog.json" },
  domain: {
    pattern: /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/,
    expected: 'a lowercase domain name, such as "hooks.shop.example"',
  },
  certificate: {
    pattern: /^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
    expected: "the ARN of a certificate in AWS Certificate Manager",
  },
  alarmEmail: emailAddress,
  mailFrom: emailAddress,
  reservedConcurrency: { pattern: /^(true|false)$/, expected: "true or false", default: "true" },
} satisfies Record<string, Setting>;

/** One setting for each storefront that is an EventBridge partner: `stripeEventSource`. */
const sourceSettings = Object.keys(partners)
  .filter(storefrontNamed)
  .map((storefront) => ({ storefront, setting: `${storefront}EventSource` }));

export const settingNames: readonly string[] = [
  ...Object.keys(settings),
  ...sourceSettings.map(({ setting }) => setting),
];

/** Reads the settings from the CDK context: `cdk -c name=value` and cdk.json. @throws UsageError */
export function readConfig(context: Record<string, unknown>): Config {
  refuseUnknownSettings(context);
  const { stack, region, catalog, domain, certificate, alarmEmail, mailFrom, reservedConcurrency } = readTexts(context);
  const eventSources = readEventSources(context);
  return {
    stack,
    ...(region && { region }),
    catalogFile: resolve(catalog),
    catalog: readFile(catalog, "catalog", parseCatalog),
    ...readDomain(domain, certificate, region),
    ...(alarmEmail && { alarmEmail }),
    ...(mailFrom && { mailFrom }),
    reservedConcurrency: reservedConcurrency === "true",
    eventSources,
  };
}

/** A mistyped name must not deploy the defaults. The CDK's own context keys contain a colon, a slash, or a dash. */
function refuseUnknownSettings(context: Record<string, unknown>): void {
  const unknown = Object.keys(context).filter((name) => /^\w+$/.test(name) && !settingNames.includes(name));
  if (unknown.length === 0) return;
  throw new UsageError(unknown.map((name) => `-c ${name} is not a setting${suggest(name, settingNames)}`).join("\n"));
}

type Texts = {
  [Name in keyof typeof settings]: (typeof settings)[Name] extends { default: string } ? string : string | undefined;
};

function readTexts(context: Record<string, unknown>): Texts {
  const texts = Object.entries<Setting>(settings).map(([name, { pattern, expected, default: defaultValue }]) => {
    // cdk.json can contain a boolean; the command line gives text.
    const given =
      name === "reservedConcurrency" && typeof context[name] === "boolean" ? `${context[name]}` : context[name];
    const value = given ?? defaultValue;
    if (value === undefined || (typeof value === "string" && pattern.test(value))) return [name, value];
    throw new UsageError(`-c ${name} is ${JSON.stringify(value)}; expected ${expected}`);
  });
  return Object.fromEntries(texts);
}

function readDomain(name?: string, certificate?: string, region?: string): Pick<Config, "domain"> {
  if (name === undefined && certificate === undefined) return {};
  if (certificate === undefined)
    throw new UsageError("-c certificate is missing; expected the ARN of a certificate for the domain");
  if (name === undefined) throw new UsageError("-c domain is missing; expected the domain of the certificate");
  const certificateRegion = certificate.split(":")[3];
  if (region !== undefined && certificateRegion !== region) {
    throw new UsageError(
      `-c certificate is in ${certificateRegion}; expected a certificate in the stack's region, ${region}`,
    );
  }
  return { domain: { name, certificate } };
}

function readEventSources(context: Record<string, unknown>): EventSources {
  const given = sourceSettings.filter(({ setting }) => context[setting] !== undefined);
  return Object.fromEntries(
    given.map(({ storefront, setting }) => {
      const source = context[setting];
      const prefix = partners[storefront]?.source ?? "";
      // AWS's own pattern for the names of partner event sources.
      if (
        typeof source === "string" &&
        source.startsWith(prefix) &&
        /^[./\w-]{1,256}$/.test(source) &&
        source !== prefix
      ) {
        return [source, storefront];
      }
      throw new UsageError(
        `-c ${setting} is ${JSON.stringify(source)}; expected the name of a partner event source, which begins with "${prefix}"`,
      );
    }),
  );
}
