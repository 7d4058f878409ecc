import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Served = { url: string; close: () => Promise<void> };

/** Local servers hold secrets, so they accept only connections from this machine. */
const host = "127.0.0.1";

/** Serves HTTP on a port, by default a free one. @throws the system's error, such as `EADDRINUSE` */
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

/** Reads at most `maxBytes` + 1 bytes of the body, so that the caller sees that it is too long. Discards the rest. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (size <= maxBytes) chunks.push(chunk);
    size += chunk.length;
    if (size > 16 * maxBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBytes + 1);
}
