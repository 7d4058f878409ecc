import { Duration, type Stack } from "aws-cdk-lib";
import { EventBus, Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { AppFunction, capitalize } from "./function.ts";
import { createDeadLetterQueue } from "./queues.ts";

/** The storefront of each partner event source. */
export type EventSources = Readonly<Record<string, string>>;

/**
 * Receives the events of EventBridge partners. Each source gets its own bus, to which only the partner can publish.
 * @returns the dead-letter queue
 */
export function addPartnerEvents(
  stack: Stack,
  eventSources: EventSources,
  queue: Queue,
  reservedConcurrency: number | undefined,
) {
  const PartnerDeadLetters = createDeadLetterQueue(stack, "PartnerDeadLetters");
  const partner = new AppFunction(stack, "partner", {
    timeout: Duration.seconds(10),
    environment: { QUEUE_URL: queue.queueUrl, EVENT_SOURCES: JSON.stringify(eventSources) },
    reservedConcurrency,
    deadLetterQueue: PartnerDeadLetters,
  });
  partner.allow(["sqs:SendMessage"], queue.queueArn);
  for (const [source, storefront] of Object.entries(eventSources)) {
    new Rule(stack, `${capitalize(storefront)}Events`, {
      eventBus: new EventBus(stack, `${capitalize(storefront)}Bus`, { eventSourceName: source }),
      eventPattern: { source: [source] },
      targets: [new LambdaFunction(partner, { deadLetterQueue: PartnerDeadLetters })],
    });
  }
  return { PartnerDeadLetters };
}
