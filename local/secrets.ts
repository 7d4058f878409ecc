import { readBody, type Served, sendJson, serve } from "../shared/http/serve.ts";

/** A version of the secret; `putAt`: when it was stored. */
type Version = string | { text: string; putAt: Date };

/**
 * Serves one secret with the API of Secrets Manager. It reads the secret at each request, so editing the file rotates it.
 * Without `putAt`, the client never asks for the previous version.
 */
export const serveSecrets = (read: (stage: string) => Version | Promise<Version>): Promise<Served> =>
  serve(async (request, response) => {
    const { SecretId = "", VersionStage = "AWSCURRENT" } = JSON.parse(
      (await readBody(request, 65_536)).toString("utf8") || "{}",
    ) as { SecretId?: string; VersionStage?: string };
    const fail = (type: string, message: string) => sendJson(response, 400, { __type: type, message });
    if (request.headers["x-amz-target"] !== "secretsmanager.GetSecretValue") {
      return fail("InvalidRequestException", "only GetSecretValue is supported");
    }
    try {
      const version = await read(VersionStage);
      const { text: SecretString, putAt }: { text: string; putAt?: Date } =
        typeof version === "string" ? { text: version } : version;
      sendJson(response, 200, {
        ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${SecretId}`,
        Name: SecretId,
        SecretString,
        VersionId: VersionStage,
        VersionStages: [VersionStage],
        ...(putAt && { CreatedDate: putAt.getTime() / 1000 }),
      });
    } catch (error) {
      fail("ResourceNotFoundException", error instanceof Error ? error.message : "not found");
    }
  });
