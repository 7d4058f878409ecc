import { ArnFormat, Stack } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, type TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";

export type AlarmProps = {
  /** One sentence: what the problem means for a customer or the operator. */
  impact: string;
  /** The section of docs/runbook.md. */
  runbook: string;
  metric: IMetric;
  comparison: "at least" | "above" | "below";
  threshold: number;
  /** The meaning of missing data. */
  missingData: TreatMissingData;
};

const operators = {
  "at least": ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  above: ComparisonOperator.GREATER_THAN_THRESHOLD,
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
};

/** An alarm whose description contains the impact and the runbook section. It notifies when it starts and when it clears. */
export class ImpactAlarm extends Alarm {
  constructor(
    scope: Construct,
    id: string,
    topic: Topic,
    { impact, runbook, comparison, missingData, ...props }: AlarmProps,
  ) {
    const name = id.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    super(scope, id, {
      ...props,
      alarmName: `${Stack.of(scope).stackName}-${name}`,
      alarmDescription: `${impact} docs/runbook.md#${runbook}`,
      comparisonOperator: operators[comparison],
      evaluationPeriods: 1,
      treatMissingData: missingData,
    });
    this.addAlarmAction(new SnsAction(topic));
    this.addOkAction(new SnsAction(topic));
  }
}

/**
 * The topic of all alarms. It is not encrypted with a KMS key: CloudWatch cannot use SNS's default key, a customer managed
 * key has a monthly price, and the messages contain only names and numbers, no customer data.
 */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, email: string | undefined) {
    super(scope, id, { enforceSSL: true });
    const { account, stackName } = Stack.of(scope);
    // enforceSSL replaces SNS's default policy, which would let the account's alarms publish.
    this.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.topicArn],
        conditions: {
          StringEquals: { "aws:SourceAccount": account },
          ArnLike: {
            "aws:SourceArn": Stack.of(scope).formatArn({
              service: "cloudwatch",
              resource: "alarm",
              resourceName: `${stackName}-*`,
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    if (email !== undefined) this.addSubscription(new EmailSubscription(email));
  }
}
