import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type ReceiveDependencies, receive } from "./receive.ts";

/** Adapts `receive` to Lambda. API Gateway's HTTP API and function URLs send payload format 2.0. */
export const createHandler =
  (deps: ReceiveDependencies) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const { status, body, headers } = await receive(
      {
        method: event.requestContext.http.method,
        path: event.rawPath,
        headers: event.headers,
        // A body whose content type is neither text nor JSON arrives in base64. Signatures cover the raw bytes.
        body: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
      },
      deps,
    );
    return {
      statusCode: status,
      headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
      body: JSON.stringify(body),
    };
  };
