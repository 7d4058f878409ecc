import { createHash } from "node:crypto";
import type { License } from "./subscription.ts";
import type { Day, Instant } from "./time.ts";

/** One intended change at billmgr. Its target is absolute, never "one more", so a read can show whether it is done. */
export type Change =
  | {
      kind: "order";
      slot: number;
      generation: number;
      plan: string;
      product: string;
      family: string;
      pricelist: number;
      /** Months, or a trial's code (-100). */
      period: number;
      addons: Record<string, number>;
      autoprolong: number | null;
      trial: boolean;
      /** The slot whose license is deleted after this one exists. */
      replaces?: { n: number; generation: number };
      /** The paid time that the order spends. Absent for a trial, and for an exchange within time already spent. */
      spends?: Span;
    }
  | {
      kind: "prolong";
      slot: number;
      elid: string;
      family: string;
      plan: string;
      period: number;
      expiry: Day;
      /** As of an order. */
      spends?: Span;
    }
  | { kind: "edit"; slot: number; elid: string; family: string; plan: string; addons: Record<string, number> }
  | { kind: "suspend" | "resume" | "delete"; slot: number; elid: string; family: string };

/** Paid time from one moment to another. */
export type Span = { from: Instant; to: Instant };

export type ChangeKind = Change["kind"];

/**
 * The outcome of one HTTP call.
 * - `not_sent`: no byte of the request left this system, so it may be sent again
 * - `done`: billmgr answered that it made the change
 * - `refused`: billmgr answered with a definite error and changed nothing
 * - `unknown`: everything else
 */
export type CallOutcome =
  | { outcome: "not_sent"; response: string }
  | { outcome: "done"; response: string; elid?: string }
  | { outcome: "refused"; response: string; error: { type: string }; funds?: boolean }
  | {
      outcome: "unknown";
      response: string;
      /** billmgr answered with an error about money. */
      funds?: boolean;
      /** The order may be in billmgr's cart, unpaid, where an operator could still pay it. */
      inCart?: boolean;
      /** The license that the reply named. The reply does not prove that it was bought. */
      elid?: string;
    };

/** The account's money at billmgr. */
export type Balance = { amount: number; currency: string };

/** The HTTP call of an operation. */
export type Attempt = {
  startedAt: Instant;
  endedAt?: Instant;
  /** The parameters as sent, without authinfo. */
  params: Record<string, string>;
  outcome?: CallOutcome["outcome"];
  /** billmgr's answer, shortened and redacted. */
  response?: string;
  /** Present after an error about money. Contains the balance right after it, if that could be read. */
  funds?: { balance?: Balance };
};

/** One read that checks an operation: it finds the outcome of the call, or confirms billmgr's answer. */
export type Observation = {
  at: Instant;
  verdict: "achieved" | "pending" | "absent" | "conflicting";
  /** The result of the read, as a sentence. */
  evidence: string;
  /** For an order: the read covered the complete list, and the list showed the reference of a known license. */
  provesAbsence?: boolean;
  /** The license exists and is not paid: billmgr's status "ordered". */
  unpaid?: boolean;
};

export type Operation = {
  /** The number of the operation within its subscription, counted from 1. */
  n: number;
  change: Change;
  why: string;
  /** The preflight's result. */
  before: {
    expiry?: Day;
    evidence?: string;
    /** The highest license number in the list before an order. The ordered license has a higher one. */
    lastElid?: string;
  };
  attempt?: Attempt;
  /**
   * - `claimed`: a call may be on its way
   * - `unknown`: it is not known whether the call changed anything
   * - `unconfirmed`: billmgr answered that it made the change, and no observation has shown it yet
   * - `finished`: the operation can have no further effect
   */
  state: "claimed" | "unknown" | "unconfirmed" | "finished";
  /** Set when finished. `gave_up`: an operator ended it (docs/attention.md). */
  outcome?: "done" | "already_done" | "not_sent" | "refused" | "absent" | "gave_up";
  claimedAt: Instant;
  finishedAt?: Instant;
  /** For a done operation: its slot after the change. A deletion leaves no license in it. */
  result?: { plan: string; license?: License };
  /** For a done order: the time from the latest payment, as the storefront dates it, until the license existed. */
  secondsFromPayment?: number;
  /** When to observe an open operation next. */
  due?: Instant;
  observations: Observation[];
  inCart?: boolean;
  /** For an order: the license that billmgr named or showed for it. A read must prove it before it fills the slot. */
  elid?: string;
  /** The state of a license that was adopted, by an operator or before an order. It may differ from the order. */
  adopted?: { suspended: boolean; suspendedAt?: Instant; addons: Record<string, number>; imported?: true };
  /** An operator's resolution: "adopt 334673", "never bought", "done", or "gone". */
  resolved?: { as: string; at: Instant };
};

