import { createHmac } from "node:crypto";

export const fastspringSecret = "synthetic-secret-of-fastspring";

/** developer.fastspring.com/docs/message-security; FastSpring has no package that signs. */
export const signFastspring = (body: string, secret: string): Record<string, string> => ({
  "x-fs-signature": createHmac("sha256", secret).update(body).digest("base64"),
});
