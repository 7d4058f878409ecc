import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig, settingNames } from "../../infra/config.ts";
import { UsageError } from "../../shared/command-line/usage-error.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import { partners } from "../../shared/storefronts/partners.ts";
import { catalogJson, root, withoutBundling } from "../support/synthesized.ts";

let directory: string;
let catalog: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "config-"));
  catalog = file("shop.json", JSON.stringify(catalogJson));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** The message of the UsageError for a context. */
function messageFor(context: Record<string, unknown>): string {
  try {
    readConfig({ ...withoutBundling, catalog, ...context });
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`${JSON.stringify(context)} was accepted`);
}

const certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-abcd";

test("every setting but the catalog's content has a default", () => {
  expect(readConfig({ ...withoutBundling, catalog })).toEqual({
    stack: "billmgr-webhooks",
    catalogFile: catalog,
    catalog: parseCatalog(catalogJson),
    reservedConcurrency: true,
    eventSources: {},
  });
});

test("every setting is read from the command line's text and from the types of cdk.json", () => {
  const given = {
    stack: "staging",
    catalog,
    region: "eu-central-1",
    domain: "hooks.shop.test",
    certificate,
    alarmEmail: "operator@shop.test",
    mailFrom: "licenses@shop.test",
  };
  const read = {
    stack: "staging",
    catalogFile: catalog,
    catalog: parseCatalog(catalogJson),
    region: "eu-central-1",
    domain: { name: "hooks.shop.test", certificate },
    alarmEmail: "operator@shop.test",
    mailFrom: "licenses@shop.test",
    reservedConcurrency: false,
    eventSources: {},
  };
  expect(readConfig({ ...given, reservedConcurrency: "false" })).toEqual(read);
  expect(readConfig({ ...given, reservedConcurrency: false })).toEqual(read);
  expect(readConfig({ ...given, reservedConcurrency: "true" }).reservedConcurrency).toBe(true);
});

test("docs/deploy.md lists exactly the settings", () => {
  const [, section = ""] = readFileSync(join(root, "docs/deploy.md"), "utf8").split("\n### The settings\n");
  const [table = ""] = /^\| setting \|.*?\n\n/ms.exec(section) ?? [];
  const listed = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names = ""]) =>
    names.replaceAll("`", "").split(", "),
  );
  expect(listed.sort()).toEqual([...settingNames].sort());
});

test.each(Object.entries(partners).filter(([name]) => storefrontNamed(name)))(
  "a partner event source of %s is accepted",
  (name, { source }) => {
    const { eventSources } = readConfig({ catalog, [`${name}EventSource`]: `${source}app_1/shop-events` });
    expect(eventSources).toEqual({ [`${source}app_1/shop-events`]: name });
  },
);

test.each([
  [{ stack: "my_stack" }, '-c stack is "my_stack"; expected a letter'],
  [{ stack: true }, "-c stack is true; expected a letter"],
  [{ stack: "a".repeat(129) }, "at most 128 characters"],
  [{ catalog: "" }, '-c catalog is ""; expected the path'],
  [{ region: "Frankfurt" }, '-c region is "Frankfurt"; expected an AWS region, such as "eu-central-1"'],
  [{ region: "eu-central-1a" }, "expected an AWS region"],
  [
    { domain: "https://hooks.shop.test", certificate },
    '-c domain is "https://hooks.shop.test"; expected a lowercase domain name',
  ],
  [{ domain: "hooks.shop.test", certificate: "abcd" }, '-c certificate is "abcd"; expected the ARN'],
  [{ domain: "hooks.shop.test" }, "-c certificate is missing; expected the ARN of a certificate for the domain"],
  [{ certificate }, "-c domain is missing; expected the domain of the certificate"],
  [
    { domain: "hooks.shop.test", certificate, region: "us-east-1" },
    "-c certificate is in eu-central-1; expected a certificate in the stack's region, us-east-1",
  ],
  [{ alarmEmail: "operator" }, '-c alarmEmail is "operator"; expected one e-mail address'],
  [{ alarmEmail: "a@shop.test, b@shop.test" }, "expected one e-mail address"],
  [{ mailFrom: "Shop <licenses@shop.test>" }, "-c mailFrom is "],
  [{ reservedConcurrency: "no" }, '-c reservedConcurrency is "no"; expected true or false'],
  [{ reservedConcurrency: 100 }, "-c reservedConcurrency is 100; expected true or false"],
  [{ catalgo: "staging.json" }, '-c catalgo is not a setting; did you mean "catalog"?'],
  [{ alarmMail: "a@shop.test" }, '-c alarmMail is not a setting; did you mean "alarmEmail"?'],
  [{ stripeEventSorce: "x" }, '-c stripeEventSorce is not a setting; did you mean "stripeEventSource"?'],
  [{ stripeEventSource: "ed_test_1" }, '-c stripeEventSource is "ed_test_1"; expected the name of a partner event'],
  [{ stripeEventSource: "aws.partner/stripe.com/" }, 'which begins with "aws.partner/stripe.com/"'],
  [{ stripeEventSource: "aws.partner/stripe.com/*" }, "expected the name of a partner event source"],
  [{ stripeEventSource: true }, "is true; expected the name of a partner event source"],
])("the message for %j is one line", (context, message) => {
  expect(messageFor(context)).toContain(message);
  expect(messageFor(context)).not.toContain("\n");
});

describe("a catalog", () => {
  test("is rejected with every problem in it: place, path, value, and expectation", () => {
    const broken = {
      ...catalogJson,
      plans: { vm6: { product: "vmmanger6", period: 1 } },
      polcy: {},
      limits: { concurrency: 1 },
    };
    const text = JSON.stringify(broken);
    const path = file("broken.json", text);
    expect(messageFor({ catalog: path }).split("\n")).toEqual([
      `${path}:1:${text.indexOf('"concurrency"') + 1}: limits.concurrency is 1; expected 2 to 1000`,
      `${path}:1:${text.indexOf('"polcy"') + 1}: polcy is not a setting; did you mean "policy"?`,
    ]);
  });

  test.each([
    [
      "a reference to nothing",
      () => file("dangling.json", JSON.stringify({ ...catalogJson, products: {} })),
      'plans.vm6-monthly.product is "vmmanager6", which is not a product',
    ],
    ["a file that does not exist", () => join(directory, "none.json"), "none.json does not exist"],
    [
      "a file that is not JSON",
      () => file("text.json", '{ "billmgr": '),
      "text.json:1:14: the catalog file is not valid JSON",
    ],
  ])("is rejected as %s", (_, path, message) => {
    expect(messageFor({ catalog: path() })).toContain(message);
  });
});
