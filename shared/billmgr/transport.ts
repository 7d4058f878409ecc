import request from "undici/lib/api/api-request.js";
import Client from "undici/lib/dispatcher/client.js";

/** The result of one POST. */
export type PostResult =
  /** No connection was made, so no byte of the request was sent. */
  | { kind: "not_sent"; why: string }
  /** The request may have arrived. No complete response was received. */
  | { kind: "no_response"; why: string }
  | { kind: "response"; status: number; body: string };

export type Post = (form: URLSearchParams, timeoutMs: number) => Promise<PostResult>;

/**
 * A page of 250 licenses has 0.4 MB. A response of many small elements needs two hundred times its size when parsed
 * (measured: up to 435 MB for 2 MiB, 552 MB for 4 MiB). The function has 512 MB.
 */
export const maxResponseBytes = 2 * 1024 * 1024;

/**
 * Sends one POST on a new connection. A kept-alive connection may have died while the function was frozen, and then it
 * would be unknown whether the request was sent. There is no retry and no redirect. Never rejects.
 */
export const postTo =
  (address: string): Post =>
  async (form, timeoutMs) => {
    const { origin, pathname } = new URL(address);
    const client = new Client(origin, { maxResponseSize: maxResponseBytes, headersTimeout: 0, bodyTimeout: 0 });
    let connected = false;
    client.once("connect", () => {
      connected = true;
    });
    try {
      const answer = await request.call(client, {
        method: "POST",
        path: pathname,
        headers: { "content-type": "application/x-www-form-urlencoded", accept: "text/xml", connection: "close" },
        body: form.toString(),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body = await answer.body.text();
      return { kind: "response", status: answer.statusCode, body };
    } catch (error) {
      return { kind: connected ? "no_response" : "not_sent", why: reasonOf(error, timeoutMs) };
    } finally {
      client.destroy().catch(() => {});
    }
  };

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${timeoutMs / 1000} s`;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? `${code}: ${error.message}` : error.message;
}
