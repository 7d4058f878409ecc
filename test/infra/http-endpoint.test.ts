import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { everything, formatted, fullStack, plainStack, root, type Synthesized } from "../support/synthesized.ts";

const plain = plainStack();
const full = fullStack();

const stage = () => plain.resource("AWS::ApiGatewayV2::Stage", "ApiDefaultStage").Properties;
const output = ({ template }: Synthesized, name: string) => formatted(template.findOutputs(name)[name]?.Value);

test("the endpoint has two routes to webhook, in payload format 2.0", () => {
  plain.template.allResourcesProperties("AWS::ApiGatewayV2::Integration", {
    IntegrationType: "AWS_PROXY",
    PayloadFormatVersion: "2.0",
  });
  const routes = Object.values(plain.resources("AWS::ApiGatewayV2::Route")).map(
    ({ Properties }) => Properties.RouteKey,
  );
  expect(routes.sort()).toEqual(["ANY /webhooks/{storefront}", "GET /health"]);
  expect(stage()).toMatchObject({ StageName: "$default", AutoDeploy: true });
});

test("the throttle admits 10,000 webhooks a minute", () => {
  const { ThrottlingRateLimit, ThrottlingBurstLimit } = stage().DefaultRouteSettings;
  expect(ThrottlingRateLimit).toBeGreaterThan(10_000 / 60);
  expect([ThrottlingRateLimit, ThrottlingBurstLimit]).toEqual([500, 1000]);
});

test("the access log excludes the body, the query, and all headers", () => {
  const { DestinationArn, Format } = stage().AccessLogSettings;
  expect(formatted(DestinationArn)).toBe("<ApiLog.Arn>");
  expect(plain.resource("AWS::Logs::LogGroup", "ApiLog").Properties.RetentionInDays).toBe(90);
  const variables = Object.values(JSON.parse(Format) as Record<string, string>);
  // docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html: method and path, which excludes
  // the query, are the only ones that a client controls.
  expect(variables.sort()).toEqual([
    "$context.error.message",
    "$context.httpMethod",
    "$context.identity.sourceIp",
    "$context.integrationErrorMessage",
    "$context.path",
    "$context.requestId",
    "$context.requestTime",
    "$context.responseLatency",
    "$context.responseLength",
    "$context.routeKey",
    "$context.status",
  ]);
});

describe("the endpoint's address", () => {
  test("is the API's own address by default", () => {
    expect(output(plain, "WebhookUrl")).toBe("<Api.ApiEndpoint>/webhooks/<storefront>");
    expect(plain.template.findOutputs("DomainTarget")).toEqual({});
    plain.template.resourceCountIs("AWS::ApiGatewayV2::DomainName", 0);
  });

  test("is the domain, if one is configured, and an output names its DNS target", () => {
    expect(output(full, "WebhookUrl")).toBe("https://hooks.shop.test/webhooks/<storefront>");
    expect(output(full, "DomainTarget")).toBe("<ApiDomain.RegionalDomainName>");
    const { DomainName, DomainNameConfigurations } = full.resource(
      "AWS::ApiGatewayV2::DomainName",
      "ApiDomain",
    ).Properties;
    expect([DomainName, DomainNameConfigurations]).toEqual([
      "hooks.shop.test",
      [{ CertificateArn: everything.domain?.certificate, EndpointType: "REGIONAL" }],
    ]);
    const [mapping] = Object.values(full.resources("AWS::ApiGatewayV2::ApiMapping"));
    expect([formatted(mapping?.Properties.ApiId), formatted(mapping?.Properties.DomainName)]).toEqual([
      "<Api>",
      "<ApiDomain>",
    ]);
  });
});

test("every output has a description, and docs/deploy.md lists it", () => {
  const outputs = Object.entries(full.template.findOutputs("*"));
  const guide = readFileSync(join(root, "docs/deploy.md"), "utf8");
  const listed = [...guide.matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(([, name]) => name);
  expect(outputs.map(([name]) => name).sort()).toEqual(listed.sort());
  for (const [, { Description }] of outputs) expect(Description).toMatch(/^[A-Z].{20,}/);
});

test("the output DashboardUrl is the dashboard's address", () => {
  const address = output(full, "DashboardUrl");
  expect(address).toBe(
    "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/shop",
  );
  const { DashboardName } = full.resource("AWS::CloudWatch::Dashboard", "Dashboard").Properties;
  expect(address.endsWith(`/${DashboardName}`)).toBe(true);
});
