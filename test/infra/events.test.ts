import { describe, expect, test } from "vitest";
import { eventSource } from "../../shared/aws/bus.ts";
import { formatted, nameOf, plainStack, type Synthesized, stripeSource, synthesize } from "../support/synthesized.ts";

const plain = plainStack();
const whole = synthesize({ mailFrom: "licenses@shop.test", eventSources: { [stripeSource]: "stripe" } });

const all = ({ template }: Synthesized) => template.toJSON().Resources as Record<string, object>;
const rule = (name: string) => whole.resource("AWS::Events::Rule", name).Properties;
const deadLettersOf = (name: string) =>
  formatted(whole.resource("AWS::Lambda::Function", name).Properties.DeadLetterConfig.TargetArn);

test("the bus has the stack's name, and an output contains it", () => {
  expect(plain.resource("AWS::Events::EventBus", "Events").Properties).toEqual({ Name: "shop" });
  expect(formatted(plain.template.findOutputs("EventBus").EventBus?.Value)).toBe("<Events>");
});

test("mail and partner events add resources, and change nothing else but the dashboard", () => {
  const { Dashboard9E4231ED: _, ...unchanged } = all(plain);
  expect(all(whole)).toMatchObject(unchanged);
  const added = Object.keys(all(whole)).filter((id) => !(id in all(plain)));
  expect(added.map((id) => nameOf(id).replace(/AllowEventRule.*/, "AllowEventRule")).sort()).toEqual([
    "AlarmsMailDeadLetters",
    "AlarmsMailDuration",
    "AlarmsMailErrors",
    "AlarmsMailThrottles",
    "AlarmsPartnerDeadLetters",
    "AlarmsPartnerDuration",
    "AlarmsPartnerErrors",
    "AlarmsPartnerThrottles",
    "LicenseEvents",
    "LicenseEventsAllowEventRule",
    "Mail",
    "MailDeadLetters",
    "MailDeadLettersPolicy",
    "MailLog",
    "MailRole",
    "MailRoleDefaultPolicy",
    "Partner",
    "PartnerDeadLetters",
    "PartnerDeadLettersPolicy",
    "PartnerLog",
    "PartnerRole",
    "PartnerRoleDefaultPolicy",
    "StripeBus",
    "StripeEvents",
    "StripeEventsAllowEventRule",
  ]);
});

describe("partner events", () => {
  test("have a bus for their source, with a rule for its events only", () => {
    expect(whole.resource("AWS::Events::EventBus", "StripeBus").Properties).toEqual({
      Name: stripeSource,
      EventSourceName: stripeSource,
    });
    const { EventPattern, EventBusName, State } = rule("StripeEvents");
    expect({ EventPattern, State }).toEqual({ EventPattern: { source: [stripeSource] }, State: "ENABLED" });
    expect(formatted(EventBusName)).toBe("<StripeBus>");
  });

  test("that cannot be delivered, or that the function fails at, go to the dead-letter queue", () => {
    const [target] = rule("StripeEvents").Targets;
    expect([formatted(target.Arn), formatted(target.DeadLetterConfig.Arn), deadLettersOf("Partner")]).toEqual([
      "<Partner.Arn>",
      "<PartnerDeadLetters.Arn>",
      "<PartnerDeadLetters.Arn>",
    ]);
  });
});

describe("mail to customers", () => {
  test("is sent for all events on the bus except attention items", () => {
    const { EventPattern, EventBusName, State } = rule("LicenseEvents");
    expect({ EventPattern, State }).toEqual({
      EventPattern: { source: [eventSource], "detail-type": [{ "anything-but": ["license.attention"] }] },
      State: "ENABLED",
    });
    expect(formatted(EventBusName)).toBe("<Events>");
  });

  test("that cannot be delivered, or that the function fails at, go to the dead-letter queue", () => {
    const [target] = rule("LicenseEvents").Targets;
    expect([formatted(target.Arn), formatted(target.DeadLetterConfig.Arn), deadLettersOf("Mail")]).toEqual([
      "<Mail.Arn>",
      "<MailDeadLetters.Arn>",
      "<MailDeadLetters.Arn>",
    ]);
  });
});
