/** Protects the console from other websites and, with an access key, from other users of this machine. */
import { timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { ownHost } from "../../shared/http/own-host.ts";

/** Allows no foreign content, no inline content, and no framing. */
const contentSecurityPolicy = [
  "default-src 'none'",
  ...["style-src", "script-src", "connect-src", "form-action"].map((directive) => `${directive} 'self'`),
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const headers = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  // Without any referrer, browsers send the Origin of a form as "null".
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Browsers share cookies between the ports of a host, so each console needs its own cookie name. */
const cookieName = (host: string): string => `billmgr-webhooks-console-${host.split(":")[1] ?? "80"}`;

const maxFormBytes = 64 * 1024;

/**
 * Requires the host to be this machine. A change also requires the Origin of this console and the token of its pages.
 * With an access key, the browser must first open the address that contains the key; a cookie then holds it.
 */
export const guard =
  (token: string, accessKey?: string): MiddlewareHandler =>
  async (c, next) => {
    const { req } = c;
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const host = req.header("host") ?? "";
    if (!ownHost.test(host)) return c.text("open the console as 127.0.0.1 or localhost\n", 421);
    if (accessKey !== undefined && isEqual(req.query("key"), accessKey)) {
      setCookie(c, cookieName(host), accessKey, { httpOnly: true, sameSite: "Strict", path: "/" });
      return c.redirect("/", 303);
    }
    if (accessKey !== undefined && !isEqual(getCookie(c, cookieName(host)), accessKey)) {
      return c.text("access key missing: open the address that the console printed at its start\n", 401);
    }
    if (req.method === "GET" || req.method === "HEAD") return next();
    if (req.method !== "POST")
      return c.text("only GET, HEAD, and POST are allowed\n", 405, { allow: "GET, HEAD, POST" });
    if (req.header("origin") !== `http://${host}`)
      return c.text("cross-origin request refused: a change must come from a page of this console\n", 403);
    // Every browser sends a content length. Without one, the body would be read to an unknown end.
    if (!(Number(req.header("content-length")) <= maxFormBytes))
      return c.text(`form too long, or without a content length: expected at most ${maxFormBytes} bytes\n`, 413);
    const { token: sentToken } = await req.parseBody();
    if (!isEqual(sentToken, token)) {
      return c.text("this page is from before the console restarted: go back, reload it, and try again\n", 403);
    }
    return next();
  };

/** Compares in constant time. */
function isEqual(sent: unknown, expected: string): boolean {
  const [a, b] = [Buffer.from(typeof sent === "string" ? sent : ""), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
