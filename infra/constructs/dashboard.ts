import { Duration, type Stack } from "aws-cdk-lib";
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type HorizontalAnnotation,
  type IMetric,
  MathExpression,
  Stats,
  TextWidget,
  type YAxisProps,
} from "aws-cdk-lib/aws-cloudwatch";
import type { MetricName } from "../../shared/observability/metrics.ts";
import { type Monitored, maxOverdueSeconds } from "./alarms.ts";
import type { AppFunction } from "./function.ts";
import { fiveMinutes, max, metricOf, searchByDimensions, sum } from "./metrics.ts";

const heading = (markdown: string) => new TextWidget({ markdown, width: 24, height: 1 });

type GraphOptions = { lines?: HorizontalAnnotation[]; right?: IMetric[]; yAxis?: YAxisProps };

const graph = (
  title: string,
  left: IMetric[],
  { lines = [], right = [], yAxis = { min: 0 } }: GraphOptions = {},
): GraphWidget =>
  new GraphWidget({
    title,
    left,
    right,
    leftAnnotations: lines,
    leftYAxis: yAxis,
    width: 8,
    height: 6,
  });

/** All metrics on one page: money, flow, and health. */
export class OverviewDashboard extends Dashboard {
  constructor(
    stack: Stack,
    id: string,
    { endpoint, functions, queue, deadLetterQueues, limits }: Monitored,
    alarms: Alarm[],
  ) {
    super(stack, id, { dashboardName: stack.stackName, defaultInterval: Duration.days(1) });
    const sums = (...names: MetricName[]) => names.map((name) => metricOf(stack, name, { ...sum, label: name }));
    const maxima = (...names: MetricName[]) => names.map((name) => metricOf(stack, name, { ...max, label: name }));
    const { ordersPerHour, ordersPerDay, minimumBalance } = limits;
    const seconds = (statistic: string) =>
      metricOf(stack, "PaymentToLicense", { ...fiveMinutes, statistic, label: statistic });

    this.addWidgets(new AlarmStatusWidget({ title: "Alarms (docs/runbook.md)", alarms, width: 24, height: 5 }));

    this.addWidgets(heading("## Money: purchases and unknown outcomes"));
    this.addWidgets(
      graph("Done at billmgr", sums("Orders", "Prolongs", "OtherChanges")),
      graph("Refused or unknown at billmgr", sums("Refusals", "UnknownOutcomes")),
      graph("Needs attention", maxima("AttentionCount", "Halted")),
    );
    const limitLines = [
      { value: ordersPerHour, label: "per hour" },
      { value: ordersPerDay, label: "per day" },
    ];
    const balance = metricOf(stack, "Balance", { ...fiveMinutes, statistic: Stats.MINIMUM, label: "Balance" });
    const minimum = minimumBalance === undefined ? [] : [{ value: minimumBalance, label: "minimum" }];
    this.addWidgets(
      graph("Orders and their limits", maxima("OrdersThisHour", "OrdersToday"), { lines: limitLines }),
      graph("Balance", [balance], { lines: minimum, yAxis: {} }),
      graph("Age of unknown outcomes, in seconds", maxima("UnknownOutcomeAge")),
    );

    const byAnswer = searchByDimensions(stack, "Webhooks", ["storefront", "answer"]);
    this.addWidgets(heading("## Flow: from the webhook to the license"));
    this.addWidgets(
      graph("Webhooks by storefront and answer", [new MathExpression({ expression: byAnswer, label: "" })]),
      graph("Webhooks with a wrong signature", sums("SignatureFailures")),
      graph("Time from payment to license, in seconds", [Stats.p(50), Stats.p(90), Stats.MAXIMUM].map(seconds)),
    );
    this.addWidgets(
      graph(
        "Queue: messages (left), age of the oldest in seconds (right)",
        [queue.metricApproximateNumberOfMessagesVisible(max), queue.metricApproximateNumberOfMessagesNotVisible(max)],
        { right: [queue.metricApproximateAgeOfOldestMessage(max)] },
      ),
      graph("Subscriptions woken, events published", sums("Woken", "Announcements")),
      graph("HTTP endpoint: requests, 4xx, 5xx", [
        endpoint.metricCount(sum),
        endpoint.metricClientError(sum),
        endpoint.metricServerError(sum),
      ]),
    );

    const each = (metric: (one: AppFunction, label: string) => IMetric) =>
      functions.map((one) => metric(one, one.name));
    const deadLetters = Object.entries(deadLetterQueues).map(([label, letters]) =>
      letters.metricApproximateNumberOfMessagesVisible({ ...max, label }),
    );
    const p99 = { ...fiveMinutes, statistic: Stats.p(99) };
    this.addWidgets(heading("## Health: the functions"));
    this.addWidgets(
      graph(
        "Errors",
        each((one, label) => one.metricErrors({ ...sum, label })),
      ),
      graph(
        "Throttles",
        each((one, label) => one.metricThrottles({ ...sum, label })),
      ),
      graph(
        "Duration in milliseconds (p99)",
        each((one, label) => one.metricDuration({ ...p99, label })),
      ),
    );
    this.addWidgets(
      graph("Dead letters", deadLetters),
      graph("Oldest overdue work, in seconds", maxima("OverdueAge"), {
        lines: [{ value: maxOverdueSeconds, label: "alarm" }],
      }),
      graph(
        "Concurrent executions",
        each((one, label) => one.metric("ConcurrentExecutions", { ...max, label })),
      ),
    );
  }
}
