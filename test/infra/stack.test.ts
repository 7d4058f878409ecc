import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { App } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebhooksStack } from "../../infra/stack.ts";
import { tableDefinition } from "../../shared/aws/schema.ts";
import { callTimeoutMs, readTimeoutMs } from "../../shared/billmgr/billmgr.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import { partners } from "../../shared/storefronts/partners.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const settings = JSON.parse(readFileSync(join(root, "cdk.json"), "utf8"));
const withoutBundling = { ...settings.context, "aws:cdk:bundling-stacks": [] };

const catalogJson = {
  billmgr: { url: "https://billmgr.test/manager/billmgr" },
  products: { vmmanager6: { pricelist: 55163 } },
  plans: { "vm6-monthly": { product: "vmmanager6", period: 1 } },
  limits: { concurrency: 7 },
};

// biome-ignore lint/suspicious/noExplicitAny: properties have whatever shape CloudFormation gave them
type Resource = { Properties: Record<string, any>; DeletionPolicy?: string };
type Statement = { Effect: string; Action: string | string[]; Resource: unknown };

let directory: string;
let catalogFile: string;
let template: Template;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stack-"));
  catalogFile = join(directory, "shop.json");
  writeFileSync(catalogFile, JSON.stringify(catalogJson));
  const app = new App({ outdir: join(directory, "assembly"), context: withoutBundling });
  template = Template.fromStack(new WebhooksStack(app, "shop", { catalogFile, catalog: parseCatalog(catalogJson) }));
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The resources of a type by their names in infra/stack.ts: a logical id without its digest. */
function resources(type: string): Record<string, Resource> {
  const found = Object.entries(template.findResources(type)) as [string, Resource][];
  return Object.fromEntries(found.map(([id, resource]) => [nameOf(id), resource]));
}

function resource(type: string, name: string): Resource {
  const found = resources(type)[name];
  if (!found) throw new Error(`no ${type} named ${name}, only ${Object.keys(resources(type))}`);
  return found;
}

const nameOf = (logicalId: string): string => logicalId.replace(/[0-9A-F]{8}$/, "");

/** A value with its references in words: "<Queue.Arn>". */
function said(value: unknown): string {
  if (typeof value === "string") return value;
  const { Ref, "Fn::GetAtt": attribute, "Fn::Join": join } = value as Record<string, unknown>;
  if (Ref !== undefined) return `<${nameOf(String(Ref))}>`;
  if (Array.isArray(attribute)) return `<${nameOf(attribute[0])}.${attribute[1]}>`;
  if (Array.isArray(join)) return join[1].map(said).join(join[0]);
  throw new Error(`not understood: ${JSON.stringify(value)}`);
}

describe("the table", () => {
  test("has the keys and the index of shared/aws/schema.ts", () => {
    const { TableName, AttributeDefinitions, ...definition } = tableDefinition("any");
    template.hasResourceProperties("AWS::DynamoDB::Table", {
      ...definition,
      AttributeDefinitions: Match.arrayWith(AttributeDefinitions ?? []),
    });
  });

  test("survives mistakes: recovery to a moment, no deletion, kept when the stack goes", () => {
    template.hasResource("AWS::DynamoDB::Table", {
      Properties: {
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
        TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
      },
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
    });
  });
});

