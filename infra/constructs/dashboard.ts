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
import type { Parts } from "./alarms.ts";
import { figure, figuresBy, fiveMinutes, max, sum } from "./metrics.ts";
import type { Worker } from "./worker.ts";

const heading = (markdown: string) => new TextWidget({ markdown, width: 24, height: 1 });

type Beside = { lines?: HorizontalAnnotation[]; right?: IMetric[]; yAxis?: YAxisProps };

const graph = (
  title: string,
  left: IMetric[],
  { lines = [], right = [], yAxis = { min: 0 } }: Beside = {},
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

/** Money, flow, health, on one page. */
export class Overview extends Dashboard {
  constructor(stack: Stack, id: string, { door, workers, queue, undelivered, limits }: Parts, alarms: Alarm[]) {
    super(stack, id, { dashboardName: stack.stackName, defaultInterval: Duration.days(1) });
    const sums = (...names: MetricName[]) => names.map((name) => figure(stack, name, { ...sum, label: name }));
    const most = (...names: MetricName[]) => names.map((name) => figure(stack, name, { ...max, label: name }));
    const { ordersPerHour, ordersPerDay, minimumBalance } = limits;
    const seconds = (statistic: string) =>
      figure(stack, "PaymentToLicense", { ...fiveMinutes, statistic, label: statistic });

    this.addWidgets(new AlarmStatusWidget({ title: "Alarms (docs/runbook.md)", alarms, width: 24, height: 5 }));

    this.addWidgets(heading("## Money: what was bought, and what is not certain"));
    this.addWidgets(
      graph("Done at billmgr", sums("Orders", "Prolongs", "OtherChanges")),
      graph("Not done at billmgr", sums("Refusals", "UnknownOutcomes")),
      graph("Waits for a person", most("AttentionCount", "Halted")),
    );
    const limitLines = [
      { value: ordersPerHour, label: "an hour" },
      { value: ordersPerDay, label: "a day" },
    ];
    const least = figure(stack, "Balance", { ...fiveMinutes, statistic: Stats.MINIMUM, label: "Balance" });
    const minimum = minimumBalance === undefined ? [] : [{ value: minimumBalance, label: "minimum" }];
    this.addWidgets(
      graph("Orders against the limits", most("OrdersThisHour", "OrdersToday"), { lines: limitLines }),
      graph("Balance", [least], { lines: minimum, yAxis: {} }),
      graph("Seconds that an outcome has been unknown", most("UnknownOutcomeAge")),
    );

    const byAnswer = figuresBy(stack, "Webhooks", ["storefront", "answer"]);
    this.addWidgets(heading("## Flow: from the webhook to the license"));
    this.addWidgets(
      graph("Webhooks by storefront and answer", [new MathExpression({ expression: byAnswer, label: "" })]),
      graph("Webhooks refused for their signature", sums("SignatureFailures")),
      graph("Seconds from the payment to the license", [Stats.p(50), Stats.p(90), Stats.MAXIMUM].map(seconds)),
    );
    this.addWidgets(
      graph(
        "The queue: messages, and the oldest one's seconds (right)",
        [queue.metricApproximateNumberOfMessagesVisible(max), queue.metricApproximateNumberOfMessagesNotVisible(max)],
        { right: [queue.metricApproximateAgeOfOldestMessage(max)] },
      ),
      graph("Woken by the schedule, told on the bus", sums("Woken", "Announcements")),
      graph("The door's answers", [door.metricCount(sum), door.metricClientError(sum), door.metricServerError(sum)]),
    );

    const each = (metric: (worker: Worker, label: string) => IMetric) => workers.map((one) => metric(one, one.name));
    const lying = Object.entries(undelivered).map(([label, letters]) =>
      letters.metricApproximateNumberOfMessagesVisible({ ...max, label }),
    );
    const p99 = { ...fiveMinutes, statistic: Stats.p(99) };
    this.addWidgets(heading("## Health: whether the functions do their work"));
    this.addWidgets(
      graph(
        "Errors",
        each((worker, label) => worker.metricErrors({ ...sum, label })),
      ),
      graph(
        "Throttles",
        each((worker, label) => worker.metricThrottles({ ...sum, label })),
      ),
      graph(
        "Milliseconds (99 of 100 take less)",
        each((worker, label) => worker.metricDuration({ ...p99, label })),
      ),
    );
    this.addWidgets(
      graph("Dead letters", lying),
      graph("Seconds that the longest due has been due", most("OverdueAge"), {
        lines: [{ value: 900, label: "alarm" }],
      }),
      graph(
        "Runs at a time",
        each((worker, label) => worker.metric("ConcurrentExecutions", { ...max, label })),
      ),
    );
  }
}
