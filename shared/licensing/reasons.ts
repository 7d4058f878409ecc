import { blockOf, type Change, describe } from "./operation.ts";
import type { Instant } from "./time.ts";

/** Why a subscription needs attention: a code with its facts. Only the edges turn it into text. */
export type Reason =
  | { code: "unknown_item"; storefront: string; names: string[] }
  | { code: "plan_not_stated" }
  | { code: "period_not_stated" }
  | { code: "nothing_sold" }
  | { code: "too_many_licenses"; max: number }
  | { code: "extra_without_plan"; extra: string; product: string }
  | { code: "addon_too_large"; addon: string; value: number; max: number }
  | { code: "paid_too_far_ahead"; through: Instant }
  | { code: "too_large"; bytes: number }
  | { code: "expiry_not_shown"; elid: string }
  | { code: "backing_off"; since: Instant; why: string }
  | { code: "order_limit"; limit: string; change: Change }
  | { code: "exchange_limit"; limit: number; change: Change }
  | { code: "order_not_guarded"; why: string; change: Change }
  | { code: "refused"; change: Change; response: string }
  | { code: "insufficient_funds"; change: Change; response: string; balance?: string }
  | { code: "no_effect"; change: Change; response: string; evidence: string }
  | { code: "in_cart"; operation: number; change: Change }
  | { code: "unpaid_at_billmgr"; operation: number; change: Change; evidence: string }
  | { code: "not_confirmed"; operation: number; change: Change; evidence: string }
  | { code: "absence_not_proved"; operation: number; change: Change; evidence: string; where: string }
  | { code: "unresolved"; operation: number; change: Change; evidence: string; where: string }
  | { code: "conflicting"; change: Change; evidence: string; operation?: number }
  | { code: "license_missing"; elid: string; change: Change };

export type ReasonCode = Reason["code"];
type ReasonOf<Code extends ReasonCode> = Extract<Reason, { code: Code }>;

export type Guidance<Code extends ReasonCode> = {
  text: (reason: ReasonOf<Code>) => string;
  /** The repair for an operator. */
  advice: string;
  /** How the item goes away once its cause is gone. */
  clears: "automatically" | "by retry" | "by resolve";
};

