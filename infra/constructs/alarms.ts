import { Duration, type Stack } from "aws-cdk-lib";
import { type Alarm, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { type AlarmProps, AlarmTopic, ImpactAlarm } from "./alarm.ts";
import type { Door } from "./http-endpoint.ts";
import { figure, fiveMinutes, max, sum } from "./metrics.ts";
import { capital, type Worker, type WorkerName } from "./worker.ts";

/** What there is to be watched. `undelivered` are all dead-letter queues, by their names. */
export type Parts = {
  door: Door;
  workers: Worker[];
  queue: Queue;
  undelivered: Record<string, Queue>;
  limits: Catalog["limits"];
};

/** What is suffered while a function does not do its work; of those that run each minute one run does not matter. */
const without: Record<WorkerName, { impact: string; tolerated: number }> = {
  webhook: {
    impact: "Webhooks are not taken: licenses come late, when the storefront sends them again.",
    tolerated: 0,
  },
  provision: { impact: "Licenses are ordered, renewed and changed late, or not at all.", tolerated: 0 },
  renew: { impact: "Nothing that is due is done: paid licenses are not renewed, unpaid ones run on.", tolerated: 2 },
  announce: { impact: "Whoever listens to the events is told late of the licenses.", tolerated: 2 },
  watch: {
    impact: "The figures of attention, balance and limits are old, and their alarms say nothing.",
    tolerated: 2,
  },
  partner: { impact: "Events from EventBridge are taken late, or lie in PartnerDeadLetters.", tolerated: 0 },
  mail: { impact: "Customers are not told of their licenses by mail.", tolerated: 0 },
};

/** A figure that is told each minute, or by whoever works: without one, nothing is wrong. */
const { NOT_BREACHING: fine, IGNORE: asBefore, BREACHING: wrong } = TreatMissingData;

export class Alarms extends Construct {
  readonly topic: AlarmTopic;
  readonly all: Alarm[] = [];

  constructor(stack: Stack, id: string, parts: Parts, email: string | undefined) {
    super(stack, id);
    this.topic = new AlarmTopic(this, "Topic", email);
    this.#money(stack, parts.limits);
    this.#flow(stack, parts);
    for (const worker of parts.workers) this.#worker(worker);
  }

  #add(name: string, props: AlarmProps): void {
    this.all.push(new ImpactAlarm(this, name, this.topic, props));
  }

  #money(stack: Stack, { minimumBalance, ordersPerHour, ordersPerDay }: Catalog["limits"]): void {
    this.#add("Attention", {
      impact: "A customer's license does not follow what was paid until a person decides.",
      runbook: "attention",
      metric: figure(stack, "AttentionCount", max),
      is: "above",
      threshold: 0,
      silence: asBefore,
    });
    this.#add("UnknownOutcome", {
      impact: "A customer waits for a license that may or may not have been bought.",
      runbook: "unknown-outcome",
      // Told at each look, which after the first hour is once an hour.
      metric: figure(stack, "UnknownOutcomeAge", { statistic: Stats.MAXIMUM, period: Duration.hours(2) }),
      is: "above",
      threshold: 3600,
      silence: fine,
    });
    this.#add("Halted", {
      impact: "All calls to billmgr stand still: no customer gets, renews or loses a license.",
      runbook: "halted",
      metric: figure(stack, "Halted", max),
      is: "at least",
      threshold: 1,
      silence: asBefore,
    });
    if (minimumBalance !== undefined) {
      this.#add("Balance", {
        impact: "The next orders and renewals are refused for want of money.",
        runbook: "balance",
        metric: figure(stack, "Balance", { ...fiveMinutes, statistic: Stats.MINIMUM }),
        is: "below",
        threshold: minimumBalance,
        silence: asBefore,
      });
    }
    const limits = [
      ["OrdersThisHour", ordersPerHour],
      ["OrdersToday", ordersPerDay],
    ] as const;
    for (const [name, limit] of limits) {
      this.#add(name, {
        impact: `Past ${limit} orders customers wait for a person; or a broken shop is buying licenses.`,
        runbook: "orders",
        metric: figure(stack, name, max),
        is: "at least",
        threshold: 0.8 * limit,
        silence: asBefore,
      });
    }
  }

  #flow(stack: Stack, { door, queue, undelivered }: Parts): void {
    this.#add("Overdue", {
      impact: "What is due is not done: paid licenses expire, or nobody watches any of this.",
      runbook: "overdue",
      metric: figure(stack, "OverdueAge", max),
      is: "above",
      threshold: 15 * 60,
      // watch tells it each minute. Five minutes without are a watch that does not run, and then no alarm is to be believed.
      silence: wrong,
    });
    this.#add("SignatureFailures", {
      impact: "A storefront's webhooks are refused, so that its customers get no licenses; or somebody forges them.",
      runbook: "signature-failures",
      // A wrong secret refuses each webhook, of which a small shop sends few, each again and again. A stray one is no alarm.
      metric: figure(stack, "SignatureFailures", { statistic: Stats.SUM, period: Duration.hours(1) }),
      is: "at least",
      threshold: 5,
      silence: fine,
    });
    this.#add("ServerErrors", {
      impact: "Webhooks are answered 5xx: licenses come late, when the storefront sends them again.",
      runbook: "server-errors",
      // A single one is sent again and taken.
      metric: door.metricServerError({ statistic: Stats.SUM, period: Duration.hours(1) }),
      is: "at least",
      threshold: 3,
      silence: fine,
    });
    this.#add("QueueAge", {
      impact: "Licenses are late: what a customer did has waited for more than half an hour.",
      runbook: "queue-age",
      // A worker that died holds its message for 18 minutes, which is no backlog.
      metric: queue.metricApproximateAgeOfOldestMessage(max),
      is: "above",
      threshold: 30 * 60,
      silence: fine,
    });
    for (const [name, letters] of Object.entries(undelivered)) {
      this.#add(name, {
        impact:
          name === "MailDeadLetters"
            ? "Customers were not told of their licenses by mail, after three tries."
            : "What a customer did was given up after many tries, and waits for a person.",
        runbook: "dead-letters",
        metric: letters.metricApproximateNumberOfMessagesVisible(max),
        is: "above",
        threshold: 0,
        // SQS tells nothing of a queue that nobody has touched for six hours, even of one that holds something.
        silence: asBefore,
      });
    }
  }

  #worker(worker: Worker): void {
    const { impact, tolerated } = without[worker.name];
    const name = capital(worker.name);
    this.#add(`${name}Errors`, {
      impact,
      runbook: "function-errors",
      metric: worker.metricErrors(sum),
      is: "above",
      threshold: tolerated,
      silence: fine,
    });
    this.#add(`${name}Throttles`, {
      impact,
      runbook: "throttles",
      metric: worker.metricThrottles(sum),
      is: "above",
      threshold: tolerated,
      silence: fine,
    });
    this.#add(`${name}Duration`, {
      impact,
      runbook: "duration",
      metric: worker.metricDuration({ ...fiveMinutes, statistic: Stats.percentile(99) }),
      is: "above",
      threshold: 0.8 * worker.allotted.toMilliseconds(),
      silence: fine,
    });
  }
}
