import { Duration, type Stack } from "aws-cdk-lib";
import { EventBus, Match, Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { eventSource } from "../../shared/aws/bus.ts";
import { AppFunction } from "./function.ts";
import { createDeadLetterQueue } from "./queues.ts";

/** The bus for license events. It has the stack's name, so that one account can hold several stacks. */
export const createEventBus = (stack: Stack): EventBus =>
  new EventBus(stack, "Events", { eventBusName: stack.stackName });

/** Sends license events to customers by mail, as an example of a subscriber to the bus. @returns the dead-letter queue */
export function addCustomerMail(stack: Stack, eventBus: EventBus, from: string, reservedConcurrency?: number) {
  const MailDeadLetters = createDeadLetterQueue(stack, "MailDeadLetters");
  const mail = new AppFunction(stack, "mail", {
    timeout: Duration.seconds(10),
    environment: { MAIL_FROM: from },
    reservedConcurrency,
    deadLetterQueue: MailDeadLetters,
  });
  // SES checks the permission on the verified identity: the address, or else its domain.
  for (const identity of [from, from.replace(/^.*@/, "")]) {
    const arn = stack.formatArn({ service: "ses", resource: "identity", resourceName: identity });
    mail.allow(["ses:SendEmail"], arn, { StringEquals: { "ses:FromAddress": from } });
  }
  new Rule(stack, "LicenseEvents", {
    eventBus,
    eventPattern: { source: [eventSource], detailType: Match.anythingBut("license.attention") },
    targets: [new LambdaFunction(mail, { deadLetterQueue: MailDeadLetters })],
  });
  return { MailDeadLetters };
}
