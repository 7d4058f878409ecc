import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { everything, fullStack, plainStack, root, type Synthesized, said } from "../support/synthesized.ts";

const plain = plainStack();
const full = fullStack();

const stage = () => plain.resource("AWS::ApiGatewayV2::Stage", "ApiDefaultStage").Properties;
const output = ({ template }: Synthesized, name: string) => said(template.findOutputs(name)[name]?.Value);

test("passes two routes to webhook, in payload format 2.0", () => {
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

test("lets 10,000 webhooks pass in a minute, and not any number", () => {
  const { ThrottlingRateLimit, ThrottlingBurstLimit } = stage().DefaultRouteSettings;
  expect(ThrottlingRateLimit).toBeGreaterThan(10_000 / 60);
  expect([ThrottlingRateLimit, ThrottlingBurstLimit]).toEqual([500, 1000]);
});

test("writes down who asked for what, and no body, query or header", () => {
  const { DestinationArn, Format } = stage().AccessLogSettings;
  expect(said(DestinationArn)).toBe("<ApiLog.Arn>");
  expect(plain.resource("AWS::Logs::LogGroup", "ApiLog").Properties.RetentionInDays).toBe(90);
  const variables = Object.values(JSON.parse(Format) as Record<string, string>);
  // docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html: none of these is what a client sent,
  // but for method and path, which is without the query.
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

describe("its address", () => {
  test("is the API's own", () => {
    expect(output(plain, "WebhookUrl")).toBe("<Api.ApiEndpoint>/webhooks/<storefront>");
    expect(plain.template.findOutputs("DomainTarget")).toEqual({});
    plain.template.resourceCountIs("AWS::ApiGatewayV2::DomainName", 0);
  });

  test("is the domain's where there is one, with what its DNS record points to", () => {
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
    expect([said(mapping?.Properties.ApiId), said(mapping?.Properties.DomainName)]).toEqual(["<Api>", "<ApiDomain>"]);
  });
});

test("every output says what it is, and docs/deploy.md lists it", () => {
  const outputs = Object.entries(full.template.findOutputs("*"));
  const guide = readFileSync(join(root, "docs/deploy.md"), "utf8");
  const told = [...guide.matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(([, name]) => name);
  expect(outputs.map(([name]) => name).sort()).toEqual(told.sort());
  for (const [, { Description }] of outputs) expect(Description).toMatch(/^[A-Z].{20,}/);
});

test("the dashboard is where its output says", () => {
  const address = output(full, "DashboardUrl");
  expect(address).toBe(
    "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/shop",
  );
  const { DashboardName } = full.resource("AWS::CloudWatch::Dashboard", "Dashboard").Properties;
  expect(address.endsWith(`/${DashboardName}`)).toBe(true);
});
