import { Duration, type Stack } from "aws-cdk-lib";
import { type Alarm, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { type AlarmProps, AlarmTopic, ImpactAlarm } from "./alarm.ts";
import { type AppFunction, capitalize, type FunctionName } from "./function.ts";
import type { HttpEndpoint } from "./http-endpoint.ts";
import { fiveMinutes, max, metricOf, sum } from "./metrics.ts";

/** The resources that alarms and dashboard monitor. `deadLetterQueues` by their construct ids. */
export type Monitored = {
  endpoint: HttpEndpoint;
  functions: AppFunction[];
  queue: Queue;
  deadLetterQueues: Record<string, Queue>;
  limits: Catalog["limits"];
};

/** The impact while a function fails. Functions that run every minute may fail twice in five minutes. */
const functionFailures: Record<FunctionName, { impact: string; maxFailures: number }> = {
  webhook: {
    impact: "Webhooks are not accepted. Licenses are late until the storefront sends the webhooks again.",
    maxFailures: 0,
  },
  provision: { impact: "Licenses are ordered, renewed, and changed late or not at all.", maxFailures: 0 },
  renew: { impact: "Due work is not done. Paid licenses are not renewed, and unpaid ones continue.", maxFailures: 2 },
  announce: { impact: "Event subscribers receive license events late.", maxFailures: 2 },
  watch: {
    impact: "The metrics for attention, balance, and limits are outdated, so their alarms do not work.",
    maxFailures: 2,
  },
  partner: { impact: "Events from EventBridge are processed late, or wait in PartnerDeadLetters.", maxFailures: 0 },
  mail: { impact: "Customers receive no mail about their licenses.", maxFailures: 0 },
};

export const maxOverdueSeconds = 15 * 60;
/** Longer than the queue's visibility timeout: a message whose run died waits that long, which is not a backlog. */
const maxQueueAgeSeconds = 30 * 60;

/**
 * The meaning of missing data. Some metrics are published only when something happens, so missing data means that all is
 * well. For others the state is unchanged, or the publisher is broken.
 */
const { NOT_BREACHING: noProblem, IGNORE: unchanged, BREACHING: problem } = TreatMissingData;

export class Alarms extends Construct {
  readonly topic: AlarmTopic;
  readonly all: Alarm[] = [];

  constructor(stack: Stack, id: string, monitored: Monitored, email: string | undefined) {
    super(stack, id);
    this.topic = new AlarmTopic(this, "Topic", email);
    this.#addMoney(stack, monitored.limits);
    this.#addFlow(stack, monitored);
    for (const one of monitored.functions) this.#addFunction(one);
  }

  #add(name: string, props: AlarmProps): void {
    this.all.push(new ImpactAlarm(this, name, this.topic, props));
  }

  #addMoney(stack: Stack, { minimumBalance, ordersPerHour, ordersPerDay }: Catalog["limits"]): void {
    this.#add("Attention", {
      impact: "A customer's license does not match what was paid until an operator decides.",
      runbook: "attention",
      metric: metricOf(stack, "AttentionCount", max),
      comparison: "above",
      threshold: 0,
      missingData: unchanged,
    });
    this.#add("UnknownOutcome", {
      impact: "A customer waits for a license that may or may not have been bought.",
      runbook: "unknown-outcome",
      // Published at each observation, which after the first hour is once an hour.
      metric: metricOf(stack, "UnknownOutcomeAge", { statistic: Stats.MAXIMUM, period: Duration.hours(2) }),
      comparison: "above",
      threshold: 3600,
      missingData: noProblem,
    });
    this.#add("Halted", {
      impact: "All calls to billmgr are halted. No customer gets, renews, or loses a license.",
      runbook: "halted",
      metric: metricOf(stack, "Halted", max),
      comparison: "at least",
      threshold: 1,
      missingData: unchanged,
    });
    if (minimumBalance !== undefined) {
      this.#add("Balance", {
        impact: "The next orders and renewals will be refused because the balance is too low.",
        runbook: "balance",
        metric: metricOf(stack, "Balance", { ...fiveMinutes, statistic: Stats.MINIMUM }),
        comparison: "below",
        threshold: minimumBalance,
        missingData: unchanged,
      });
    }
    const limits = [
      ["OrdersThisHour", ordersPerHour],
      ["OrdersToday", ordersPerDay],
    ] as const;
    for (const [name, limit] of limits) {
      this.#add(name, {
        impact: `After ${limit} orders, each further order needs attention. A broken shop may be buying licenses.`,
        runbook: "orders",
        metric: metricOf(stack, name, max),
        comparison: "at least",
        threshold: 0.8 * limit,
        missingData: unchanged,
      });
    }
  }

  #addFlow(stack: Stack, { endpoint, queue, deadLetterQueues }: Monitored): void {
    this.#add("Overdue", {
      impact: "Due work is not done. Paid licenses expire, or the monitoring itself does not run.",
      runbook: "overdue",
      metric: metricOf(stack, "OverdueAge", max),
      comparison: "above",
      threshold: maxOverdueSeconds,
      // watch publishes this every minute. If five minutes are missing, watch does not run and no alarm is reliable.
      missingData: problem,
    });
    this.#add("SignatureFailures", {
      impact: "A storefront's webhooks are rejected, so its customers get no licenses, or someone forges webhooks.",
      runbook: "signature-failures",
      // With a wrong secret every webhook fails. A small shop sends few, but each several times. One stray is no alarm.
      metric: metricOf(stack, "SignatureFailures", { statistic: Stats.SUM, period: Duration.hours(1) }),
      comparison: "at least",
      threshold: 5,
      missingData: noProblem,
    });
    this.#add("ServerErrors", {
      impact: "Webhooks are answered with 5xx. Licenses are late until the storefront sends the webhooks again.",
      runbook: "server-errors",
      // A storefront sends a webhook again after a single failure.
      metric: endpoint.metricServerError({ statistic: Stats.SUM, period: Duration.hours(1) }),
      comparison: "at least",
      threshold: 3,
      missingData: noProblem,
    });
    this.#add("QueueAge", {
      impact: "Licenses are late. An event has waited in the queue for more than half an hour.",
      runbook: "queue-age",
      metric: queue.metricApproximateAgeOfOldestMessage(max),
      comparison: "above",
      threshold: maxQueueAgeSeconds,
      missingData: noProblem,
    });
    for (const [name, deadLetters] of Object.entries(deadLetterQueues)) {
      this.#add(name, {
        impact:
          name === "MailDeadLetters"
            ? "Customers received no mail about their licenses, after three attempts."
            : "A customer's event was given up after many attempts and needs attention.",
        runbook: "dead-letters",
        metric: deadLetters.metricApproximateNumberOfMessagesVisible(max),
        comparison: "above",
        threshold: 0,
        // SQS publishes no metrics of a queue that was unused for six hours, even if it contains messages.
        missingData: unchanged,
      });
    }
  }

  #addFunction(one: AppFunction): void {
    const { impact, maxFailures } = functionFailures[one.name];
    const name = capitalize(one.name);
    this.#add(`${name}Errors`, {
      impact,
      runbook: "function-errors",
      metric: one.metricErrors(sum),
      comparison: "above",
      threshold: maxFailures,
      missingData: noProblem,
    });
    this.#add(`${name}Throttles`, {
      impact,
      runbook: "throttles",
      metric: one.metricThrottles(sum),
      comparison: "above",
      threshold: maxFailures,
      missingData: noProblem,
    });
    this.#add(`${name}Duration`, {
      impact,
      runbook: "duration",
      metric: one.metricDuration({ ...fiveMinutes, statistic: Stats.percentile(99) }),
      comparison: "above",
      threshold: 0.8 * one.maxDuration.toMilliseconds(),
      missingData: noProblem,
    });
  }
}
