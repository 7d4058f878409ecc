import { resolve } from "node:path";
import { readFile, UsageError } from "../shared/command-line/usage-error.ts";
import { type Catalog, parseCatalog } from "../shared/licensing/catalog.ts";
import { suggest } from "../shared/problems.ts";
import { storefrontNamed } from "../shared/storefronts/index.ts";
import { partners } from "../shared/storefronts/partners.ts";

import type { Domain } from "./constructs/http-endpoint.ts";
import type { EventSources } from "./constructs/partner-events.ts";

/** What one stack is made of. docs/deploy.md says each setting at length. */
export type Config = {
  stack: string;
  region?: string;
  catalogFile: string;
  catalog: Catalog;
  domain?: Domain;
  /** Whom the alarms are mailed to. */
  alarmEmail?: string;
  /** Where customers are told of their licenses from; without it they are not. */
  mailFrom?: string;
  /** Whether each function has its own share of the account's concurrent executions. */
  reservedConcurrency: boolean;
  eventSources: EventSources;
};

type Setting = { pattern: RegExp; expected: string; otherwise?: string };

const address = { pattern: /^[^\s@<>"]+@[^\s@<>"]+\.[a-z]{2,}$/i, expected: "one e-mail address" };

const settings = {
  stack: {
    pattern: /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
    expected: "a letter, then letters, digits and dashes, 128 at most",
    otherwise: "billmgr-webhooks",
  },
  region: { pattern: /^[a-z]{2}(-[a-z]+)+-\d$/, expected: 'a region of AWS, such as "eu-central-1"' },
  catalog: { pattern: /./, expected: "the path of a JSON file", otherwise: "catalog.json" },
  domain: {
    pattern: /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/,
    expected: 'a name in small letters, such as "hooks.shop.example"',
  },
  certificate: {
    pattern: /^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
    expected: "the ARN of a certificate in AWS Certificate Manager",
  },
  alarmEmail: address,
  mailFrom: address,
  reservedConcurrency: { pattern: /^(true|false)$/, expected: "true or false", otherwise: "true" },
} satisfies Record<string, Setting>;

/** Which storefront's source a setting names: `stripeEventSource`. */
const sourceSettings = Object.keys(partners)
  .filter(storefrontNamed)
  .map((storefront) => ({ storefront, setting: `${storefront}EventSource` }));

export const settingNames: readonly string[] = [
  ...Object.keys(settings),
  ...sourceSettings.map(({ setting }) => setting),
];

/**
 * Reads what `cdk -c name=value` and cdk.json gave.
 * @throws Mistake naming what was found and what was expected
 */
export function readConfig(context: Record<string, unknown>): Config {
  // What the CDK itself passes has a colon, a slash or a dash in its name. A mistyped name must not deploy the defaults.
  const unknown = Object.keys(context).filter((name) => /^\w+$/.test(name) && !settingNames.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(unknown.map((name) => `-c ${name}: no such setting${suggest(name, settingNames)}`).join("\n"));
  }
  const {
    stack,
    region,
    catalog: file,
    domain,
    certificate,
    alarmEmail,
    mailFrom,
    reservedConcurrency,
  } = texts(context);
  const eventSources = eventSourcesIn(context);
  return {
    stack,
    ...(region && { region }),
    catalogFile: resolve(file),
    catalog: readFile(file, "catalog", parseCatalog),
    ...domainOf(domain, certificate, region),
    ...(alarmEmail && { alarmEmail }),
    ...(mailFrom && { mailFrom }),
    reservedConcurrency: reservedConcurrency === "true",
    eventSources,
  };
}

type Texts = {
  [Name in keyof typeof settings]: (typeof settings)[Name] extends { otherwise: string } ? string : string | undefined;
};

function texts(context: Record<string, unknown>): Texts {
  const read = Object.entries<Setting>(settings).map(([name, { pattern, expected, otherwise }]) => {
    // cdk.json may give a boolean as such, the command line gives text.
    const given =
      name === "reservedConcurrency" && typeof context[name] === "boolean" ? `${context[name]}` : context[name];
    const found = given ?? otherwise;
    if (found === undefined || (typeof found === "string" && pattern.test(found))) return [name, found];
    throw new UsageError(`-c ${name}: found ${JSON.stringify(found)}, expected ${expected}`);
  });
  return Object.fromEntries(read);
}

function domainOf(name?: string, certificate?: string, region?: string): Pick<Config, "domain"> {
  if (name === undefined && certificate === undefined) return {};
  if (certificate === undefined) {
    throw new UsageError("-c certificate: missing, expected beside domain: the ARN of a certificate for that name");
  }
  if (name === undefined)
    throw new UsageError("-c domain: missing, expected beside certificate: the name that it is for");
  const itsRegion = certificate.split(":")[3];
  if (region !== undefined && itsRegion !== region) {
    throw new UsageError(`-c certificate: found one in ${itsRegion}, expected one in the stack's region, ${region}`);
  }
  return { domain: { name, certificate } };
}

function eventSourcesIn(context: Record<string, unknown>): EventSources {
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
        `-c ${setting}: found ${JSON.stringify(source)}, expected the name of a partner event source, which begins with "${prefix}"`,
      );
    }),
  );
}
