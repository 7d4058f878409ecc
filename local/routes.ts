import type { IncomingMessage, ServerResponse } from "node:http";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { maxBodyBytes } from "../functions/webhook/receive.ts";
import type { LocalParts } from "../shared/aws/local-parts.ts";
import type { Table } from "../shared/aws/table.ts";
import { ownHost } from "../shared/http/own-host.ts";
import { readBody, sendJson } from "../shared/http/serve.ts";
import type { Announcement } from "../shared/licensing/announcement.ts";
import { addDuration, type Clock } from "./clock.ts";
import type { Sandbox } from "./simulators/billmgr/index.ts";

type RequestHandlerDependencies = {
  webhook: (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;
  sandbox: Sandbox | undefined;
  clock: Clock;
  advanceTo: (moment: Date) => Promise<void>;
  table: Pick<Table, "halt" | "liftHalt">;
  /** The published events. */
  events?: readonly Announcement[];
  /** The addresses of the embedded services, for `npm run ops`. */
  parts?: () => LocalParts;
  /** The operator's console, which gets every other path. */
  page?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
};

const apiPaths = /^\/(webhooks|health|local|sandbox|manager|billmgr)(\/|$)/;

/** The paths that advance the clock, lift the halt, and plan faults. */
const controlPaths = /^\/(local|sandbox)\//;

/** A web page in a browser on this machine can send requests here, but not without its Origin or with this machine's own name. */
const isCrossOrigin = ({ headers: { host, origin } }: IncomingMessage): boolean =>
  (host !== undefined && !ownHost.test(host)) || (origin !== undefined && origin !== `http://${host}`);

/** Handles all HTTP requests to the local system. */
export const createRequestHandler =
  ({ webhook, sandbox, clock, advanceTo, table, events = [], parts, page }: RequestHandlerDependencies) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [pathname = "/"] = (request.url ?? "/").split("?");
    if (controlPaths.test(pathname) && isCrossOrigin(request)) {
      return sendJson(response, 403, { error: "cross-origin request refused; use 127.0.0.1 or localhost" });
    }
    if (sandbox && (await sandbox.handle(request, response))) return;
    if (pathname === "/local/clock") return serveClock(request, response, clock, advanceTo);
    if (pathname === "/local/halt") return serveHalt(request, response, table);
    if (pathname === "/local/events") return sendJson(response, 200, events);
    if (pathname === "/local/parts" && parts) return sendJson(response, 200, parts());
    if (page && !apiPaths.test(pathname)) return page(request, response);
    const body = await readBody(request, maxBodyBytes);
    const answer = await webhook(eventOf(request, pathname, body));
    response.writeHead(answer.statusCode ?? 500, answer.headers as Record<string, string>).end(answer.body);
  };

async function serveClock(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  advanceTo: RequestHandlerDependencies["advanceTo"],
): Promise<void> {
  if (request.method === "POST") {
    const moment = addDuration(clock.now(), advanceIn((await readBody(request, 1024)).toString("utf8")));
    if (!moment) {
      return sendJson(response, 400, { error: 'expected {"advance": "P30D"}, with an ISO 8601 duration' });
    }
    await advanceTo(moment);
  } else if (request.method !== "GET") {
    return sendJson(
      response,
      405,
      { error: "expected GET to read the clock or POST to advance it" },
      { allow: "GET, POST" },
    );
  }
  sendJson(response, 200, { now: clock.now().toISOString() });
}

async function serveHalt(
  request: IncomingMessage,
  response: ServerResponse,
  table: RequestHandlerDependencies["table"],
): Promise<void> {
  if (request.method === "DELETE") await table.liftHalt();
  else if (request.method !== "GET") {
    return sendJson(
      response,
      405,
      { error: "expected GET to read the halt or DELETE to lift it" },
      { allow: "GET, DELETE" },
    );
  }
  sendJson(response, 200, { halt: (await table.halt()) ?? null });
}

function advanceIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { advance?: unknown } | null)?.advance;
  } catch {
    return undefined;
  }
}

/** The request as API Gateway's HTTP API sends it to the function. The body is always in base64, which preserves its bytes. */
function eventOf(request: IncomingMessage, rawPath: string, body: Buffer): APIGatewayProxyEventV2 {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const http = {
    method: request.method ?? "GET",
    path: rawPath,
    protocol: "HTTP/1.1",
    sourceIp: "127.0.0.1",
    userAgent: "",
  };
  return {
    version: "2.0",
    routeKey: "ANY /webhooks/{storefront}",
    rawPath,
    rawQueryString: "",
    headers,
    requestContext: { http } as APIGatewayProxyEventV2["requestContext"],
    body: body.toString("base64"),
    isBase64Encoded: true,
  };
}
