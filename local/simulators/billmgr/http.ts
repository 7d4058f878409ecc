import type { IncomingMessage, ServerResponse } from "node:http";

const maxBodyBytes = 1024 * 1024;

/** @returns undefined if the body is larger than 1 MiB @throws if the caller disconnects before the end */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks).toString("utf8");
}

export function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json; charset=utf-8", `${JSON.stringify(value, null, 2)}\n`);
}

export function refuseTooLarge(response: ServerResponse): void {
  sendJson(response, 413, { error: `the body is larger than ${maxBodyBytes} bytes` });
}
