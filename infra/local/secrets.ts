import { bodyOf, type Served, sendJson, serve } from "./serve.ts";

/**
 * Stands in for Secrets Manager before its real client: one secret, read anew at each request, so that an edited file
 * counts as a rotated secret.
 */
export const serveSecrets = (read: () => string | Promise<string>): Promise<Served> =>
  serve(async (request, response) => {
    const { SecretId = "" } = JSON.parse((await bodyOf(request, 65_536)).toString("utf8") || "{}") as {
      SecretId?: string;
    };
    const fail = (type: string, message: string) => sendJson(response, 400, { __type: type, message });
    if (request.headers["x-amz-target"] !== "secretsmanager.GetSecretValue") {
      return fail("InvalidRequestException", "only GetSecretValue is here");
    }
    try {
      const SecretString = await read();
      const ARN = `arn:aws:secretsmanager:us-east-1:000000000000:secret:${SecretId}`;
      sendJson(response, 200, { ARN, Name: SecretId, SecretString, VersionId: "1", VersionStages: ["AWSCURRENT"] });
    } catch (error) {
      fail("ResourceNotFoundException", error instanceof Error ? error.message : "not found");
    }
  });
