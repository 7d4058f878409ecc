import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Served = { url: string; close: () => Promise<void> };

/** Only this machine: whatever runs here holds secrets. */
const host = "127.0.0.1";

/** @throws the system's error, `EADDRINUSE` for a busy port */
export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void,
  port = 0,
): Promise<Served> {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch(() => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: "internal error" });
    });
  });
  return { url: await listen(server, port), close: () => close(server) };
}

export async function listen(server: Server, port = 0): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

export async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(`${JSON.stringify(body)}\n`);
}

/** The body up to `most` bytes and one more, which shows that it is longer; the rest is read and thrown away. */
export async function bodyOf(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (size <= most) chunks.push(chunk);
    size += chunk.length;
    if (size > 16 * most) break;
  }
  return Buffer.concat(chunks).subarray(0, most + 1);
}
