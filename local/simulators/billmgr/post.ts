import type { Post, PostResult } from "../../../shared/billmgr/transport.ts";
import { type Billmgr, callBillmgr } from "./billmgr.ts";
import type { Page } from "./pages.ts";

/** Does it that many milliseconds later, on whatever clock. */
export type Later = (ms: number, act: () => void) => void;

/** Carries a call in process, as `postTo` does over the network: all that takes time goes by `later`. */
export const postTo =
  (billmgr: Billmgr, later: Later): Post =>
  async (form, timeoutMs) => {
    const delivery = await callBillmgr(billmgr, { method: "POST", params: Object.fromEntries(form) });
    if (delivery.later) later(delivery.later.ms, delivery.later.act);
    if (delivery.comes === "drop") return { kind: "no_response", why: "UND_ERR_SOCKET: other side closed" };
    if (delivery.comes === "answer" && delivery.afterMs === 0) return received(delivery.page);
    const late = delivery.comes === "nothing" || delivery.afterMs >= timeoutMs;
    return new Promise((resolve) => {
      if (late) later(timeoutMs, () => resolve({ kind: "no_response", why: `no answer within ${timeoutMs / 1000} s` }));
      else later(delivery.afterMs, () => resolve(received(delivery.page)));
    });
  };

const received = ({ status, body }: Page): PostResult => ({ kind: "response", status, body });
