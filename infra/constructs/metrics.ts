import { Duration, type Stack } from "aws-cdk-lib";
import { Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import type { MetricName } from "../../shared/observability/metrics.ts";
import type { WorkerName } from "./worker.ts";

/** Which function tells each figure, and so the dimension `service` that CloudWatch keeps it under. */
const toldBy: Record<MetricName, WorkerName> = {
  Webhooks: "webhook",
  SignatureFailures: "webhook",
  Orders: "provision",
  Prolongs: "provision",
  OtherChanges: "provision",
  Refusals: "provision",
  UnknownOutcomes: "provision",
  UnknownOutcomeAge: "provision",
  PaymentToLicense: "provision",
  Woken: "renew",
  Announcements: "announce",
  AttentionCount: "watch",
  OverdueAge: "watch",
  Halted: "watch",
  Balance: "watch",
  OrdersThisHour: "watch",
  OrdersToday: "watch",
};

const { MAXIMUM, SUM } = Stats;
export const fiveMinutes = { period: Duration.minutes(5) };
export const sum = { ...fiveMinutes, statistic: SUM };
export const max = { ...fiveMinutes, statistic: MAXIMUM };

type Options = { statistic: string; period: Duration; label?: string };

/** A figure that the functions write. */
export const figure = (stack: Stack, metricName: MetricName, options: Options): Metric =>
  new Metric({ namespace: stack.stackName, metricName, dimensionsMap: { service: toldBy[metricName] }, ...options });

/** A figure for each value of the dimensions that come beside the service, as CloudWatch finds them. */
export const figuresBy = (stack: Stack, metricName: MetricName, dimensions: string[]): string => {
  const schema = [`"${stack.stackName}"`, "service", ...dimensions].join(",");
  return `SEARCH('{${schema}} MetricName="${metricName}" service="${toldBy[metricName]}"', '${SUM}', 300)`;
};
