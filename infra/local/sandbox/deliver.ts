/** Sends an answer, or spoils it as a fault says. */

import type { ServerResponse } from "node:http";
import { Refusal } from "./documents.ts";
import type { Fault } from "./faults.ts";
import type { OrderVariant } from "./functions.ts";
import { sendHtml, sendXml } from "./http.ts";

export type Answer = { body: string; word: string };

export type Exchange = {
  response: ServerResponse;
  /** Does what was asked, and writes the document about it. */
  act(variant?: OrderVariant): Answer;
  refuse(refusal: Refusal): Answer;
};

const GIVE_UP_AFTER = 10 * 60 * 1000;
const DEFAULT_SECONDS = 5;

const reasons = {
  403: "Forbidden",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Temporarily Unavailable",
  504: "Gateway Time-out",
};

/** Answers in a word or two what the caller got. */
export function deliver({ response, act, refuse }: Exchange, fault: Fault | undefined): string {
  const xml = ({ body, word }: Answer): string => {
    sendXml(response, body);
    return word;
  };
  const delay = (fault?.seconds ?? DEFAULT_SECONDS) * 1000;

  switch (fault?.fault) {
    case undefined:
      return xml(act());
    case "act_then_drop":
      act();
      return drop(response);
    case "drop_before_acting":
      return drop(response);
    case "hang":
      return hang(response);
    case "hang_then_act":
      setTimeout(act, delay).unref();
      return hang(response);
    case "slow": {
      const answer = act();
      setTimeout(() => sendXml(response, answer.body), delay).unref();
      return `slow ${answer.word}`;
    }
    case "long_request":
      act();
      // Observed: a page whose link matches /long.+billmgr/. What the link answers is not known, so it leads nowhere.
      sendHtml(
        response,
        200,
        "Please wait",
        '<p>Request in process, please wait</p><a href="/manager/long/5a7d4b0c/billmgr">Continue</a>',
      );
      return "long request";
    case "html":
      if (fault.act) act();
      sendHtml(response, 200, "Error", "<h1>An error occurred</h1><p>Please try again later.</p>");
      return "html";
    case "captcha":
      sendHtml(response, 200, "Just a moment...", '<h1>Are you human?</h1><div class="cf-turnstile">CAPTCHA</div>');
      return "captcha";
    case "http_status": {
      if (fault.act) act();
      const status = fault.status ?? 502;
      sendHtml(response, status, `${status} ${reasons[status]}`, `<h1>${status} ${reasons[status]}</h1><hr>nginx`);
      return `http ${status}`;
    }
    case "truncated": {
      const { body } = act();
      sendXml(response, body.slice(0, body.length / 2));
      return "truncated";
    }
    case "malformed":
      sendXml(response, act().body.replace(/<\/doc>$/, "<msg>R & D</doc>"));
      return "malformed";
    case "empty":
      act();
      sendXml(response, "");
      return "empty";
    case "error":
      if (fault.act) act();
      return xml(refuse(new Refusal(fault.type ?? "", fault.object ?? "", "A planned error")));
    case "basket":
      return xml(act({ funds: "basket" }));
    case "unpaid":
      return xml(act({ funds: "unpaid" }));
    case "reply_without_id":
      return xml(act({ reply: "none" }));
    case "reply_item_id":
      return xml(act({ reply: "item.id" }));
  }
}

function drop(response: ServerResponse): string {
  response.socket?.destroy();
  return "dropped";
}

function hang(response: ServerResponse): string {
  const giveUp = setTimeout(() => response.socket?.destroy(), GIVE_UP_AFTER).unref();
  response.once("close", () => clearTimeout(giveUp));
  return "nothing";
}
