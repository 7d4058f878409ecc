import * as http from "node:http";
import * as https from "node:https";

/** What came of one POST. */
export type Sent =
  /** No connection was made, so no byte of the request left. */
  | { came: "not_sent"; why: string }
  /** The request may have arrived; no whole answer came back. */
  | { came: "nothing"; why: string }
  | { came: "answer"; status: number; body: string };

export type Post = (form: URLSearchParams, timeoutMs: number) => Promise<Sent>;

/**
 * A page of 250 licenses has 0.4 MB. Parsed, an answer of many small parts takes two hundred times its size (measured:
 * 2 MiB take up to 435 MB, 4 MiB up to 552), and the function has 512 MB.
 */
export const largestAnswer = 2 * 1024 * 1024;

/**
 * One POST, on a connection of its own: a kept one may have died while the function was frozen, and would leave it in
 * doubt whether the request was sent. No retry, no redirect. Never rejects.
 */
export const postTo =
  (address: string): Post =>
  async (form, timeoutMs) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const secure = address.startsWith("https:");
    const request = (secure ? https : http).request(address, { method: "POST", headers, signal, agent: false });
    let connected = false;
    try {
      const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
        request.once("response", resolve).on("error", reject);
        // Nothing is written before that, and nothing can have arrived.
        const send = () => {
          connected = true;
          request.end(form.toString());
        };
        request.once("socket", (socket) => socket.once(secure ? "secureConnect" : "connect", send));
      });
      return { came: "answer", status: answer.statusCode ?? 0, body: await textOf(answer) };
    } catch (error) {
      return { came: connected ? "nothing" : "not_sent", why: reasonOf(error, signal, timeoutMs) };
    } finally {
      request.destroy();
    }
  };

const headers = { "content-type": "application/x-www-form-urlencoded", accept: "text/xml" };

async function textOf(answer: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > largestAnswer) throw new Error(`the answer is over the largest size of ${largestAnswer} bytes`);
    pieces.push(piece);
  }
  return new TextDecoder().decode(Buffer.concat(pieces));
}

function reasonOf(error: unknown, signal: AbortSignal, timeoutMs: number): string {
  if (signal.aborted) return `no answer within ${timeoutMs / 1000} s`;
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? `${code}: ${error.message}` : error.message;
}
