import { describe, expect, test } from "vitest";
import {
  everything,
  fullStack,
  plainStack,
  type Resource,
  said,
  saidAll,
  stripeSource,
  synthesize,
} from "../support/synthesized.ts";

const plain = plainStack();
const full = fullStack();

const lambda = (name: string): Resource["Properties"] => full.resource("AWS::Lambda::Function", name).Properties;
const always = ["Announce", "Provision", "Renew", "Watch", "Webhook"];
const names = [...always, "Mail", "Partner"];

test("are five, and one each for mail and for events of partners where that is configured", () => {
  expect(Object.keys(plain.resources("AWS::Lambda::Function")).sort()).toEqual(always);
  expect(Object.keys(full.resources("AWS::Lambda::Function")).sort()).toEqual([...names].sort());
});

test.each(names)("%s runs on Node 24, arm64, 512 MB, untraced, with a log of its own for three months", (name) => {
  const { LoggingConfig, ...properties } = lambda(name);
  expect(properties).toMatchObject({
    Runtime: "nodejs24.x",
    Architectures: ["arm64"],
    MemorySize: 512,
    Handler: "index.handler",
  });
  expect(properties).not.toHaveProperty("TracingConfig");
  expect(said(LoggingConfig.LogGroup)).toBe(`<${name}Log>`);
  expect(full.resource("AWS::Logs::LogGroup", `${name}Log`).Properties.RetentionInDays).toBe(90);
});

test.each([
  ["Webhook", 10, 100, { QUEUE_URL: "<Queue>", SECRET_ID: "<Secrets>" }],
  ["Provision", 180, 7, { QUEUE_URL: "<Queue>", SECRET_ID: "<Secrets>", TABLE_NAME: "<Table>" }],
  ["Renew", 50, 1, { QUEUE_URL: "<Queue>", TABLE_NAME: "<Table>" }],
  ["Announce", 50, 1, { TABLE_NAME: "<Table>", BUS_NAME: "<Events>" }],
  ["Watch", 50, 1, { TABLE_NAME: "<Table>" }],
  ["Partner", 10, 10, { QUEUE_URL: "<Queue>", EVENT_SOURCES: JSON.stringify({ [stripeSource]: "stripe" }) }],
  ["Mail", 10, 5, { MAIL_FROM: "licenses@shop.test" }],
])("%s may run for %i s, %i at a time, and knows its parts by name", (name, timeout, atOnce, environment) => {
  const { Timeout, ReservedConcurrentExecutions, Environment } = lambda(name);
  expect([Timeout, ReservedConcurrentExecutions]).toEqual([timeout, atOnce]);
  expect(saidAll(Environment.Variables)).toEqual({
    ...environment,
    POWERTOOLS_SERVICE_NAME: name.toLowerCase(),
    POWERTOOLS_METRICS_NAMESPACE: "shop",
  });
});

test("reserve nothing where the account has nothing to reserve, and are the same otherwise", () => {
  const unreserved = synthesize({ ...everything, reservedConcurrency: false });
  for (const name of names) {
    const { ReservedConcurrentExecutions, ...rest } = lambda(name);
    expect(unreserved.resource("AWS::Lambda::Function", name).Properties).toEqual(rest);
  }
});

test("provision takes ten messages at a time, reports which failed, and runs as often as the catalog allows", () => {
  full.template.resourceCountIs("AWS::Lambda::EventSourceMapping", 1);
  full.template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    BatchSize: 1,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    ScalingConfig: { MaximumConcurrency: 7 },
  });
  // With a smaller share than the queue's maximum, Lambda would throttle what the queue hands over.
  expect(lambda("Provision").ReservedConcurrentExecutions).toBeGreaterThanOrEqual(7);
});

describe("each minute", () => {
  test("renew, announce and watch run, each in less than a minute and one at a time", () => {
    const { ScheduleExpression, Targets, State } = full.resource("AWS::Events::Rule", "EveryMinute").Properties;
    expect([ScheduleExpression, State]).toEqual(["rate(1 minute)", "ENABLED"]);
    expect(Targets.map((target: { Arn: unknown }) => said(target.Arn))).toEqual([
      "<Renew.Arn>",
      "<Announce.Arn>",
      "<Watch.Arn>",
    ]);
    for (const name of ["Renew", "Announce", "Watch"]) {
      expect(lambda(name).Timeout).toBeLessThan(60);
      expect(lambda(name).ReservedConcurrentExecutions).toBe(1);
    }
  });

  test("what did not come about is not made up for, neither by EventBridge nor by Lambda", () => {
    const { Targets } = full.resource("AWS::Events::Rule", "EveryMinute").Properties;
    for (const { RetryPolicy } of Targets) {
      expect(RetryPolicy).toEqual({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 });
    }
    const asked = Object.values(full.resources("AWS::Lambda::EventInvokeConfig")).map(({ Properties }) => ({
      ...Properties,
      FunctionName: said(Properties.FunctionName),
    }));
    expect(asked).toEqual(
      ["Renew", "Announce", "Watch"].map((name) => ({
        FunctionName: `<${name}>`,
        MaximumEventAgeInSeconds: 60,
        MaximumRetryAttempts: 0,
        Qualifier: "$LATEST",
      })),
    );
  });
});
