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

/** What is said of a mistake. */
function mistakeIn(context: Record<string, unknown>): string {
  try {
    readConfig({ ...withoutBundling, catalog, ...context });
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`nothing was said of ${JSON.stringify(context)}`);
}

const certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-abcd";

test("has defaults for all but the catalog's content", () => {
  expect(readConfig({ ...withoutBundling, catalog })).toEqual({
    stack: "billmgr-webhooks",
    catalogFile: catalog,
    catalog: parseCatalog(catalogJson),
    reservedConcurrency: true,
    eventSources: {},
  });
});

test("takes every setting, as the command line gives it and as cdk.json does", () => {
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

test("docs/deploy.md tells each setting, and no other", () => {
  const [, section = ""] = readFileSync(join(root, "docs/deploy.md"), "utf8").split("\n### The settings\n");
  const [table = ""] = /^\| setting \|.*?\n\n/ms.exec(section) ?? [];
  const told = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names = ""]) =>
    names.replaceAll("`", "").split(", "),
  );
  expect(told.sort()).toEqual([...settingNames].sort());
});

test.each(Object.entries(partners).filter(([name]) => storefrontNamed(name)))(
  "takes a partner event source of %s",
  (name, { source }) => {
    const { eventSources } = readConfig({ catalog, [`${name}EventSource`]: `${source}app_1/shop-events` });
    expect(eventSources).toEqual({ [`${source}app_1/shop-events`]: name });
  },
);

test.each([
  [{ stack: "my_stack" }, '-c stack: found "my_stack", expected a letter'],
  [{ stack: true }, "-c stack: found true, expected a letter"],
  [{ stack: "a".repeat(129) }, "128 at most"],
  [{ catalog: "" }, '-c catalog: found "", expected the path'],
  [{ region: "Frankfurt" }, '-c region: found "Frankfurt", expected a region of AWS, such as "eu-central-1"'],
  [{ region: "eu-central-1a" }, "expected a region of AWS"],
  [{ domain: "https://hooks.shop.test", certificate }, '-c domain: found "https://hooks.shop.test", expected a name'],
  [{ domain: "hooks.shop.test", certificate: "abcd" }, '-c certificate: found "abcd", expected the ARN'],
  [{ domain: "hooks.shop.test" }, "-c certificate: missing, expected beside domain"],
  [{ certificate }, "-c domain: missing, expected beside certificate"],
  [
    { domain: "hooks.shop.test", certificate, region: "us-east-1" },
    "-c certificate: found one in eu-central-1, expected one in the stack's region, us-east-1",
  ],
  [{ alarmEmail: "operator" }, '-c alarmEmail: found "operator", expected one e-mail address'],
  [{ alarmEmail: "a@shop.test, b@shop.test" }, "expected one e-mail address"],
  [{ mailFrom: "Shop <licenses@shop.test>" }, "-c mailFrom: found"],
  [{ reservedConcurrency: "no" }, '-c reservedConcurrency: found "no", expected true or false'],
  [{ reservedConcurrency: 100 }, "-c reservedConcurrency: found 100, expected true or false"],
  [{ catalgo: "staging.json" }, '-c catalgo: no such setting, did you mean "catalog"?'],
  [{ alarmMail: "a@shop.test" }, '-c alarmMail: no such setting, did you mean "alarmEmail"?'],
  [{ stripeEventSorce: "x" }, '-c stripeEventSorce: no such setting, did you mean "stripeEventSource"?'],
  [{ stripeEventSource: "ed_test_1" }, '-c stripeEventSource: found "ed_test_1", expected the name of a partner event'],
  [{ stripeEventSource: "aws.partner/stripe.com/" }, 'which begins with "aws.partner/stripe.com/"'],
  [{ stripeEventSource: "aws.partner/stripe.com/*" }, "expected the name of a partner event source"],
  [{ stripeEventSource: true }, "found true, expected the name of a partner event source"],
])("says in one line what is wrong with %j", (context, says) => {
  expect(mistakeIn(context)).toContain(says);
  expect(mistakeIn(context)).not.toContain("\n");
});

describe("the catalog", () => {
  test("is told with every mistake in it: path, found, expected", () => {
    const broken = {
      ...catalogJson,
      plans: { vm6: { product: "vmmanger6", period: 1 } },
      polcy: {},
      limits: { concurrency: 1 },
    };
    const path = file("broken.json", JSON.stringify(broken));
    expect(mistakeIn({ catalog: path }).split("\n")).toEqual([
      `catalog: ${path} has mistakes`,
      "  limits.concurrency: found 1, expected at least 2",
      '  polcy: no such setting, did you mean "policy"?',
    ]);
  });

  test.each([
    [
      "a name that dangles",
      () => file("dangling.json", JSON.stringify({ ...catalogJson, products: {} })),
      'plans.vm6-monthly.product: no product "vmmanager6"',
    ],
    ["a file that does not exist", () => join(directory, "none.json"), "none.json does not exist"],
    ["a file that is not JSON", () => file("text.json", '{ "billmgr": '), "text.json is not JSON"],
  ])("is refused as %s", (_, path, says) => {
    expect(mistakeIn({ catalog: path() })).toContain(says);
  });
});
