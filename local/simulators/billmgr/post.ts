import type { Post, PostResult } from "../../../shared/billmgr/transport.ts";
import { type Billmgr, callBillmgr } from "./billmgr.ts";
import type { Page } from "./pages.ts";

/** Schedules an action, on any clock. */
export type Later = (ms: number, act: () => void) => void;

/** Makes a call in this process, as the client's `postTo` does over the network. Delays go through `later`. */
export const postTo =
  (billmgr: Billmgr, later: Later): Post =>
  async (form, timeoutMs) => {
    const delivery = await callBillmgr(billmgr, { method: "POST", params: Object.fromEntries(form) });
    if (delivery.later) later(delivery.later.ms, delivery.later.act);
    if (delivery.kind === "drop") return { kind: "no_response", why: "UND_ERR_SOCKET: other side closed" };
    if (delivery.kind === "answer" && delivery.afterMs === 0) return received(delivery.page);
    const late = delivery.kind === "hang" || delivery.afterMs >= timeoutMs;
    return new Promise((resolve) => {
      if (late) later(timeoutMs, () => resolve({ kind: "no_response", why: `no answer within ${timeoutMs / 1000} s` }));
      else later(delivery.afterMs, () => resolve(received(delivery.page)));
    });
  };

const received = ({ status, body }: Page): PostResult => ({ kind: "response", status, body });
