/** What comes of a call: the answer to it, or what a fault makes of that. Nothing is sent and no time passes here. */

import { Refusal } from "./documents.ts";
import type { Fault, FaultName } from "./faults.ts";
import type { OrderVariant } from "./functions.ts";
import { captchaPage, errorPage, type Page, proxyPage, waitPage, xmlPage } from "./pages.ts";

export type Delivery = {
  /** For the log of calls, in a word or two. */
  word: string;
  /** Done so many milliseconds after the call, whether or not its caller still waits. */
  later?: { ms: number; act: () => void };
} & (
  | { comes: "answer"; page: Page; afterMs: number }
  /** The connection is closed without an answer. */
  | { comes: "drop" }
  /** The connection stays open. */
  | { comes: "nothing" }
);

export type Answer = { body: string; word: string };

export type Exchange = {
  /** Does what was asked, and writes the document about it. */
  act(variant?: OrderVariant): Answer;
  refuse(refusal: Refusal): Answer;
};

export const deliver = (exchange: Exchange, fault: Fault | undefined): Delivery =>
  fault ? spoilt[fault.fault](exchange, fault) : plain(exchange.act());

export const answer = (word: string, page: Page, afterMs = 0): Delivery => ({ word, comes: "answer", page, afterMs });

const plain = ({ body, word }: Answer): Delivery => answer(word, xmlPage(body));
const dropped: Delivery = { word: "dropped", comes: "drop" };
const nothing: Delivery = { word: "nothing", comes: "nothing" };

const delayOf = ({ seconds = 5 }: Fault): number => seconds * 1000;

const spoilt: Record<FaultName, (exchange: Exchange, fault: Fault) => Delivery> = {
  act_then_drop: ({ act }) => {
    act();
    return dropped;
  },
  drop_before_acting: () => dropped,
  hang: () => nothing,
  hang_then_act: ({ act }, fault) => ({ ...nothing, later: { ms: delayOf(fault), act } }),
  slow: ({ act }, fault) => {
    const { body, word } = act();
    return answer(`slow ${word}`, xmlPage(body), delayOf(fault));
  },
  long_request: ({ act }) => {
    act();
    return answer("long request", waitPage);
  },
  html: ({ act }, fault) => {
    if (fault.act) act();
    return answer("html", errorPage);
  },
  captcha: () => answer("captcha", captchaPage),
  http_status: ({ act }, { status = 502, ...fault }) => {
    if (fault.act) act();
    return answer(`http ${status}`, proxyPage(status));
  },
  truncated: ({ act }) => {
    const { body } = act();
    return answer("truncated", xmlPage(body.slice(0, body.length / 2)));
  },
  malformed: ({ act }) => answer("malformed", xmlPage(act().body.replace(/<\/doc>$/, "<msg>R & D</doc>"))),
  empty: ({ act }) => {
    act();
    return answer("empty", xmlPage(""));
  },
  error: ({ act, refuse }, { type = "", object = "", ...fault }) => {
    if (fault.act) act();
    return plain(refuse(new Refusal(type, object, "A planned error")));
  },
  basket: ({ act }) => plain(act({ funds: "basket" })),
  unpaid: ({ act }) => plain(act({ funds: "unpaid" })),
  reply_without_id: ({ act }) => plain(act({ reply: "none" })),
  reply_item_id: ({ act }) => plain(act({ reply: "item.id" })),
};
