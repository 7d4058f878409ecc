import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { queueVisibilityTimeoutMs } from "../../shared/aws/timeouts.ts";

/** Nobody sends these messages again, so the queues keep them as long as SQS allows. */
const durable: QueueProps = {
  maxMessageSizeBytes: 1024 * 1024,
  retentionPeriod: Duration.days(14),
  removalPolicy: RemovalPolicy.RETAIN,
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
};

/** Each subscription is a message group with its own throughput and deduplication, so a rush on one does not slow others. */
const fifo: QueueProps = {
  ...durable,
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
};

/** The queue from webhook, renew, and partner to provision. */
export function createSubscriptionQueue(scope: Construct): { queue: Queue; deadLetters: Queue } {
  const deadLetters = new Queue(scope, "DeadLetters", fifo);
  const queue = new Queue(scope, "Queue", {
    ...fifo,
    visibilityTimeout: Duration.millis(queueVisibilityTimeoutMs),
    // With the backoff between attempts, about four hours. An outage of the table must not last longer.
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: 20 },
  });
  return { queue, deadLetters };
}

/** For events that a bus could not deliver within a day, or that the target function failed at three times. */
export const createDeadLetterQueue = (scope: Construct, id: string): Queue => new Queue(scope, id, durable);
