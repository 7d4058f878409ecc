import type { CallOutcome, ChangeKind } from "../licensing/operation.ts";
import { isElid } from "./license.ts";
import { attribute, child, type Element, type Reply, readReply, textOf } from "./reply.ts";
import type { PostResult } from "./transport.ts";

/**
 * The error types that are documented as checks before anything is done. Any other type on a paying call may have been
 * raised after the license existed, so it is an unknown outcome.
 */
const definite = new Set(["auth", "access", "missed", "value", "exists"]);

/**
 * Names what one changing call came to. Fails closed: what is not recognised is unknown.
 * @param fundsErrors words in the type, object or message of an error by which it is known to be about money
 */
export function outcomeOf(kind: ChangeKind, sent: PostResult, fundsErrors: readonly string[] = []): CallOutcome {
  if (sent.kind === "not_sent") return { outcome: "not_sent", response: sent.why };
  if (sent.kind === "no_response") return { outcome: "unknown", response: sent.why };
  const reply = readReply(sent.status, sent.body);
  if (reply.kind === "unreadable") return { outcome: "unknown", response: reply.why };
  if (reply.kind === "error") {
    const response = formatError(reply);
    const funds = fundsErrors.some((word) => response.toLowerCase().includes(word.toLowerCase())) && { funds: true };
    if (!definite.has(reply.type)) return { outcome: "unknown", response, ...funds };
    return { outcome: "refused", response, error: { type: reply.type }, ...funds };
  }
  return kind === "order" ? orderOutcome(reply.doc) : plainOutcome(kind, reply.doc);
}

/** An error document in short. */
export const formatError = ({ type, object, message }: Reply & { kind: "error" }): string =>
  `error ${type}${object ? `/${object}` : ""}: ${message}`;

/**
 * The id of an order is at /doc/id (soft.order.param), at "item.id" (the v2 functions), or not told. Without an id the
 * license has to be found by its reference. A basket means that nothing has been paid.
 */
function orderOutcome(doc: Element): CallOutcome {
  const elid = ["id", "item.id"].map((name) => textOf(doc, name)).find(isElid);
  if (isCart(doc)) return { outcome: "unknown", response: "put into billmgr's basket, unpaid", inCart: true };
  if (elid !== undefined) return { outcome: "done", response: `ordered license ${elid}`, elid };
  return { outcome: "unknown", response: child(doc, "ok") ? "ok without a license id" : "neither ok nor a license id" };
}

function plainOutcome(kind: ChangeKind, doc: Element): CallOutcome {
  if (isCart(doc)) return { outcome: "unknown", response: "put into billmgr's basket, unpaid", inCart: true };
  const ok = child(doc, "ok");
  // Such as the second factor's: what was asked for has not been done yet.
  if (ok && attribute(ok, "type") === "form")
    return { outcome: "unknown", response: `ok leads to ${textOf(doc, "ok")}` };
  const expiry = newExpiryOf(doc);
  if (ok || (kind === "prolong" && expiry !== undefined)) {
    return { outcome: "done", response: expiry ? `ok, until ${expiry}` : "ok" };
  }
  return { outcome: "unknown", response: "an answer without ok" };
}

/** "ok" can carry a redirect to the basket, so it alone proves no payment. */
function isCart(doc: Element): boolean {
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
