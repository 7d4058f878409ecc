import { createHmac } from "node:crypto";

export const hostbillSecret = "synthetic-secret-of-hostbill";

/** hostbill.atlassian.net/wiki/spaces/DOCS/pages/259784705; the plugin is no package that could sign here. */
export function signHostbill(event: string, body: string, at: Date, secret: string): Record<string, string> {
  const seconds = String(Math.floor(at.getTime() / 1000));
  return {
    "hb-hook": "3",
    "hb-event": event,
    "hb-timestamp": seconds,
    "hb-signature": createHmac("sha256", secret).update(seconds).update(body).digest("hex"),
  };
}
