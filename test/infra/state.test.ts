import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { tableDefinition } from "../../shared/aws/schema.ts";
import { callTimeoutMs, readTimeoutMs } from "../../shared/billmgr/billmgr.ts";
import { formatted, fullStack, type Resource, type Synthesized, synthesize } from "../support/synthesized.ts";

const stack = fullStack();

/** Logical ids. If one changes, CloudFormation creates a new, empty resource and abandons the old one. */
const statefulIds = {
  "AWS::DynamoDB::Table": ["TableCD117FA1"],
  "AWS::SQS::Queue": ["Queue4A7E3555", "DeadLettersBBF8BAAB", "PartnerDeadLetters72846F9A", "MailDeadLettersAFC68608"],
  "AWS::SecretsManager::Secret": ["Secrets"],
  "AWS::ApiGatewayV2::Api": ["ApiF70053CD"],
  "AWS::ApiGatewayV2::DomainName": ["ApiDomain95042711"],
  "AWS::Events::EventBus": ["EventsD32975C2", "StripeBus9598E882"],
};

test.each(Object.entries(statefulIds))("the logical ids of stateful resources do not change: %s", (type, ids) => {
  expect(Object.keys(stack.template.findResources(type)).sort()).toEqual([...ids].sort());
});

test("two stacks in one account share no resource name", () => {
  // APIs, stages of different APIs, and inline policies of different roles may have the same name.
  const shared = ["AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage", "AWS::IAM::Policy"];
  const namesOf = ({ template }: Synthesized): string[] =>
    (Object.values(template.toJSON().Resources) as Resource[]).flatMap(({ Type, Properties = {} }) => {
      const name = Properties.Name ?? Properties[`${Type.replace(/^.*::/, "")}Name`];
      return name === undefined || shared.includes(Type) ? [] : [`${Type} ${name}`];
    });
  const [shop, staging] = ["shop", "staging"].map((name) =>
    namesOf(synthesize({ stack: name, mailFrom: "licenses@shop.test" })),
  );
  expect(shop).toEqual(staging?.map((name) => name.replace("staging", "shop")));
  expect(shop?.filter((name) => staging?.includes(name))).toEqual([]);
  expect(shop).toContain("AWS::Events::EventBus shop");
  expect(shop?.length).toBeGreaterThan(20);
});

describe("the table", () => {
  test("has the keys and the index of shared/aws/schema.ts", () => {
    const { TableName, AttributeDefinitions, ...definition } = tableDefinition("any");
    stack.template.hasResourceProperties("AWS::DynamoDB::Table", {
      ...definition,
      AttributeDefinitions: Match.arrayWith(AttributeDefinitions ?? []),
    });
  });

  test("can be restored to any second, cannot be deleted, and outlives the stack", () => {
    stack.template.hasResource("AWS::DynamoDB::Table", {
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
    "%s is FIFO by message group, encrypted, keeps messages of 1 MiB for 14 days, and outlives the stack",
    (name) => {
      const { Properties, DeletionPolicy } = stack.resource("AWS::SQS::Queue", name);
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
    },
  );

  test.each(["PartnerDeadLetters", "MailDeadLetters"])("%s keeps messages of 1 MiB for 14 days, unordered", (name) => {
    const { Properties, DeletionPolicy } = stack.resource("AWS::SQS::Queue", name);
    expect(DeletionPolicy).toBe("Retain");
    expect(Properties).toEqual({
      MaximumMessageSize: 1_048_576,
      MessageRetentionPeriod: 1_209_600,
      SqsManagedSseEnabled: true,
    });
  });

  test.each(["Queue", "DeadLetters", "PartnerDeadLetters", "MailDeadLetters"])(
    "%s rejects requests without TLS",
    (name) => {
      const policy = stack.resource("AWS::SQS::QueuePolicy", `${name}Policy`).Properties.PolicyDocument;
      expect(policy.Statement[0]).toMatchObject({
        Effect: "Deny",
        Action: "sqs:*",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      });
    },
  );

  test("moves a message to the dead-letter queue after 20 attempts", () => {
    const { RedrivePolicy } = stack.resource("AWS::SQS::Queue", "Queue").Properties;
    expect(RedrivePolicy?.maxReceiveCount).toBe(20);
    expect(formatted(RedrivePolicy?.deadLetterTargetArn)).toBe("<DeadLetters.Arn>");
  });

  test("timeouts nest: a call < the time for one step < a run of provision < visibility < the queue age alarm", () => {
    const call = callTimeoutMs / 1000;
    const step = call + (2 * readTimeoutMs) / 1000 + 10;
    const provision = Number(stack.resource("AWS::Lambda::Function", "Provision").Properties.Timeout);
    const visibility = Number(stack.resource("AWS::SQS::Queue", "Queue").Properties.VisibilityTimeout);
    const alarm = Number(stack.resource("AWS::CloudWatch::Alarm", "AlarmsQueueAge").Properties.Threshold);
    expect([call, step, provision, visibility, alarm]).toEqual([60, 110, 180, 1080, 1800]);
  });
});

describe("the secret", () => {
  test("is created without a value and outlives the stack", () => {
    const { Properties, DeletionPolicy } = stack.resource("AWS::SecretsManager::Secret", "Secrets");
    expect(Object.keys(Properties)).toEqual(["Description"]);
    expect(DeletionPolicy).toBe("Retain");
  });

  test("has an output with the command that stores its value", () => {
    expect(formatted(stack.template.findOutputs("PutSecrets").PutSecrets?.Value)).toBe(
      "aws secretsmanager put-secret-value --region eu-central-1 --secret-id <Secrets> --secret-string file://secrets.json",
    );
  });
});
