import { describe, expect, test } from "vitest";
import {
  everything,
  formatted,
  formattedAll,
  fullStack,
  plainStack,
  type Resource,
  stripeSource,
  synthesize,
} from "../support/synthesized.ts";

const plain = plainStack();
const full = fullStack();

const lambda = (name: string): Resource["Properties"] => full.resource("AWS::Lambda::Function", name).Properties;
const always = ["Announce", "Provision", "Renew", "Watch", "Webhook"];
const names = [...always, "Mail", "Partner"];

test("the stack has five functions, plus one each for mail and partner events, if configured", () => {
  expect(Object.keys(plain.resources("AWS::Lambda::Function")).sort()).toEqual(always);
  expect(Object.keys(full.resources("AWS::Lambda::Function")).sort()).toEqual([...names].sort());
});

test.each(names)("%s runs on Node 24, arm64, 512 MB, untraced, and keeps its log for three months", (name) => {
  const { LoggingConfig, ...properties } = lambda(name);
  expect(properties).toMatchObject({
    Runtime: "nodejs24.x",
    Architectures: ["arm64"],
    MemorySize: 512,
    Handler: "index.handler",
  });
  expect(properties).not.toHaveProperty("TracingConfig");
  expect(formatted(LoggingConfig.LogGroup)).toBe(`<${name}Log>`);
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
])("%s has a timeout of %i s, %i reserved executions, and its environment", (name, timeout, reserved, environment) => {
  const { Timeout, ReservedConcurrentExecutions, Environment } = lambda(name);
  expect([Timeout, ReservedConcurrentExecutions]).toEqual([timeout, reserved]);
  expect(formattedAll(Environment.Variables)).toEqual({
    ...environment,
    POWERTOOLS_SERVICE_NAME: name.toLowerCase(),
    POWERTOOLS_METRICS_NAMESPACE: "shop",
  });
});

test("without reservedConcurrency the functions differ only in that", () => {
  const unreserved = synthesize({ ...everything, reservedConcurrency: false });
  for (const name of names) {
    const { ReservedConcurrentExecutions, ...rest } = lambda(name);
    expect(unreserved.resource("AWS::Lambda::Function", name).Properties).toEqual(rest);
  }
});

test("provision gets one message at a time, reports failures, and runs as often as the catalog allows", () => {
  full.template.resourceCountIs("AWS::Lambda::EventSourceMapping", 1);
  full.template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
    BatchSize: 1,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    ScalingConfig: { MaximumConcurrency: 7 },
  });
  // With less reserved than the event source's maximum, Lambda would throttle messages.
  expect(lambda("Provision").ReservedConcurrentExecutions).toBeGreaterThanOrEqual(7);
});

describe("every minute", () => {
  test("renew, announce, and watch run, each for less than a minute and one at a time", () => {
    const { ScheduleExpression, Targets, State } = full.resource("AWS::Events::Rule", "EveryMinute").Properties;
    expect([ScheduleExpression, State]).toEqual(["rate(1 minute)", "ENABLED"]);
    expect(Targets.map((target: { Arn: unknown }) => formatted(target.Arn))).toEqual([
      "<Renew.Arn>",
      "<Announce.Arn>",
      "<Watch.Arn>",
    ]);
    for (const name of ["Renew", "Announce", "Watch"]) {
      expect(lambda(name).Timeout).toBeLessThan(60);
      expect(lambda(name).ReservedConcurrentExecutions).toBe(1);
    }
  });

  test("neither EventBridge nor Lambda retries a missed or failed run", () => {
    const { Targets } = full.resource("AWS::Events::Rule", "EveryMinute").Properties;
    for (const { RetryPolicy } of Targets) {
      expect(RetryPolicy).toEqual({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 });
    }
    const configs = Object.values(full.resources("AWS::Lambda::EventInvokeConfig")).map(({ Properties }) => ({
      ...Properties,
      FunctionName: formatted(Properties.FunctionName),
    }));
    expect(configs).toEqual(
      ["Renew", "Announce", "Watch"].map((name) => ({
        FunctionName: `<${name}>`,
        MaximumEventAgeInSeconds: 60,
        MaximumRetryAttempts: 0,
        Qualifier: "$LATEST",
      })),
    );
  });
});
