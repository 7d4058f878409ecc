import { Duration, type Stack } from "aws-cdk-lib";
import { EventBus, Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { undelivered } from "./queues.ts";
import { capital, Worker } from "./worker.ts";

/** Storefront by name of its partner event source. */
export type EventSources = Readonly<Record<string, string>>;

/** A bus for each source, as AWS associates them: only the partner can put events onto it. @returns what was not taken */
export function takePartnerEvents(stack: Stack, eventSources: EventSources, queue: Queue, atOnce: number | undefined) {
  const PartnerDeadLetters = undelivered(stack, "PartnerDeadLetters");
  const partner = new Worker(stack, "partner", {
    timeout: Duration.seconds(10),
    environment: { QUEUE_URL: queue.queueUrl, EVENT_SOURCES: JSON.stringify(eventSources) },
    atOnce,
    deadLetterQueue: PartnerDeadLetters,
  });
  partner.may(["sqs:SendMessage"], queue.queueArn);
  for (const [source, storefront] of Object.entries(eventSources)) {
    new Rule(stack, `${capital(storefront)}Events`, {
      eventBus: new EventBus(stack, `${capital(storefront)}Bus`, { eventSourceName: source }),
      eventPattern: { source: [source] },
      targets: [new LambdaFunction(partner, { deadLetterQueue: PartnerDeadLetters })],
    });
  }
  return { PartnerDeadLetters };
}
