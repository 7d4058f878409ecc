import type { IncomingMessage, ServerResponse } from "node:http";
import { type Billmgr, callBillmgr } from "./billmgr.ts";
import type { Delivery } from "./deliver.ts";
import { send, sendJson } from "./http.ts";
import type { Page } from "./pages.ts";

const maxHangMs = 10 * 60 * 1000;

/** Answers one HTTP request. Delays are real time. */
export async function serveBillmgr(
  billmgr: Billmgr,
  { method = "" }: IncomingMessage,
  response: ServerResponse,
  query: string,
  body: string,
): Promise<void> {
  if (method !== "GET" && method !== "POST") {
    response.setHeader("allow", "GET, POST");
    sendJson(response, 405, { error: `the method is ${method}; expected GET or POST` });
    return;
  }
  const inUrl = new URLSearchParams(query);
  const params = Object.fromEntries([...inUrl, ...new URLSearchParams(body)]);
  deliverTo(response, await callBillmgr(billmgr, { method, params, authinfoInUrl: inUrl.has("authinfo") }));
}

function deliverTo(response: ServerResponse, delivery: Delivery): void {
  if (delivery.later) setTimeout(delivery.later.act, delivery.later.ms).unref();
  if (delivery.kind === "drop") {
    response.socket?.destroy();
  } else if (delivery.kind === "hang") {
    const giveUp = setTimeout(() => response.socket?.destroy(), maxHangMs).unref();
    response.once("close", () => clearTimeout(giveUp));
  } else if (delivery.afterMs === 0) {
    sendPage(response, delivery.page);
  } else {
    setTimeout(() => sendPage(response, delivery.page), delivery.afterMs).unref();
  }
}

const sendPage = (response: ServerResponse, { status, contentType, body }: Page): void =>
  send(response, status, contentType, body);
