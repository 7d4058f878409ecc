import { describe, expect, test } from "vitest";
import { eventSource } from "../../shared/aws/bus.ts";
import { nameOf, plainStack, type Synthesized, said, stripeSource, synthesize } from "../support/synthesized.ts";

const plain = plainStack();
const whole = synthesize({ mailFrom: "licenses@shop.test", eventSources: { [stripeSource]: "stripe" } });

const all = ({ template }: Synthesized) => template.toJSON().Resources as Record<string, object>;
const rule = (name: string) => whole.resource("AWS::Events::Rule", name).Properties;
const deadLettersOf = (name: string) =>
  said(whole.resource("AWS::Lambda::Function", name).Properties.DeadLetterConfig.TargetArn);

test("the bus is named as the stack, so that one account holds several, and the name is told", () => {
  expect(plain.resource("AWS::Events::EventBus", "Events").Properties).toEqual({ Name: "shop" });
  expect(said(plain.template.findOutputs("EventBus").EventBus?.Value)).toBe("<Events>");
});

test("mail and partners add what is theirs, and change nothing else but the dashboard", () => {
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

describe("events of a partner", () => {
  test("the bus is the source's, and the rule takes its events alone", () => {
    expect(whole.resource("AWS::Events::EventBus", "StripeBus").Properties).toEqual({
      Name: stripeSource,
      EventSourceName: stripeSource,
    });
    const { EventPattern, EventBusName, State } = rule("StripeEvents");
    expect({ EventPattern, State }).toEqual({ EventPattern: { source: [stripeSource] }, State: "ENABLED" });
    expect(said(EventBusName)).toBe("<StripeBus>");
  });

  test("what cannot be handed over, and what the function fails at, is kept", () => {
    const [target] = rule("StripeEvents").Targets;
    expect([said(target.Arn), said(target.DeadLetterConfig.Arn), deadLettersOf("Partner")]).toEqual([
      "<Partner.Arn>",
      "<PartnerDeadLetters.Arn>",
      "<PartnerDeadLetters.Arn>",
    ]);
  });
});

describe("mail to customers", () => {
  test("takes from our bus what we put there, but for what is between operator and billmgr", () => {
    const { EventPattern, EventBusName, State } = rule("LicenseEvents");
    expect({ EventPattern, State }).toEqual({
      EventPattern: { source: [eventSource], "detail-type": [{ "anything-but": ["license.attention"] }] },
      State: "ENABLED",
    });
    expect(said(EventBusName)).toBe("<Events>");
  });

  test("what cannot be handed over, and what the function fails at, is kept", () => {
    const [target] = rule("LicenseEvents").Targets;
    expect([said(target.Arn), said(target.DeadLetterConfig.Arn), deadLettersOf("Mail")]).toEqual([
      "<Mail.Arn>",
      "<MailDeadLetters.Arn>",
      "<MailDeadLetters.Arn>",
    ]);
  });
});