describe("the queue", () => {
  test.each(["Queue", "DeadLetters"])(
    "%s is FIFO by message group, encrypted, of the largest messages, for 14 days, and outlives the stack",
    (name) => {
      const { Properties, DeletionPolicy } = resource("AWS::SQS::Queue", name);
      expect(DeletionPolicy).toBe("Retain");
      expect(Properties).toMatchObject({
        FifoQueue: true,
        DeduplicationScope: "messageGroup",
        FifoThroughputLimit: "perMessageGroupId",
        MaximumMessageSize: 1_048_576,
        MessageRetentionPeriod: 1_209_600,
        SqsManagedSseEnabled: true,
      });
      expect(Properties).not.toHaveProperty("ContentBasedDeduplication");
      const policy = resource("AWS::SQS::QueuePolicy", `${name}Policy`).Properties.PolicyDocument;
      expect(policy.Statement).toMatchObject([
        { Effect: "Deny", Action: "sqs:*", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      ]);
    },
  );

  test("gives a message up to the dead letters after 20 tries", () => {
    const { RedrivePolicy } = resource("AWS::SQS::Queue", "Queue").Properties;
    expect(RedrivePolicy?.maxReceiveCount).toBe(20);
    expect(said(RedrivePolicy?.deadLetterTargetArn)).toBe("<DeadLetters.Arn>");
  });

  test("timeouts nest: a call < what provision wants left for one < provision < the queue's visibility", () => {
    const call = callTimeoutMs / 1000;
    const wanted = call + (2 * readTimeoutMs) / 1000 + 10;
    const provision = Number(resource("AWS::Lambda::Function", "Provision").Properties.Timeout);
    const visibility = Number(resource("AWS::SQS::Queue", "Queue").Properties.VisibilityTimeout);
    expect([call, wanted, provision, visibility]).toEqual([60, 110, 180, 1080]);
  });
});

describe("the secret", () => {
  test("is created without a value and kept when the stack goes", () => {
    const { Properties, DeletionPolicy } = resource("AWS::SecretsManager::Secret", "Secrets");
    expect(Object.keys(Properties)).toEqual(["Description"]);
    expect(DeletionPolicy).toBe("Retain");
  });

  test("comes with the command that fills it in", () => {
    expect(said(template.findOutputs("PutSecrets").PutSecrets?.Value)).toBe(
      "aws secretsmanager put-secret-value --region <AWS::Region> --secret-id <Secrets> --secret-string file://secrets.json",
    );
  });
});

describe("the functions", () => {
  const names = ["Webhook", "Provision", "Renew"];

  test("are three", () => {
    expect(Object.keys(resources("AWS::Lambda::Function")).sort()).toEqual([...names].sort());
  });

  test.each(names)("%s runs on Node 24, arm64, 512 MB, untraced, logs kept for three months", (name) => {
    const { Properties } = resource("AWS::Lambda::Function", name);
    expect(Properties).toMatchObject({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      MemorySize: 512,
      Handler: "index.handler",
    });
    expect(Properties).not.toHaveProperty("TracingConfig");
    expect(Properties).not.toHaveProperty("ReservedConcurrentExecutions");
    const { LogGroup } = Properties.LoggingConfig;
    expect(said(LogGroup)).toBe(`<${name}Log>`);
    expect(resource("AWS::Logs::LogGroup", `${name}Log`).Properties.RetentionInDays).toBe(90);
  });

  test.each([
    ["Webhook", 10, { QUEUE_URL: "<Queue>", SECRET_ID: "<Secrets>" }],
    ["Provision", 180, { QUEUE_URL: "<Queue>", SECRET_ID: "<Secrets>", TABLE_NAME: "<Table>" }],
    ["Renew", 50, { QUEUE_URL: "<Queue>", TABLE_NAME: "<Table>" }],
  ])("%s may run %i s and knows its parts by name", (name, timeout, environment) => {
    const { Timeout, Environment } = resource("AWS::Lambda::Function", name).Properties;
    expect(Timeout).toBe(timeout);
    const variables = Object.entries(Environment?.Variables ?? {});
    expect(Object.fromEntries(variables.map(([key, value]) => [key, said(value)]))).toEqual(environment);
  });

  test.each([
    ["Webhook", ["secretsmanager:GetSecretValue <Secrets>", "sqs:SendMessage <Queue.Arn>"]],
    [
      "Provision",
      [
        "dynamodb:GetItem <Table.Arn>",
        "dynamodb:PutItem <Table.Arn>",
        "dynamodb:Query <Table.Arn>",
        "dynamodb:UpdateItem <Table.Arn>",
        "secretsmanager:GetSecretValue <Secrets>",
        "sqs:ChangeMessageVisibility <Queue.Arn>",
        "sqs:DeleteMessage <Queue.Arn>",
        "sqs:GetQueueAttributes <Queue.Arn>",
        "sqs:GetQueueUrl <Queue.Arn>",
        "sqs:ReceiveMessage <Queue.Arn>",
        "sqs:SendMessage <Queue.Arn>",
      ],
    ],
    ["Renew", ["dynamodb:Query <Table.Arn>/index/agenda", "sqs:SendMessage <Queue.Arn>"]],
  ])("%s may do this and nothing else", (name, allowed) => {
    const role = `${name}ServiceRole`;
    const { ManagedPolicyArns, Policies } = resource("AWS::IAM::Role", role).Properties;
    expect(ManagedPolicyArns?.map(said)).toEqual([
      "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    ]);
    expect(Policies).toBeUndefined();
    const documents = Object.values(resources("AWS::IAM::Policy"))
      .filter(({ Properties }) => Properties.Roles.some((one: unknown) => said(one) === `<${role}>`))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[]);
    const granted = documents.flatMap(({ Effect, Action, Resource, ...rest }) => {
      expect({ Effect, ...rest }).toEqual({ Effect: "Allow" });
      return [Action].flat().flatMap((action) => [Resource].flat().map((one) => `${action} ${said(one)}`));
    });
    expect(granted.sort()).toEqual(allowed);
  });

  test("nobody else has rights, and none are given by the resources", () => {
    expect(Object.keys(resources("AWS::IAM::Role")).sort()).toEqual(names.map((name) => `${name}ServiceRole`).sort());
    expect(Object.keys(resources("AWS::IAM::Policy"))).toHaveLength(3);
    const callers = Object.values(resources("AWS::Lambda::Permission")).map(
      ({ Properties }) => `${Properties.Principal} ${said(Properties.FunctionName)}`,
    );
    expect([...new Set(callers)].sort()).toEqual([
      "apigateway.amazonaws.com <Webhook.Arn>",
      "events.amazonaws.com <Renew.Arn>",
    ]);
  });

  test("provision takes ten messages at a time, reports which failed, and runs as often as the catalog allows", () => {
    template.resourceCountIs("AWS::Lambda::EventSourceMapping", 1);
    template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      BatchSize: 10,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      ScalingConfig: { MaximumConcurrency: 7 },
    });
  });

  test("renew runs every minute", () => {
    const { ScheduleExpression, Targets, State } = resource("AWS::Events::Rule", "EveryMinute").Properties;
    expect([ScheduleExpression, State]).toEqual(["rate(1 minute)", "ENABLED"]);
    expect([Targets].flat().map((target) => said(target?.Arn))).toEqual(["<Renew.Arn>"]);
  });
});

