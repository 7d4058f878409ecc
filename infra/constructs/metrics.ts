import { Duration, type Stack } from "aws-cdk-lib";
import { Metric, Stats } from "aws-cdk-lib/aws-cloudwatch";
import type { MetricName } from "../../shared/observability/metrics.ts";
import type { FunctionName } from "./function.ts";

/** The function that publishes each metric. CloudWatch stores the metric under it, as the dimension `service`. */
const publishers: Record<MetricName, FunctionName> = {
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

/** A metric that this system's functions publish. */
export const metricOf = (stack: Stack, metricName: MetricName, options: Options): Metric =>
  new Metric({
    namespace: stack.stackName,
    metricName,
    dimensionsMap: { service: publishers[metricName] },
    ...options,
  });

/** A search expression for one line per value of the given dimensions, in addition to the service. */
export const searchByDimensions = (stack: Stack, metricName: MetricName, dimensions: string[]): string => {
  const schema = [`"${stack.stackName}"`, "service", ...dimensions].join(",");
  return `SEARCH('{${schema}} MetricName="${metricName}" service="${publishers[metricName]}"', '${SUM}', 300)`;
};
