/** Decides how a call is answered, with or without a fault. It sends nothing, and no time passes here. */

import { type Element, ok, Refusal } from "./documents.ts";
import type { Fault, FaultName } from "./faults.ts";
import { setFilter, shiftList } from "./lists.ts";
import { captchaPage, errorPage, type Page, proxyPage, waitPage, xmlPage } from "./pages.ts";
import type { Family } from "./products.ts";
import type { Settings } from "./settings.ts";
import type { SandboxState } from "./state.ts";

export type Delivery = {
  /** For the log of calls. */
  summary: string;
  /** An action that follows the call, whether or not its caller still waits. */
  later?: { ms: number; act: () => void };
} & (
  | { kind: "answer"; page: Page; afterMs: number }
  /** Closes the connection without an answer. */
  | { kind: "drop" }
  /** Leaves the connection open without an answer. */
  | { kind: "hang" }
);

export type Reply = { body: string; summary: string };

export type Exchange = {
  /** Performs the call, with these settings overridden, and returns its document. */
  act(overrides?: Partial<Settings>): Reply;
  refuse(refusal: Refusal): Reply;
  succeed(children: readonly Element[]): Reply;
  state: SandboxState;
  family: Family;
};

export const deliver = (exchange: Exchange, fault: Fault | undefined): Delivery =>
  fault ? faulty[fault.fault](exchange, fault) : answerXml(exchange.act());

export const answerWith = (summary: string, page: Page, afterMs = 0): Delivery => ({
  summary,
  kind: "answer",
  page,
  afterMs,
});

const answerXml = ({ body, summary }: Reply): Delivery => answerWith(summary, xmlPage(body));
const dropped: Delivery = { summary: "dropped", kind: "drop" };
const hanging: Delivery = { summary: "nothing", kind: "hang" };

/** A balance that pays for nothing. */
const noFunds = { balance: -1 };

const delayOf = ({ seconds = 5 }: Fault): number => seconds * 1000;

const faulty: Record<FaultName, (exchange: Exchange, fault: Fault) => Delivery> = {
  act_then_drop: ({ act }) => {
    act();
    return dropped;
  },
  drop_before_acting: () => dropped,
  hang: () => hanging,
  hang_then_act: ({ act }, fault) => ({ ...hanging, later: { ms: delayOf(fault), act } }),
  slow: ({ act }, fault) => {
    const { body, summary } = act();
    return answerWith(`slow ${summary}`, xmlPage(body), delayOf(fault));
  },
  long_request: ({ act }, fault) => {
    const page = answerWith("long request", waitPage);
    if (fault.seconds !== undefined) return { ...page, later: { ms: delayOf(fault), act } };
    act();
    return page;
  },
  html: ({ act }, fault) => {
    if (fault.act) act();
    return answerWith("html", errorPage);
  },
  captcha: () => answerWith("captcha", captchaPage),
  http_status: ({ act }, { status = 502, ...fault }) => {
    if (fault.act) act();
    return answerWith(`http ${status}`, proxyPage(status));
  },
  truncated: ({ act }) => {
    const { body } = act();
    return answerWith("truncated", xmlPage(body.slice(0, body.length / 2)));
  },
  malformed: ({ act }) => answerWith("malformed", xmlPage(act().body.replace(/<\/doc>$/, "<msg>R & D</doc>"))),
  empty: ({ act }) => {
    act();
    return answerWith("empty", xmlPage(""));
  },
  error: ({ act, refuse }, { type = "", object = "", ...fault }) => {
    if (fault.act) act();
    return answerXml(refuse(new Refusal(type, object, "A planned error")));
  },
  second_factor: ({ succeed }) => answerXml(succeed([ok("form", "func=totp.confirm")])),
  basket: ({ act }) => answerXml(act({ ...noFunds, fundsReply: "basket" })),
  cart_list: ({ act }) => answerXml(act({ ...noFunds, fundsReply: "cart_list" })),
  unpaid_id: ({ act }) => answerXml(act({ ...noFunds, fundsReply: "unpaid_id" })),
  unpaid: ({ act }) => answerXml(act({ ...noFunds, fundsReply: "unpaid" })),
  reply_without_id: ({ act }) => answerXml(act({ orderReply: "none" })),
  reply_item_id: ({ act }) => answerXml(act({ orderReply: "item.id" })),
  reply_order_number: ({ act }) => answerXml(act({ orderReply: "order_number" })),
  reply_foreign_id: ({ act }) => answerXml(act({ orderReply: "foreign_id" })),
  deleted_twin: ({ act }) => answerXml(act({ deletedTwins: true })),
  stays_processing: ({ act }, { seconds = 3600 }) =>
    answerXml(act({ processingSeconds: seconds, changeProcessing: true })),
  as_if: ({ act }, { settings }) => answerXml(act(settings)),
  filter_set: ({ act, state, family }, { filter = {} }) => {
    setFilter(state, family, filter);
    return answerXml(act());
  },
  list_shifts: ({ act, state, family }) => {
    shiftList(state, family);
    return answerXml(act());
  },
};