describe("the endpoint", () => {
  test("passes two routes to webhook, in payload format 2.0", () => {
    template.allResourcesProperties("AWS::ApiGatewayV2::Integration", {
      IntegrationType: "AWS_PROXY",
      PayloadFormatVersion: "2.0",
    });
    const routes = Object.values(resources("AWS::ApiGatewayV2::Route")).map(({ Properties }) => Properties.RouteKey);
    expect(routes.sort()).toEqual(["ANY /webhooks/{storefront}", "GET /health"]);
    template.hasResourceProperties("AWS::ApiGatewayV2::Stage", { StageName: "$default", AutoDeploy: true });
  });

  test("says its address", () => {
    expect(said(template.findOutputs("WebhookUrl").WebhookUrl?.Value)).toBe("<Api.ApiEndpoint>/webhooks/<storefront>");
  });
});

describe("with partner event sources", () => {
  const source = "aws.partner/stripe.com/ed_test_61TbJ2";
  const before = () => template;
  let plain: Template;

  beforeAll(() => {
    plain = before();
    const app = new App({ outdir: join(directory, "partner"), context: withoutBundling });
    const props = { catalogFile, catalog: parseCatalog(catalogJson), eventSources: { [source]: "stripe" } };
    template = Template.fromStack(new WebhooksStack(app, "shop", props));
  }, 60_000);
  afterAll(() => {
    template = plain;
  });

  test("nothing else is made or changed", () => {
    const of = (one: Template) => one.toJSON().Resources as Record<string, object>;
    const added = Object.entries(of(template)).filter(([id]) => !(id in of(plain)));
    for (const [id, resource] of Object.entries(of(plain))) expect(of(template)[id]).toEqual(resource);
    expect(added.map(([id]) => nameOf(id)).sort()).toEqual([
      "Partner",
      "PartnerDeadLetters",
      "PartnerDeadLettersPolicy",
      "PartnerLog",
      "PartnerServiceRole",
      "PartnerServiceRoleDefaultPolicy",
      "StripeBus",
      "StripeEvents",
      expect.stringMatching(/^StripeEventsAllowEventRule/),
    ]);
  });

  test("the bus is the source's, and the rule takes its events alone", () => {
    expect(resource("AWS::Events::EventBus", "StripeBus").Properties).toEqual({
      Name: source,
      EventSourceName: source,
    });
    const { EventPattern, EventBusName, State, Targets } = resource("AWS::Events::Rule", "StripeEvents").Properties;
    expect({ EventPattern, State }).toEqual({ EventPattern: { source: [source] }, State: "ENABLED" });
    expect(said(EventBusName)).toBe("<StripeBus>");
    const [target] = Targets;
    expect([said(target.Arn), said(target.DeadLetterConfig.Arn)]).toEqual([
      "<Partner.Arn>",
      "<PartnerDeadLetters.Arn>",
    ]);
  });

  test("the function knows the source and the queue, and no secret; what it fails at is kept for 14 days", () => {
    const { Timeout, Environment, DeadLetterConfig } = resource("AWS::Lambda::Function", "Partner").Properties;
    expect(Timeout).toBe(10);
    const { EVENT_SOURCES, ...variables } = Environment?.Variables ?? {};
    expect(JSON.parse(EVENT_SOURCES)).toEqual({ [source]: "stripe" });
    expect(Object.entries(variables).map(([key, value]) => [key, said(value)])).toEqual([["QUEUE_URL", "<Queue>"]]);
    expect(said(DeadLetterConfig.TargetArn)).toBe("<PartnerDeadLetters.Arn>");
    const { Properties, DeletionPolicy } = resource("AWS::SQS::Queue", "PartnerDeadLetters");
    expect(DeletionPolicy).toBe("Retain");
    expect(Properties).toEqual({
      MaximumMessageSize: 1_048_576,
      MessageRetentionPeriod: 1_209_600,
      SqsManagedSseEnabled: true,
    });
  });

  test("it may send to the two queues, and the rule alone may call it and use its dead-letter queue", () => {
    const { Statement } = resource("AWS::IAM::Policy", "PartnerServiceRoleDefaultPolicy").Properties.PolicyDocument;
    const granted = (Statement as Statement[]).flatMap(({ Action, Resource }) =>
      [Resource].flat().map((one) => `${Action} ${said(one)}`),
    );
    expect(granted.sort()).toEqual(["sqs:SendMessage <PartnerDeadLetters.Arn>", "sqs:SendMessage <Queue.Arn>"]);
    const callers = Object.values(resources("AWS::Lambda::Permission"))
      .filter(({ Properties }) => said(Properties.FunctionName) === "<Partner.Arn>")
      .map(({ Properties }) => `${Properties.Principal} ${said(Properties.SourceArn)}`);
    expect(callers).toEqual(["events.amazonaws.com <StripeEvents.Arn>"]);
    const policy = resource("AWS::SQS::QueuePolicy", "PartnerDeadLettersPolicy").Properties.PolicyDocument.Statement;
    expect(policy).toMatchObject([
      { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      { Effect: "Allow", Action: "sqs:SendMessage", Principal: { Service: "events.amazonaws.com" } },
    ]);
    expect(said(policy[1].Condition.ArnEquals["aws:SourceArn"])).toBe("<StripeEvents.Arn>");
  });
});

describe("infra/app.ts", () => {
  type Run = { code: number; stderr: string; stacks: string[] };

  function synth(context: Record<string, unknown>): Promise<Run> {
    const outdir = mkdtempSync(join(directory, "app-"));
    const env = {
      ...process.env,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...withoutBundling, ...context }),
    };
    return new Promise((resolve) => {
      execFile(process.execPath, ["infra/app.ts"], { cwd: root, env }, (error, _, stderr) => {
        const manifest = error ? { artifacts: {} } : JSON.parse(readFileSync(join(outdir, "manifest.json"), "utf8"));
        const stacks = Object.entries<{ type: string }>(manifest.artifacts).flatMap(([name, { type }]) =>
          type === "aws:cloudformation:stack" ? [name] : [],
        );
        resolve({ code: Number(error?.code ?? 0), stderr, stacks });
      });
    });
  }

  function file(name: string, text: string): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  test("names the stack by context, so that one account holds several", async () => {
    const [one, other] = await Promise.all([
      synth({ catalog: catalogFile }),
      synth({ catalog: catalogFile, stack: "staging" }),
    ]);
    expect(one).toMatchObject({ code: 0, stacks: ["billmgr-webhooks"] });
    expect(other).toMatchObject({ code: 0, stacks: ["staging"] });
  }, 60_000);

  test.each(Object.entries(partners).filter(([name]) => storefrontNamed(name)))(
    "takes a partner event source of %s by context",
    async (name, { source }) => {
      const { code, stderr } = await synth({
        catalog: catalogFile,
        [`${name}EventSource`]: `${source}app_1/shop-events`,
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    },
    60_000,
  );

  test("stops at a broken catalog with every mistake: path, found, expected", async () => {
    const broken = file(
      "broken.json",
      JSON.stringify({
        ...catalogJson,
        plans: { vm6: { product: "vmmanger6", period: 1 } },
        polcy: {},
        limits: { concurrency: 1 },
      }),
    );
    const { code, stderr } = await synth({ catalog: broken });
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n")).toEqual([
      `catalog: ${broken} has mistakes`,
      "  limits.concurrency: found 1, expected at least 2",
      '  polcy: no such setting, did you mean "policy"?',
    ]);
  }, 60_000);

  test.each([
    [
      "a name that dangles",
      () => file("dangling.json", JSON.stringify({ ...catalogJson, products: {} })),
      'plans.vm6-monthly.product: no product "vmmanager6"',
    ],
    ["a file that does not exist", () => join(directory, "none.json"), "none.json does not exist"],
    ["a file that is not JSON", () => file("text.json", '{ "billmgr": '), "text.json is not JSON"],
  ])(
    "stops at %s",
    async (_, catalog, says) => {
      const { code, stderr } = await synth({ catalog: catalog() });
      expect(code).toBe(1);
      expect(stderr).toContain(says);
      expect(stderr).not.toMatch(/^\s+at /m);
    },
    60_000,
  );

  test.each([
    [{ stack: "my_stack" }, '-c stack: found "my_stack", expected a letter'],
    [{ stack: true }, "-c stack: found true, expected a letter"],
    [{ catalog: "" }, '-c catalog: found "", expected the path'],
    [{ catalgo: "staging.json" }, '-c catalgo: no such setting, did you mean "catalog"?'],
    [{ stripeEventSorce: "x" }, '-c stripeEventSorce: no such setting, did you mean "stripeEventSource"?'],
    [
      { stripeEventSource: "ed_test_1" },
      '-c stripeEventSource: found "ed_test_1", expected the name of a partner event',
    ],
    [{ stripeEventSource: "aws.partner/stripe.com/" }, 'which begins with "aws.partner/stripe.com/"'],
    [{ stripeEventSource: "aws.partner/stripe.com/*" }, "expected the name of a partner event source"],
    [{ stripeEventSource: true }, "found true, expected the name of a partner event source"],
  ])(
    "stops at the context %j",
    async (context, says) => {
      const { code, stderr } = await synth(context);
      expect(code).toBe(1);
      expect(stderr).toContain(says);
      expect(stderr.trimEnd()).not.toContain("\n");
    },
    60_000,
  );
});
