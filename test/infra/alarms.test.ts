import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatted, fullStack, plainStack, type Resource, root, type Synthesized } from "../support/synthesized.ts";

const plain = plainStack();
const full = fullStack();

/** By their names without the stack's. */
const alarmsOf = (stack: Synthesized): Record<string, Resource["Properties"]> =>
  Object.fromEntries(
    Object.values(stack.resources("AWS::CloudWatch::Alarm")).map(({ Properties }) => [
      Properties.AlarmName.replace(/^shop-/, ""),
      Properties,
    ]),
  );

const alarms = alarmsOf(full);

const functions = ["webhook", "provision", "renew", "announce", "watch", "partner", "mail"];
const functionAlarms = functions.flatMap((name) => [`${name}-errors`, `${name}-throttles`, `${name}-duration`]);

test("the stack has exactly these alarms", () => {
  expect(Object.keys(alarms).sort()).toEqual(
    [
      "attention",
      "balance",
      "dead-letters",
      "halted",
      "mail-dead-letters",
      "orders-this-hour",
      "orders-today",
      "overdue",
      "partner-dead-letters",
      "queue-age",
      "server-errors",
      "signature-failures",
      "unknown-outcome",
      ...functionAlarms,
    ].sort(),
  );
});

test("a feature that is not configured has no alarms", () => {
  const configured = Object.keys(alarms).filter((name) => !/^(balance|partner|mail)/.test(name));
  expect(Object.keys(alarmsOf(plain)).sort()).toEqual(configured.sort());
});

// "comparison threshold statistic minutes missingData"
test.each([
  ["attention", "> 0 Maximum 5 ignore"],
  ["unknown-outcome", "> 3600 Maximum 120 notBreaching"],
  ["halted", ">= 1 Maximum 5 ignore"],
  ["balance", "< 250 Minimum 5 ignore"],
  ["orders-this-hour", ">= 8 Maximum 5 ignore"],
  ["orders-today", ">= 32 Maximum 5 ignore"],
  ["overdue", "> 900 Maximum 5 breaching"],
  ["signature-failures", ">= 5 Sum 60 notBreaching"],
  ["server-errors", ">= 3 Sum 60 notBreaching"],
  ["queue-age", "> 1800 Maximum 5 notBreaching"],
  ["dead-letters", "> 0 Maximum 5 ignore"],
  ["partner-dead-letters", "> 0 Maximum 5 ignore"],
  ["mail-dead-letters", "> 0 Maximum 5 ignore"],
  ["webhook-errors", "> 0 Sum 5 notBreaching"],
  ["provision-errors", "> 0 Sum 5 notBreaching"],
  ["renew-errors", "> 2 Sum 5 notBreaching"],
  ["webhook-throttles", "> 0 Sum 5 notBreaching"],
  ["watch-throttles", "> 2 Sum 5 notBreaching"],
  ["webhook-duration", "> 8000 p99 5 notBreaching"],
  ["provision-duration", "> 144000 p99 5 notBreaching"],
  ["announce-duration", "> 40000 p99 5 notBreaching"],
])("the alarm %s starts at %s", (name, expected) => {
  const { ComparisonOperator, Threshold, Statistic, ExtendedStatistic, Period, TreatMissingData, EvaluationPeriods } =
    alarms[name] ?? {};
  const signs: Record<string, string> = {
    GreaterThanThreshold: ">",
    GreaterThanOrEqualToThreshold: ">=",
    LessThanThreshold: "<",
  };
  const actual = [signs[ComparisonOperator], Threshold, Statistic ?? ExtendedStatistic, Period / 60, TreatMissingData];
  expect([actual.join(" "), EvaluationPeriods]).toEqual([expected, 1]);
});

describe("the recipients of an alarm", () => {
  test("are notified by the topic when the alarm starts and when it clears", () => {
    for (const { AlarmActions, OKActions, ActionsEnabled } of Object.values(alarms)) {
      expect([AlarmActions, OKActions].map((actions) => actions.map(formatted))).toEqual([
        ["<AlarmsTopic>"],
        ["<AlarmsTopic>"],
      ]);
      expect(ActionsEnabled).not.toBe(false);
    }
    expect(formatted(full.template.findOutputs("AlarmTopicArn").AlarmTopicArn?.Value)).toBe("<AlarmsTopic>");
  });

  test("include the operator's e-mail address, if one is configured", () => {
    plain.template.resourceCountIs("AWS::SNS::Subscription", 0);
    const [subscription] = Object.values(full.resources("AWS::SNS::Subscription"));
    expect(subscription?.Properties).toMatchObject({ Protocol: "email", Endpoint: "operator@shop.test" });
  });

  test("get messages of this stack's alarms only, sent over TLS", () => {
    // A topic with an explicit policy does not admit CloudWatch automatically, and the alarms would reach nobody.
    const { Statement } = full.resource("AWS::SNS::TopicPolicy", "AlarmsTopicPolicy").Properties.PolicyDocument;
    expect(Statement).toMatchObject([
      { Effect: "Deny", Action: "sns:Publish", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      { Effect: "Allow", Action: "sns:Publish", Principal: { Service: "cloudwatch.amazonaws.com" } },
    ]);
    const { StringEquals, ArnLike } = Statement[1].Condition;
    expect([formatted(StringEquals["aws:SourceAccount"]), formatted(ArnLike["aws:SourceArn"])]).toEqual([
      "<AWS::AccountId>",
      "arn:<AWS::Partition>:cloudwatch:eu-central-1:<AWS::AccountId>:alarm:shop-*",
    ]);
    for (const { AlarmName } of Object.values(alarms)) expect(AlarmName).toMatch(/^shop-/);
  });
});

describe("docs/runbook.md", () => {
  const runbook = readFileSync(join(root, "docs/runbook.md"), "utf8");
  const sections = runbook.split(/^## /m).slice(1);
  const anchorOf = (section: string) => section.split("\n")[0]?.toLowerCase().replaceAll(" ", "-") ?? "";

  test("each alarm's description contains its impact and names a section of the runbook", () => {
    for (const [name, { AlarmDescription }] of Object.entries(alarms)) {
      const [, impact, anchor] = /^([A-Z].{20,}\.) docs\/runbook\.md#([a-z-]+)$/.exec(AlarmDescription) ?? [];
      expect({ name, impact }).toEqual({ name, impact: expect.any(String) });
      expect(sections.map(anchorOf)).toContain(anchor);
    }
  });

  test("each section belongs to an alarm, and covers customer, diagnosis, fix, and end", () => {
    const anchors = Object.values(alarms).map(({ AlarmDescription }) => AlarmDescription.replace(/^.*#/, ""));
    expect(sections.map(anchorOf).sort()).toEqual([...new Set(anchors)].sort());
    for (const section of sections) {
      const parts = [...section.matchAll(/^- \*\*(.*?)\*\*/gm)].map(([, word]) => word);
      expect([anchorOf(section), parts]).toEqual([anchorOf(section), ["The customer:", "Look:", "Do:", "It clears"]]);
    }
  });

  test("each section names its alarms", () => {
    for (const [name, { AlarmDescription }] of Object.entries(alarms)) {
      const section = sections.find((one) => anchorOf(one) === AlarmDescription.replace(/^.*#/, "")) ?? "";
      const [line = ""] = /^Alarms?: .*?\. /ms.exec(section) ?? [];
      // If every function has such an alarm, the section names two of them and "…".
      if (!line.includes("…")) expect(line).toContain(`\`${name}\``);
    }
  });
});
