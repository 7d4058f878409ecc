import request from "undici/lib/api/api-request.js";
import Client from "undici/lib/dispatcher/client.js";

/** What came of one POST. */
export type PostResult =
  /** No connection was made, so no byte of the request left. */
  | { kind: "not_sent"; why: string }
  /** The request may have arrived; no whole answer came back. */
  | { kind: "no_response"; why: string }
  | { kind: "response"; status: number; body: string };

export type Post = (form: URLSearchParams, timeoutMs: number) => Promise<PostResult>;

/**
 * A page of 250 licenses has 0.4 MB. Parsed, an answer of many small parts takes two hundred times its size (measured:
 * 2 MiB take up to 435 MB, 4 MiB up to 552), and the function has 512 MB.
 */
export const maxResponseBytes = 2 * 1024 * 1024;

/**
 * One POST, on a connection of its own: a kept one may have died while the function was frozen, and would leave it in
 * doubt whether the request was sent. No retry, no redirect. Never rejects.
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
