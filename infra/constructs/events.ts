import { Duration, type Stack } from "aws-cdk-lib";
import { EventBus, Match, Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { eventSource } from "../../shared/aws/bus.ts";
import { undelivered } from "./queues.ts";
import { Worker } from "./worker.ts";

/** The bus that tells what became of the licenses, named as the stack, so that one account holds several. */
export const eventsOf = (stack: Stack): EventBus => new EventBus(stack, "Events", { eventBusName: stack.stackName });

/** An example of what a bus is for: tells each customer by mail. @returns what it could not */
export function mailCustomers(stack: Stack, bus: EventBus, from: string, atOnce: number | undefined) {
  const MailDeadLetters = undelivered(stack, "MailDeadLetters");
  const mail = new Worker(stack, "mail", {
    timeout: Duration.seconds(10),
    environment: { MAIL_FROM: from },
    atOnce,
    deadLetterQueue: MailDeadLetters,
  });
  // SES asks for the right to the identity that it finds: the address if that is verified, or else its domain.
  for (const identity of [from, from.replace(/^.*@/, "")]) {
    const arn = stack.formatArn({ service: "ses", resource: "identity", resourceName: identity });
    mail.may(["ses:SendEmail"], arn, { StringEquals: { "ses:FromAddress": from } });
  }
  new Rule(stack, "LicenseEvents", {
    eventBus: bus,
    eventPattern: { source: [eventSource], detailType: Match.anythingBut("license.attention") },
    targets: [new LambdaFunction(mail, { deadLetterQueue: MailDeadLetters })],
  });
  return { MailDeadLetters };
}
