import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fullStack, plainStack, type Resource, root, type Synthesized, said } from "../support/synthesized.ts";

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

const workers = ["webhook", "provision", "renew", "announce", "watch", "partner", "mail"];
const ofWorkers = workers.flatMap((name) => [`${name}-errors`, `${name}-throttles`, `${name}-duration`]);

test("there is one for everything that somebody suffers from", () => {
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
      ...ofWorkers,
    ].sort(),
  );
});

test("none is about what is not configured", () => {
  const configured = Object.keys(alarms).filter((name) => !/^(balance|partner|mail)/.test(name));
  expect(Object.keys(alarmsOf(plain)).sort()).toEqual(configured.sort());
});

// "comparison threshold statistic minutes silence"
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
])("%s rings at %s", (name, expected) => {
  const { ComparisonOperator, Threshold, Statistic, ExtendedStatistic, Period, TreatMissingData, EvaluationPeriods } =
    alarms[name] ?? {};
  const signs: Record<string, string> = {
    GreaterThanThreshold: ">",
    GreaterThanOrEqualToThreshold: ">=",
    LessThanThreshold: "<",
  };
  const is = [signs[ComparisonOperator], Threshold, Statistic ?? ExtendedStatistic, Period / 60, TreatMissingData];
  expect([is.join(" "), EvaluationPeriods]).toEqual([expected, 1]);
});

describe("who hears it", () => {
  test("the topic, when an alarm comes and when it is over", () => {
    for (const { AlarmActions, OKActions, ActionsEnabled } of Object.values(alarms)) {
      expect([AlarmActions, OKActions].map((actions) => actions.map(said))).toEqual([
        ["<AlarmsTopic>"],
        ["<AlarmsTopic>"],
      ]);
      expect(ActionsEnabled).not.toBe(false);
    }
    expect(said(full.template.findOutputs("AlarmTopicArn").AlarmTopicArn?.Value)).toBe("<AlarmsTopic>");
  });

  test("the operator by mail, if an address is given", () => {
    plain.template.resourceCountIs("AWS::SNS::Subscription", 0);
    const [subscription] = Object.values(full.resources("AWS::SNS::Subscription"));
    expect(subscription?.Properties).toMatchObject({ Protocol: "email", Endpoint: "operator@shop.test" });
  });

  test("the topic takes this stack's alarms, and nothing that is not encrypted", () => {
    // With a policy of its own a topic does not let CloudWatch in by itself: the alarms would ring unheard.
    const { Statement } = full.resource("AWS::SNS::TopicPolicy", "AlarmsTopicPolicy").Properties.PolicyDocument;
    expect(Statement).toMatchObject([
      { Effect: "Deny", Action: "sns:Publish", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      { Effect: "Allow", Action: "sns:Publish", Principal: { Service: "cloudwatch.amazonaws.com" } },
    ]);
    const { StringEquals, ArnLike } = Statement[1].Condition;
    expect([said(StringEquals["aws:SourceAccount"]), said(ArnLike["aws:SourceArn"])]).toEqual([
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

  test("each alarm says what is suffered, in a sentence, and the section to read on in", () => {
    for (const [name, { AlarmDescription }] of Object.entries(alarms)) {
      const [, impact, anchor] = /^([A-Z].{20,}\.) docs\/runbook\.md#([a-z-]+)$/.exec(AlarmDescription) ?? [];
      expect({ name, impact }).toEqual({ name, impact: expect.any(String) });
      expect(sections.map(anchorOf)).toContain(anchor);
    }
  });

  test("each section is of an alarm, and tells who suffers, what to look at, what to do and when it is over", () => {
    const anchors = Object.values(alarms).map(({ AlarmDescription }) => AlarmDescription.replace(/^.*#/, ""));
    expect(sections.map(anchorOf).sort()).toEqual([...new Set(anchors)].sort());
    for (const section of sections) {
      const told = [...section.matchAll(/^- \*\*(.*?)\*\*/gm)].map(([, word]) => word);
      expect([anchorOf(section), told]).toEqual([anchorOf(section), ["The customer:", "Look:", "Do:", "It clears"]]);
    }
  });

  test("each section names its alarms", () => {
    for (const [name, { AlarmDescription }] of Object.entries(alarms)) {
      const section = sections.find((one) => anchorOf(one) === AlarmDescription.replace(/^.*#/, "")) ?? "";
      const [line = ""] = /^Alarms?: .*?\. /ms.exec(section) ?? [];
      // Where every function has one, two are named and the others left to the reader.
      if (!line.includes("…")) expect(line).toContain(`\`${name}\``);
    }
  });
});
