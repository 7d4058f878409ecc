import type { CallOutcome, ChangeKind } from "../licensing/operation.ts";
import { isElid } from "./license.ts";
import { attribute, child, type Element, type Reply, readReply, textOf } from "./reply.ts";
import type { Sent } from "./transport.ts";

/**
 * The error types that are documented as checks before anything is done. Any other type on a paying call may have been
 * raised after the license existed, so it is an unknown outcome.
 */
const definite = new Set(["auth", "access", "missed", "value", "exists"]);

/**
 * Names what one changing call came to. Fails closed: what is not recognised is unknown.
 * @param fundsErrors words in the type, object or message of an error by which it is known to be about money
 */
export function outcomeOf(kind: ChangeKind, sent: Sent, fundsErrors: readonly string[] = []): CallOutcome {
  if (sent.came === "not_sent") return { outcome: "not_sent", said: sent.why };
  if (sent.came === "nothing") return { outcome: "unknown", said: sent.why };
  const reply = readReply(sent.status, sent.body);
  if (reply.is === "unreadable") return { outcome: "unknown", said: reply.why };
  if (reply.is === "error") {
    const said = sayError(reply);
    const funds = fundsErrors.some((word) => said.toLowerCase().includes(word.toLowerCase())) && { funds: true };
    if (!definite.has(reply.type)) return { outcome: "unknown", said, ...funds };
    return { outcome: "refused", said, error: { type: reply.type }, ...funds };
  }
  return kind === "order" ? orderOutcome(reply.doc) : plainOutcome(kind, reply.doc);
}

/** An error document in short. */
export const sayError = ({ type, object, message }: Reply & { is: "error" }): string =>
  `error ${type}${object ? `/${object}` : ""}: ${message}`;

/**
 * The id of an order is at /doc/id (soft.order.param), at "item.id" (the v2 functions), or not told. Without an id the
 * license has to be found by its reference. A basket means that nothing has been paid.
 */
function orderOutcome(doc: Element): CallOutcome {
  const elid = ["id", "item.id"].map((name) => textOf(doc, name)).find(isElid);
  if (isBasket(doc)) return { outcome: "unknown", said: "put into billmgr's basket, unpaid", basket: true };
  if (elid !== undefined) return { outcome: "done", said: `ordered license ${elid}`, elid };
  return { outcome: "unknown", said: child(doc, "ok") ? "ok without a license id" : "neither ok nor a license id" };
}

function plainOutcome(kind: ChangeKind, doc: Element): CallOutcome {
  if (isBasket(doc)) return { outcome: "unknown", said: "put into billmgr's basket, unpaid", basket: true };
  const ok = child(doc, "ok");
  // Such as the second factor's: what was asked for has not been done yet.
  if (ok && attribute(ok, "type") === "form") return { outcome: "unknown", said: `ok leads to ${textOf(doc, "ok")}` };
  const expiry = newExpiryOf(doc);
  if (ok || (kind === "prolong" && expiry !== undefined)) {
    return { outcome: "done", said: expiry ? `ok, until ${expiry}` : "ok" };
  }
  return { outcome: "unknown", said: "an answer without ok" };
}

/** "ok" can carry a redirect to the basket, so it alone proves no payment. */
function isBasket(doc: Element): boolean {
  const ok = textOf(doc, "ok") ?? "";
  return (
    child(doc, "billorder") !== undefined ||
    child(doc, "payment_id") !== undefined ||
    /func=(order|basket|payment)/.test(ok)
  );
}

/** ISPsystem's WHMCS module reads it from a nested <doc>; the client area's form has it in the outer one. */
export function newExpiryOf(doc: Element): string | undefined {
  const inner = child(doc, "doc");
  return textOf(doc, "newexpiredate") ?? (inner && textOf(inner, "newexpiredate"));
}
