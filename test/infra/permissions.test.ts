import { App, Stack } from "aws-cdk-lib";
import { CfnTopic } from "aws-cdk-lib/aws-sns";
import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, test } from "vitest";
import { everything, formatted, fullStack, synthesize } from "../support/synthesized.ts";

type Statement = { Effect: string; Action: string | string[]; Resource: unknown; Condition?: unknown };

const stack = fullStack();

const log = (name: string) => [`logs:CreateLogStream <${name}Log.Arn>`, `logs:PutLogEvents <${name}Log.Arn>`];
const identities = ["licenses@shop.test", "shop.test"].map(
  (identity) => `ses:SendEmail arn:<AWS::Partition>:ses:eu-central-1:<AWS::AccountId>:identity/${identity}`,
);

const permissions: Record<string, string[]> = {
  Webhook: ["secretsmanager:GetSecretValue <Secrets>", "sqs:SendMessage <Queue.Arn>"],
  Provision: [
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
  Renew: [
    "dynamodb:Query <Table.Arn>/index/agenda",
    "dynamodb:Query <Table.Arn>/index/attention",
    "sqs:SendMessage <Queue.Arn>",
  ],
  Announce: [
    "dynamodb:GetItem <Table.Arn>",
    "dynamodb:PutItem <Table.Arn>",
    "dynamodb:Query <Table.Arn>",
    "dynamodb:Query <Table.Arn>/index/agenda",
    "dynamodb:Query <Table.Arn>/index/attention",
    "dynamodb:UpdateItem <Table.Arn>",
    "events:PutEvents <Events.Arn>",
  ],
  Watch: [
    "dynamodb:GetItem <Table.Arn>",
    "dynamodb:Query <Table.Arn>/index/agenda",
    "dynamodb:Query <Table.Arn>/index/attention",
  ],
  Partner: ["sqs:SendMessage <PartnerDeadLetters.Arn>", "sqs:SendMessage <Queue.Arn>"],
  Mail: [...identities, "sqs:SendMessage <MailDeadLetters.Arn>"],
};

test.each(Object.entries(permissions))("%s has exactly these permissions", (name, allowed) => {
  const role = `${name}Role`;
  const { Properties } = stack.resource("AWS::IAM::Role", role);
  expect(Object.keys(Properties)).toEqual(["AssumeRolePolicyDocument"]);
  expect(Properties.AssumeRolePolicyDocument.Statement).toEqual([
    { Action: "sts:AssumeRole", Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" } },
  ]);
  expect(formatted(stack.resource("AWS::Lambda::Function", name).Properties.Role)).toBe(`<${role}.Arn>`);

  const statements = Object.values(stack.resources("AWS::IAM::Policy"))
    .filter(({ Properties }) => Properties.Roles.some((one: unknown) => formatted(one) === `<${role}>`))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[]);
  const granted = statements.flatMap(({ Effect, Action, Resource, Condition, ...rest }) => {
    expect({ Effect, ...rest }).toEqual({ Effect: "Allow" });
    const onlyFrom = { StringEquals: { "ses:FromAddress": "licenses@shop.test" } };
    expect(Condition).toEqual(Action === "ses:SendEmail" ? onlyFrom : undefined);
    return [Action].flat().flatMap((action) => [Resource].flat().map((one) => `${action} ${formatted(one)}`));
  });
  expect(granted.sort()).toEqual([...allowed, ...log(name)].sort());
});

test("there are no other roles, and only these callers may invoke a function", () => {
  const names = Object.keys(permissions);
  expect(Object.keys(stack.resources("AWS::IAM::Role")).sort()).toEqual(names.map((name) => `${name}Role`).sort());
  expect(Object.keys(stack.resources("AWS::IAM::Policy"))).toHaveLength(names.length);
  const callers = Object.values(stack.resources("AWS::Lambda::Permission")).map(
    ({ Properties }) =>
      `${Properties.Principal} ${formatted(Properties.SourceArn)} ${formatted(Properties.FunctionName)}`,
  );
  const api = "apigateway.amazonaws.com arn:<AWS::Partition>:execute-api:eu-central-1:<AWS::AccountId>:<Api>";
  expect(callers.sort()).toEqual([
    `${api}/*/*/health <Webhook.Arn>`,
    `${api}/*/*/webhooks/{storefront} <Webhook.Arn>`,
    "events.amazonaws.com <EveryMinute.Arn> <Announce.Arn>",
    "events.amazonaws.com <EveryMinute.Arn> <Renew.Arn>",
    "events.amazonaws.com <EveryMinute.Arn> <Watch.Arn>",
    "events.amazonaws.com <LicenseEvents.Arn> <Mail.Arn>",
    "events.amazonaws.com <StripeEvents.Arn> <Partner.Arn>",
  ]);
});

test.each([
  ["PartnerDeadLetters", "StripeEvents"],
  ["MailDeadLetters", "LicenseEvents"],
])("%s accepts undelivered events of the rule %s only", (queue, rule) => {
  const { Statement } = stack.resource("AWS::SQS::QueuePolicy", `${queue}Policy`).Properties.PolicyDocument;
  expect(Statement).toMatchObject([
    { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
    { Effect: "Allow", Action: "sqs:SendMessage", Principal: { Service: "events.amazonaws.com" } },
  ]);
  expect(formatted(Statement[1].Condition.ArnEquals["aws:SourceArn"])).toBe(`<${rule}.Arn>`);
});

describe("AWS's security rules", () => {
  test.each([
    ["with every setting", everything],
    ["with the defaults", {}],
  ])("report no finding %s", (_, config) => {
    expect(new AwsSolutionsChecks().validateScope(synthesize(config).app)).toEqual({ success: true, violations: [] });
  });

  test("report a finding for a careless stack", () => {
    const careless = new App();
    new CfnTopic(new Stack(careless, "careless"), "Topic");
    const { success, violations } = new AwsSolutionsChecks().validateScope(careless);
    expect([success, violations.map(({ ruleName }) => ruleName)]).toEqual([false, ["AwsSolutions-SNS3"]]);
  });
});
