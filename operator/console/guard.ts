import { timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { ownHost } from "../../shared/http/own-host.ts";

/** Nothing from elsewhere, nothing inline, and in nobody's frame. */
const policy = [
  "default-src 'none'",
  ...["style-src", "script-src", "connect-src", "form-action"].map((what) => `${what} 'self'`),
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  // A form's Origin would be "null" without any referrer.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** A browser keeps the cookies of all ports together: those of two consoles must not have one name. */
const cookieAt = (host: string): string => `billmgr-webhooks-console-${host.split(":")[1] ?? "80"}`;

const largestForm = 64 * 1024;

/**
 * Lets in who sits at this machine, and no page of somebody else's that their browser has open: the host is this one, and
 * a change comes from a page of this one, with the token that only its pages hold. With a key, no other person at this
 * machine either: the address with the key in it, as it was told at the start, is to be opened first.
 */
export const guard =
  (token: string, key?: string): MiddlewareHandler =>
  async (context, next) => {
    const { req } = context;
    for (const [name, value] of Object.entries(headers)) context.header(name, value);
    const host = req.header("host") ?? "";
    if (!ownHost.test(host)) return context.text(`this is served as 127.0.0.1 or localhost alone\n`, 421);
    if (key !== undefined && same(req.query("key"), key)) {
      setCookie(context, cookieAt(host), key, { httpOnly: true, sameSite: "Strict", path: "/" });
      return context.redirect("/", 303);
    }
    if (key !== undefined && !same(getCookie(context, cookieAt(host)), key)) {
      return context.text("open the address that was told at the start, with the key in it\n", 401);
    }
    if (req.method === "GET" || req.method === "HEAD") return next();
    if (req.method !== "POST") return context.text("GET reads, POST changes\n", 405, { allow: "GET, HEAD, POST" });
    if (req.header("origin") !== `http://${host}`)
      return context.text("a change has to come from a page of here\n", 403);
    // Every browser says it; a form without an end would be read to it.
    if (!(Number(req.header("content-length")) <= largestForm)) return context.text("a form of here is shorter\n", 413);
    const { token: given } = await req.parseBody();
    if (!same(given, token)) {
      return context.text("this page is of an earlier start: go back, load it anew and try again\n", 403);
    }
    return next();
  };

function same(given: unknown, token: string): boolean {
  const [a, b] = [Buffer.from(typeof given === "string" ? given : ""), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
