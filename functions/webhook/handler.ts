import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { type ReceiveDependencies, receive } from "./receive.ts";

/** The Lambda's side of `receive`: API Gateway's HTTP API and function URLs send this shape (payload format 2.0). */
export const createHandler =
  (deps: ReceiveDependencies) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const { status, body, headers } = await receive(
      {
        method: event.requestContext.http.method,
        path: event.rawPath,
        headers: event.headers,
        // Bodies whose content type is neither text nor JSON come in base64; signatures are over the raw bytes.
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
