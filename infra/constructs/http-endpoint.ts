import { type Stack, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import { DomainName, HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { AppFunction } from "./function.ts";

/** The fields of an access log entry. They exclude the body, the query string, and all headers. */
const accessLogFields = {
  time: "$context.requestTime",
  id: "$context.requestId",
  ip: "$context.identity.sourceIp",
  method: "$context.httpMethod",
  path: "$context.path",
  route: "$context.routeKey",
  status: "$context.status",
  bytes: "$context.responseLength",
  milliseconds: "$context.responseLatency",
  error: "$context.error.message",
  webhookError: "$context.integrationErrorMessage",
};

/** The endpoint's own DNS name, and the ARN of its certificate. */
export type Domain = { name: string; certificate: string };

/** The HTTP API to which the storefronts send their webhooks. */
export class HttpEndpoint extends HttpApi {
  /** Without a trailing slash. */
  readonly address: string;
  /** The target of the domain's DNS record. */
  readonly domainTarget: string | undefined;

  constructor(stack: Stack, id: string, webhook: AppFunction, domain: Domain | undefined) {
    super(stack, id, { createDefaultStage: false });
    const domainName =
      domain &&
      new DomainName(this, "Domain", {
        domainName: domain.name,
        certificate: Certificate.fromCertificateArn(this, "Certificate", domain.certificate),
      });
    new HttpStage(this, "DefaultStage", {
      httpApi: this,
      autoDeploy: true,
      // A storefront that catches up may send 10,000 webhooks in a minute, which is 167 a second. API Gateway answers
      // 429 above the limit, and the storefront sends the webhook again.
      throttle: { rateLimit: 500, burstLimit: 1000 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(new LogGroup(this, "Log", { retention: RetentionDays.THREE_MONTHS })),
        format: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
      },
      ...(domainName && { domainMapping: { domainName } }),
    });
    this.address = domain ? `https://${domain.name}` : this.apiEndpoint;
    this.domainTarget = domainName?.regionalDomainName;

    const integration = new HttpLambdaIntegration("WebhookIntegration", webhook);
    const routes = [
      ...this.addRoutes({ path: "/webhooks/{storefront}", methods: [HttpMethod.ANY], integration }),
      ...this.addRoutes({ path: "/health", methods: [HttpMethod.GET], integration }),
    ];
    for (const route of routes) {
      Validations.of(route).acknowledge({
        id: "AwsSolutions-APIG4",
        reason: "The function verifies the storefront's signature over the body. /health returns no data.",
      });
    }
  }
}
