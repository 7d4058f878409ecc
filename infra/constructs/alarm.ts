import { ArnFormat, Stack } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, type TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";

export type AlarmProps = {
  /** One sentence: what a customer or the operator suffers. */
  impact: string;
  /** The section of docs/runbook.md. */
  runbook: string;
  metric: IMetric;
  is: "at least" | "above" | "below";
  threshold: number;
  /** What it means that there is no figure. */
  silence: TreatMissingData;
};

const comparisons = {
  "at least": ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  above: ComparisonOperator.GREATER_THAN_THRESHOLD,
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
};

/** An alarm that says to whom it matters and where to read on; told when it comes and when it is over. */
export class ImpactAlarm extends Alarm {
  constructor(scope: Construct, id: string, topic: Topic, { impact, runbook, is, silence, ...props }: AlarmProps) {
    const words = id.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    super(scope, id, {
      ...props,
      alarmName: `${Stack.of(scope).stackName}-${words}`,
      alarmDescription: `${impact} docs/runbook.md#${runbook}`,
      comparisonOperator: comparisons[is],
      evaluationPeriods: 1,
      treatMissingData: silence,
    });
    this.addAlarmAction(new SnsAction(topic));
    this.addOkAction(new SnsAction(topic));
  }
}

/**
 * Not encrypted by a key: CloudWatch cannot use SNS's own, one of ours has a monthly price, and what is told is names
 * and figures, no customer.
 */
export class AlarmTopic extends Topic {
  constructor(scope: Construct, id: string, email: string | undefined) {
    super(scope, id, { enforceSSL: true });
    const { account, stackName } = Stack.of(scope);
    // A policy of one's own takes the place of SNS's, which would let the account's alarms in.
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
