import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { tableDefinition } from "../../shared/aws/schema.ts";
import { callTimeoutMs, readTimeoutMs } from "../../shared/billmgr/billmgr.ts";
import { fullStack, type Resource, type Synthesized, said, synthesize } from "../support/synthesized.ts";

const stack = fullStack();

/** CloudFormation knows what it made by these: under another name it makes an empty one, and forgets the old. */
const kept = {
  "AWS::DynamoDB::Table": ["TableCD117FA1"],
  "AWS::SQS::Queue": ["Queue4A7E3555", "DeadLettersBBF8BAAB", "PartnerDeadLetters72846F9A", "MailDeadLettersAFC68608"],
  "AWS::SecretsManager::Secret": ["Secrets"],
  "AWS::ApiGatewayV2::Api": ["ApiF70053CD"],
  "AWS::ApiGatewayV2::DomainName": ["ApiDomain95042711"],
  "AWS::Events::EventBus": ["EventsD32975C2", "StripeBus9598E882"],
};

test.each(Object.entries(kept))("a refactoring does not replace what holds state or an address: %s", (type, ids) => {
  expect(Object.keys(stack.template.findResources(type)).sort()).toEqual([...ids].sort());
});

test("several stacks live in one account: no name of one is another's", () => {
  // Of APIs, stages of several, and policies in several roles, any number may have one name.
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

  test("survives mistakes: recovery to a moment, no deletion, kept when the stack goes", () => {
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
    "%s is FIFO by message group, encrypted, of the largest messages, for 14 days, and outlives the stack",
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

  test.each(["PartnerDeadLetters", "MailDeadLetters"])("%s keeps as much for as long, in no order", (name) => {
    const { Properties, DeletionPolicy } = stack.resource("AWS::SQS::Queue", name);
    expect(DeletionPolicy).toBe("Retain");
    expect(Properties).toEqual({
      MaximumMessageSize: 1_048_576,
      MessageRetentionPeriod: 1_209_600,
      SqsManagedSseEnabled: true,
    });
  });

  test.each(["Queue", "DeadLetters", "PartnerDeadLetters", "MailDeadLetters"])(
    "%s refuses what is not encrypted",
    (name) => {
      const policy = stack.resource("AWS::SQS::QueuePolicy", `${name}Policy`).Properties.PolicyDocument;
      expect(policy.Statement[0]).toMatchObject({
        Effect: "Deny",
        Action: "sqs:*",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      });
    },
  );

  test("gives a message up to the dead letters after 20 tries", () => {
    const { RedrivePolicy } = stack.resource("AWS::SQS::Queue", "Queue").Properties;
    expect(RedrivePolicy?.maxReceiveCount).toBe(20);
    expect(said(RedrivePolicy?.deadLetterTargetArn)).toBe("<DeadLetters.Arn>");
  });

  test("timeouts nest: a call < what provision wants left for one < provision < the queue's visibility", () => {
    const call = callTimeoutMs / 1000;
    const wanted = call + (2 * readTimeoutMs) / 1000 + 10;
    const provision = Number(stack.resource("AWS::Lambda::Function", "Provision").Properties.Timeout);
    const visibility = Number(stack.resource("AWS::SQS::Queue", "Queue").Properties.VisibilityTimeout);
    expect([call, wanted, provision, visibility]).toEqual([60, 110, 180, 1080]);
  });
});

describe("the secret", () => {
  test("is created without a value and kept when the stack goes", () => {
    const { Properties, DeletionPolicy } = stack.resource("AWS::SecretsManager::Secret", "Secrets");
    expect(Object.keys(Properties)).toEqual(["Description"]);
    expect(DeletionPolicy).toBe("Retain");
  });

  test("comes with the command that fills it in", () => {
    expect(said(stack.template.findOutputs("PutSecrets").PutSecrets?.Value)).toBe(
      "aws secretsmanager put-secret-value --region eu-central-1 --secret-id <Secrets> --secret-string file://secrets.json",
    );
  });
});