/**
 * The tag that an order carries in `remoteid` and `comment`. billmgr has no idempotency key; this is the nearest to
 * one. It has at most 32 ASCII characters, and is the same for every attempt to fill a slot in one generation.
 */
export function referenceOf(subscription: { storefront: string; id: string }, slot: { n: number; generation: number }) {
  const digest = createHash("sha256").update(`${subscription.storefront}/${subscription.id}`).digest("hex");
  return `bw-${digest.slice(0, 16)}-${slot.n}-${slot.generation}`;
}

/** Whether a text has the form of our references, for any subscription. */
export const isReference = (text: string | undefined): text is string => /^bw-[0-9a-f]{16}-\d+-\d+$/.test(text ?? "");

/** The slot and generation that one of our references names. */
export function slotOfReference(reference: string): { slot: number; generation: number } {
  const [, , slot, generation] = reference.split("-");
  return { slot: Number(slot), generation: Number(generation) };
}

/** Whether two references belong to the same subscription. */
export const haveSameOwner = (one: string, other: string): boolean => one.slice(0, 19) === other.slice(0, 19);

export const isOpen = (operation: Operation | undefined): operation is Operation =>
  operation !== undefined && operation.state !== "finished";

/** Whether billmgr made the change, in this operation or before it. */
export const isDone = (outcome: Operation["outcome"]): boolean => outcome === "done" || outcome === "already_done";

export const isPurchase = (change: Change): boolean => change.kind === "order" || change.kind === "prolong";

/** Whether no new payment pays for the purchase: the product changed within paid time, or the license was lost. */
export const isExchange = (change: Change): boolean =>
  (change.kind === "prolong" || (change.kind === "order" && !change.trial)) && !change.spends;

/** The changes that an outcome blocks: of this kind, in this slot, with this target. An order is blocked in any slot. */
export type Block = { slot: number; kind: ChangeKind; target: string };

/** The target that matches every change of the kind. */
export const anyTarget = "*";
export const anyOrder: Block = { slot: 0, kind: "order", target: anyTarget };

/** Two changes with the same block are the same: a bad outcome of the first blocks the second. */
export function blockOf(change: Change): Block {
  const { kind, slot } = change;
  switch (change.kind) {
    case "order":
      // billmgr would refuse the same order in another slot too.
      return { kind, slot: 0, target: JSON.stringify([change.plan, change.pricelist, change.period, change.addons]) };
    case "edit":
      return { kind, slot, target: JSON.stringify([change.elid, change.addons]) };
    default:
      return { kind, slot, target: change.elid };
  }
}

/** The change as text for a log line or a reason. */
export function describe(change: Change): string {
  switch (change.kind) {
    case "order":
      return `order ${change.product} for ${change.trial ? "a trial" : change.period === 1 ? "a month" : `${change.period} months`}`;
    case "prolong":
      return `prolong license ${change.elid} to ${change.expiry}`;
    case "edit":
      return `set ${Object.entries(change.addons)
        .map(([code, value]) => `addon ${code} = ${value}`)
        .join(", ")} of license ${change.elid}`;
    default:
      return `${change.kind} license ${change.elid}`;
  }
}
