/** What comes of a call: the answer to it, or what a fault makes of that. Nothing is sent and no time passes here. */

import { type Element, ok, Refusal } from "./documents.ts";
import type { Fault, FaultName } from "./faults.ts";
import { setFilter, shiftList } from "./lists.ts";
import { captchaPage, errorPage, type Page, proxyPage, waitPage, xmlPage } from "./pages.ts";
import type { Family } from "./products.ts";
import type { Settings } from "./settings.ts";
import type { SandboxState } from "./state.ts";

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
  /** Does what was asked, as if these settings held, and writes the document about it. */
  act(settings?: Partial<Settings>): Answer;
  refuse(refusal: Refusal): Answer;
  say(children: readonly Element[]): Answer;
  state: SandboxState;
  family: Family;
};

export const deliver = (exchange: Exchange, fault: Fault | undefined): Delivery =>
  fault ? spoilt[fault.fault](exchange, fault) : plain(exchange.act());

export const answer = (word: string, page: Page, afterMs = 0): Delivery => ({ word, comes: "answer", page, afterMs });

const plain = ({ body, word }: Answer): Delivery => answer(word, xmlPage(body));
const dropped: Delivery = { word: "dropped", comes: "drop" };
const nothing: Delivery = { word: "nothing", comes: "nothing" };

/** With which nothing can be paid. */
const broke = { balance: -1 };

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
  long_request: ({ act }, fault) => {
    const page = answer("long request", waitPage);
    if (fault.seconds !== undefined) return { ...page, later: { ms: delayOf(fault), act } };
    act();
    return page;
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
  second_factor: ({ say }) => plain(say([ok("form", "func=totp.confirm")])),
  basket: ({ act }) => plain(act({ ...broke, fundsReply: "basket" })),
  cart_list: ({ act }) => plain(act({ ...broke, fundsReply: "cart_list" })),
  unpaid_id: ({ act }) => plain(act({ ...broke, fundsReply: "unpaid_id" })),
  unpaid: ({ act }) => plain(act({ ...broke, fundsReply: "unpaid" })),
  reply_without_id: ({ act }) => plain(act({ orderReply: "none" })),
  reply_item_id: ({ act }) => plain(act({ orderReply: "item.id" })),
  reply_order_number: ({ act }) => plain(act({ orderReply: "order_number" })),
  reply_foreign_id: ({ act }) => plain(act({ orderReply: "foreign_id" })),
  deleted_twin: ({ act }) => plain(act({ deletedTwins: true })),
  stays_processing: ({ act }, { seconds = 3600 }) => plain(act({ processingSeconds: seconds, changeProcessing: true })),
  as_if: ({ act }, { settings }) => plain(act(settings)),
  filter_set: ({ act, state, family }, { filter = {} }) => {
    setFilter(state, family, filter);
    return plain(act());
  },
  list_shifts: ({ act, state, family }) => {
    shiftList(state, family);
    return plain(act());
  },
};
