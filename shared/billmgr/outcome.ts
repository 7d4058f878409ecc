import type { CallOutcome, ChangeKind } from "../licensing/operation.ts";
import { isElid } from "./license.ts";
import { attribute, child, type Element, type Reply, readReply, textOf } from "./reply.ts";
import type { PostResult } from "./transport.ts";

/**
 * The error types that ISPsystem documents as checks before any change. Any other error of a purchase may come from a
 * step after the license was created, so its outcome is unknown.
 */
const definite = new Set(["auth", "access", "missed", "value", "exists"]);

/**
 * Derives the outcome of a call. Fails closed: an unrecognized reply is `unknown`.
 * @param fundsErrors words in the type, object, or message of an error that mark it as one about money
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

/** An error document as one line. */
export const formatError = ({ type, object, message }: Reply & { kind: "error" }): string =>
  `error ${type}${object ? `/${object}` : ""}: ${message}`;

/**
 * An order is done if the reply names the license, at /doc/id (soft.order.param) or "item.id" (the v2 functions), and
 * leads nowhere else. Any other reply that contains "ok" may be an order that is not paid yet.
 */
function orderOutcome(doc: Element): CallOutcome {
  const elid = ["id", "item.id"].map((name) => textOf(doc, name)).find(isElid);
  const named = elid === undefined ? {} : { elid };
  const lead = leadOf(doc);
  if (lead !== undefined) return { outcome: "unknown", response: lead, inCart: true, ...named };
  if (elid !== undefined) return { outcome: "done", response: `ordered license ${elid}`, elid };
  if (child(doc, "ok")) return { outcome: "unknown", response: "ok without a license id", inCart: true };
  return { outcome: "unknown", response: "neither ok nor a license id" };
}

function plainOutcome(kind: ChangeKind, doc: Element): CallOutcome {
  const lead = leadOf(doc);
  if (lead !== undefined) return { outcome: "unknown", response: lead, ...(kind === "prolong" && { inCart: true }) };
  const expiry = newExpiryOf(doc);
  if (child(doc, "ok") || (kind === "prolong" && expiry !== undefined)) {
    return { outcome: "done", response: expiry ? `ok, until ${expiry}` : "ok" };
  }
  return { outcome: "unknown", response: "a reply without ok" };
}

/** Elements of a cart, or of an order that is to be paid: "billorder", "billorder.id", "lineitem.id", "payment_id". */
const unpaidElement = /^(billorder|lineitem|payment|basket|cart|total_sum|itemlist)(?![a-z])/;

/**
 * Finds where a reply leads instead of success: to the cart, an order list, a form, or the second factor. The
 * documented success is an empty "ok". Other contents of "ok" are not documented, so they do not count as done.
 */
function leadOf(doc: Element): string | undefined {
  const unpaid = Object.keys(doc).find((name) => unpaidElement.test(name));
  if (unpaid !== undefined) return `a reply with ${unpaid}: it may be unpaid in billmgr's cart`;
  const ok = child(doc, "ok");
  const target = ok && (textOf(doc, "ok") ?? attribute(ok, "type"));
  return target === undefined ? undefined : `ok leads to ${target}`;
}

/** ISPsystem's WHMCS module reads the field from a nested <doc>. The client area's form has it in the outer one. */
export function newExpiryOf(doc: Element): string | undefined {
  const inner = child(doc, "doc");
  return textOf(doc, "newexpiredate") ?? (inner && textOf(inner, "newexpiredate"));
}
