import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import type { Config } from "../../infra/config.ts";
import { WebhooksStack } from "../../infra/stack.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const settings = JSON.parse(readFileSync(join(root, "cdk.json"), "utf8"));
export const withoutBundling = { ...settings.context, "aws:cdk:bundling-stacks": [] };

export const catalogJson = {
  billmgr: { url: "https://billmgr.test/manager/billmgr" },
  products: { vmmanager6: { pricelist: 55163 } },
  plans: { "vm6-monthly": { product: "vmmanager6", period: 1 } },
  limits: { concurrency: 7, ordersPerHour: 10, ordersPerDay: 40 },
};

const plain: Config = {
  stack: "shop",
  catalogFile: join(root, "catalog.json"),
  catalog: parseCatalog(catalogJson),
  reservedConcurrency: true,
  eventSources: {},
};

export const stripeSource = "aws.partner/stripe.com/ed_test_61TbJ2";
/** A configuration with every setting. */
export const everything: Partial<Config> = {
  region: "eu-central-1",
  catalog: parseCatalog({ ...catalogJson, limits: { ...catalogJson.limits, minimumBalance: 250 } }),
  domain: { name: "hooks.shop.test", certificate: "arn:aws:acm:eu-central-1:123456789012:certificate/1234-ab" },
  alarmEmail: "operator@shop.test",
  mailFrom: "licenses@shop.test",
  eventSources: { [stripeSource]: "stripe" },
};

// biome-ignore lint/suspicious/noExplicitAny: CloudFormation defines the shape of the properties
export type Resource = { Type: string; Properties: Record<string, any>; DeletionPolicy?: string };

export type Synthesized = {
  app: App;
  template: Template;
  /** @returns the resources by construct id: the logical id without the digest */
  resources(type: string): Record<string, Resource>;
  resource(type: string, name: string): Resource;
};

export function synthesize(config: Partial<Config> = {}): Synthesized {
  const outdir = mkdtempSync(join(tmpdir(), "stack-"));
  try {
    const app = new App({ outdir, context: withoutBundling });
    const template = Template.fromStack(new WebhooksStack(app, { ...plain, ...config }));
    const resources = (type: string) => {
      const found = Object.entries(template.findResources(type)) as [string, Resource][];
      return Object.fromEntries(found.map(([id, resource]) => [nameOf(id), resource]));
    };
    const resource = (type: string, name: string) => {
      const found = resources(type)[name];
      if (!found) throw new Error(`no ${type} named ${name}, only ${Object.keys(resources(type))}`);
      return found;
    };
    return { app, template, resources, resource };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** The stacks are synthesized once per worker, because that takes seconds. Tests must not change them. */
export const plainStack = once(() => synthesize());
export const fullStack = once(() => synthesize(everything));

export const nameOf = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, "");

/** A value with readable references: "<Queue.Arn>". */
export function formatted(value: unknown): string {
  if (typeof value === "string") return value;
  const { Ref, "Fn::GetAtt": attribute, "Fn::Join": join } = value as Record<string, unknown>;
  if (Ref !== undefined) return `<${nameOf(String(Ref))}>`;
  if (Array.isArray(attribute)) return `<${nameOf(attribute[0])}.${attribute[1]}>`;
  if (Array.isArray(join)) return join[1].map(formatted).join(join[0]);
  throw new Error(`unsupported value: ${JSON.stringify(value)}`);
}

/** The object with formatted values. */
export const formattedAll = (values: Record<string, unknown> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, formatted(value)]));