/** Every code needs its guidance: a missing one does not compile. */
export const guidance: { [Code in ReasonCode]: Guidance<Code> } = {
  unknown_item: {
    text: ({ storefront, names }) => `The catalog sells nothing at ${storefront} as ${names.join(" or ")}.`,
    advice: "Add the id to the catalog, or to its ignored list, and deploy.",
    clears: "automatically",
  },
  plan_not_stated: {
    text: () => "A payment arrived, but no event contains the plan.",
    advice: "Have the storefront send the subscription's event again.",
    clears: "automatically",
  },
  period_not_stated: {
    text: () => "A payment arrived, but no event states how long it pays.",
    advice: "Have the storefront send the subscription's event again.",
    clears: "automatically",
  },
  nothing_sold: {
    text: () => "The subscription is paid, and its quantity is 0: there is nothing to license.",
    advice: "Correct the quantity in the storefront, or refund the payment.",
    clears: "automatically",
  },
  too_many_licenses: {
    text: ({ max }) => `The subscription contains more than ${max} licenses.`,
    advice: "Correct the quantity in the storefront, or the catalog.",
    clears: "automatically",
  },
  extra_without_plan: {
    text: ({ extra, product }) => `The extra ${extra} requires a plan for the product ${product}.`,
    advice: "Correct the subscription in the storefront, or the catalog.",
    clears: "automatically",
  },
  addon_too_large: {
    text: ({ addon, value, max }) => `Addon ${addon} = ${value} is more than ${max}.`,
    advice: "Correct the quantity in the storefront, or the catalog.",
    clears: "automatically",
  },
  paid_too_far_ahead: {
    text: ({ through }) => `Paid until ${through}, which is too far ahead to be believed.`,
    advice: "Have the storefront send the payment again with the right end of its period.",
    clears: "automatically",
  },
  too_large: {
    text: ({ bytes }) => `The stored state has ${bytes} bytes. No further license fits.`,
    advice: "Split the subscription in the storefront, or use shorter names in the catalog.",
    clears: "automatically",
  },
  expiry_not_shown: {
    text: ({ elid }) => `billmgr shows no expiry of license ${elid}.`,
    advice:
      "Ask ISPsystem why: without an expiry no renewal can be confirmed. The next change of the license reads it again.",
    clears: "automatically",
  },
  backing_off: {
    text: ({ since, why }) => `The next change has been impossible since ${since}: ${why}.`,
    advice: "Find out at billmgr why it cannot be read or called. It is tried again automatically.",
    clears: "automatically",
  },
  order_limit: {
    text: ({ limit, change }) => `The limit of ${limit} is reached. Waiting: ${describe(change)}.`,
    advice:
      "Check that the shop works as intended. Then wait for the next hour or day. Or raise the limit, deploy, and retry.",
    clears: "automatically",
  },
  exchange_limit: {
    text: ({ limit, change }) =>
      `This month's limit of ${limit} licenses without a new payment is reached. Waiting: ${describe(change)}.`,
    advice: "Check why the product changes so often. Then raise limits.exchangesPerMonth, or wait.",
    clears: "automatically",
  },
  order_not_guarded: {
    text: ({ why, change }) =>
      `It cannot be excluded that this was ordered before (${why}). Waiting: ${describe(change)}.`,
    advice: "Look for the license at billmgr. Adopt it if it is there, otherwise set policy.orderGuard to lenient.",
    clears: "by retry",
  },
  refused: {
    text: ({ change, response }) => `billmgr refused to ${describe(change)}: ${response}.`,
    advice: "Fix the cause that billmgr reports (wrong catalog code, missing permission), then retry.",
    clears: "by retry",
  },
  insufficient_funds: {
    text: ({ change, response, balance }) =>
      `The balance was insufficient to ${describe(change)} (${response}).${balance === undefined ? "" : ` It was ${balance}.`}`,
    advice: "Top up the balance at billmgr. The change is tried again when the balance rises.",
    clears: "automatically",
  },
  no_effect: {
    text: ({ change, response, evidence }) =>
      `Three calls to ${describe(change)} had no effect (${response}): ${evidence}.`,
    advice: "Find out at billmgr why the change has no effect, then retry.",
    clears: "by retry",
  },
  in_cart: {
    text: ({ operation, change }) =>
      `Operation ${operation} (${describe(change)}) may be in billmgr's cart, unpaid. It is never ordered again automatically.`,
    advice:
      "Pay it in billmgr's cart once and remove the rest. Or empty the cart and resolve it as never bought, or as gone where billmgr named a license.",
    clears: "by resolve",
  },
  unpaid_at_billmgr: {
    text: ({ operation, change, evidence }) =>
      `Operation ${operation} (${describe(change)}) is not paid at billmgr: ${evidence}.`,
    advice: "Pay it in billmgr. Or delete it there and resolve it as gone.",
    clears: "automatically",
  },
  not_confirmed: {
    text: ({ operation, change, evidence }) =>
      `billmgr answered ok to operation ${operation} (${describe(change)}), but no read confirms it: ${evidence}.`,
    advice: "Ask ISPsystem what happened. It is read again automatically.",
    clears: "automatically",
  },
  absence_not_proved: {
    text: ({ operation, change, evidence, where }) =>
      `The outcome of operation ${operation} (${describe(change)}) is unknown: ${evidence}, which does not prove that nothing was bought. ${where}.`,
    advice:
      "Look for the purchase at billmgr. If it is there, adopt it. Only if you are certain that it is not, resolve it as never bought.",
    clears: "by resolve",
  },
  unresolved: {
    text: ({ operation, change, evidence, where }) =>
      `The outcome of operation ${operation} (${describe(change)}) is still unknown: ${evidence}. ${where}.`,
    advice: "Find out at billmgr what the call did, then retry or resolve it.",
    clears: "by retry",
  },
  conflicting: {
    text: ({ operation, change, evidence }) =>
      `billmgr shows a state that conflicts with ${operation === undefined ? describe(change) : `operation ${operation} (${describe(change)})`}: ${evidence}.`,
    advice:
      "Correct it at billmgr (remove a second license, give a license its comment back), then retry. If the license is gone there, resolve it as gone.",
    clears: "by retry",
  },
  license_missing: {
    text: ({ elid, change }) => `billmgr does not know license ${elid}. Waiting: ${describe(change)}.`,
    advice: "If it was deleted at billmgr, resolve it as gone. A new one is ordered if the customer is entitled to it.",
    clears: "by resolve",
  },
};

export const reasonCodes = Object.keys(guidance) as ReasonCode[];

const guidanceOf = <Code extends ReasonCode>({ code }: { code: Code }): Guidance<Code> =>
  guidance[code] as Guidance<Code>;

/** The reason as a sentence. */
export const formatReason = <Code extends ReasonCode>(reason: ReasonOf<Code>): string =>
  guidanceOf(reason as { code: Code }).text(reason);

export const adviceOn = ({ code }: Reason): string => guidance[code].advice;

/** Two reasons with the same key are the same item. The key omits values that change from observation to observation. */
export function keyOfReason(reason: Reason): string {
  const { code } = reason;
  if ("operation" in reason && reason.operation !== undefined) return `${code}#${reason.operation}`;
  if (code === "too_large" || code === "order_limit" || code === "exchange_limit") return code;
  if ("change" in reason) return `${code}#${JSON.stringify(blockOf(reason.change))}`;
  if (code === "backing_off") return `${code}#${reason.since}`;
  return JSON.stringify(reason);
}
