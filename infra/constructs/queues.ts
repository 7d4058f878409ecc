import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

/** Each message is something that was answered 200, or handed over, and will not be sent again. */
const kept: QueueProps = {
  maxMessageSizeBytes: 1024 * 1024,
  // The longest that SQS keeps a message.
  retentionPeriod: Duration.days(14),
  removalPolicy: RemovalPolicy.RETAIN,
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
};

/** A message group is a subscription; it is counted and deduplicated by itself, so none is slowed by another's rush. */
const inOrder: QueueProps = {
  ...kept,
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
};

/** @param taking the timeout of the function that takes from it */
export function subscriptionQueue(scope: Construct, taking: Duration): { queue: Queue; deadLetters: Queue } {
  const deadLetters = new Queue(scope, "DeadLetters", inOrder);
  const queue = new Queue(scope, "Queue", {
    ...inOrder,
    // AWS's advice for an event source, six times the function's timeout: a throttled batch is retried within it.
    visibilityTimeout: Duration.seconds(6 * taking.toSeconds()),
    // With the pauses between them, about four hours: an outage of the table must not end there.
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: 20 },
  });
  return { queue, deadLetters };
}

/** What a bus could not hand over in a day, and what the function behind it failed at three times. */
export const undelivered = (scope: Construct, id: string): Queue => new Queue(scope, id, kept);
