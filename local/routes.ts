import type { IncomingMessage, ServerResponse } from "node:http";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { maxBodyBytes } from "../functions/webhook/receive.ts";
import type { LocalParts } from "../shared/aws/local-parts.ts";
import type { Table } from "../shared/aws/table.ts";
import { ownHost } from "../shared/http/own-host.ts";
import { readBody, sendJson } from "../shared/http/serve.ts";
import type { Announcement } from "../shared/licensing/announcement.ts";
import { after, type Clock } from "./clock.ts";
import type { Sandbox } from "./simulators/billmgr/index.ts";

type Parts = {
  webhook: (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;
  sandbox: Sandbox | undefined;
  clock: Clock;
  advanceTo: (moment: Date) => Promise<void>;
  table: Pick<Table, "halt" | "liftHalt">;
  /** What was put onto the bus. */
  events?: readonly Announcement[];
  /** Where the embedded services listen, for `npm run ops`. */
  parts?: () => LocalParts;
  /** The operator's page, which has every path that is none of the others. */
  page?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
};

const machines = /^\/(webhooks|health|local|sandbox|manager|billmgr)(\/|$)/;

/** What moves the clock, lifts the halt and plans faults. */
const levers = /^\/(local|sandbox)\//;

/** A page that is open in a browser here can send requests here; it cannot send them without its Origin, or by our name. */
const isForeign = ({ headers: { host, origin } }: IncomingMessage): boolean =>
  (host !== undefined && !ownHost.test(host)) || (origin !== undefined && origin !== `http://${host}`);

/** Everything that the embedded stack answers over HTTP. */
export const createDoor =
  ({ webhook, sandbox, clock, advanceTo, table, events = [], parts, page }: Parts) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [pathname = "/"] = (request.url ?? "/").split("?");
    if (levers.test(pathname) && isForeign(request)) {
      return sendJson(response, 403, {
        error: "not for a page of somebody else's, nor by another name of this machine",
      });
    }
    if (sandbox && (await sandbox.handle(request, response))) return;
    if (pathname === "/local/clock") return serveClock(request, response, clock, advanceTo);
    if (pathname === "/local/halt") return serveHalt(request, response, table);
    if (pathname === "/local/events") return sendJson(response, 200, events);
    if (pathname === "/local/parts" && parts) return sendJson(response, 200, parts());
    if (page && !machines.test(pathname)) return page(request, response);
    const body = await readBody(request, maxBodyBytes);
    const answer = await webhook(eventOf(request, pathname, body));
    response.writeHead(answer.statusCode ?? 500, answer.headers as Record<string, string>).end(answer.body);
  };

async function serveClock(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  advanceTo: Parts["advanceTo"],
): Promise<void> {
  if (request.method === "POST") {
    const moment = after(clock.now(), advanceIn((await readBody(request, 1024)).toString("utf8")));
    if (!moment) {
      return sendJson(response, 400, { error: 'expected {"advance": an ISO 8601 duration such as "P30D" or "PT1H"}' });
    }
    await advanceTo(moment);
  } else if (request.method !== "GET") {
    return sendJson(response, 405, { error: "GET tells the time, POST moves it" }, { allow: "GET, POST" });
  }
  sendJson(response, 200, { now: clock.now().toISOString() });
}

async function serveHalt(request: IncomingMessage, response: ServerResponse, table: Parts["table"]): Promise<void> {
  if (request.method === "DELETE") await table.liftHalt();
  else if (request.method !== "GET") {
    return sendJson(response, 405, { error: "GET tells of the halt, DELETE lifts it" }, { allow: "GET, DELETE" });
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

/** The request as API Gateway's HTTP API hands it to the function; the body always in base64, which keeps its bytes. */
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
