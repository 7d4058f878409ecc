import { createHash } from "node:crypto";
import type { License } from "./subscription.ts";
import type { Day, Instant } from "./time.ts";

/** One intended change at billmgr, with its absolute target: never "one more", so that reading can tell if it is done. */
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
      /** The slot whose license is deleted once this one is there. */
      replaces?: { n: number; generation: number };
      /** The paid time that it spends. Without it: a trial, or an exchange within time that is spent already. */
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
      spends?: Span;
    }
  | { kind: "edit"; slot: number; elid: string; family: string; plan: string; addons: Record<string, number> }
  | { kind: "suspend" | "resume" | "delete"; slot: number; elid: string; family: string };

/** Paid time, from a moment to another. */
export type Span = { from: Instant; to: Instant };

export type ChangeKind = Change["kind"];

/**
 * What one HTTP call came to.
 * - `not_sent`: no byte of the request left, so it may be sent again
 * - `done`: billmgr answered that it did it
 * - `refused`: a definite error, nothing was done
 * - `unknown`: everything else
 */
export type CallOutcome =
  | { outcome: "not_sent"; response: string }
  | { outcome: "done"; response: string; elid?: string }
  | { outcome: "refused"; response: string; error: { type: string }; funds?: boolean }
  | {
      outcome: "unknown";
      response: string;
      /** billmgr answered with an error that is about money. */
      funds?: boolean;
      /** The order may be in billmgr's cart, unpaid, where an operator could still pay it. */
      inCart?: boolean;
      /** The license that the reply named, though the reply does not prove that it was bought. */
      elid?: string;
    };

/** The account's money at billmgr. */
export type Balance = { amount: number; currency: string };

/** One HTTP call that was to change something. */
export type Attempt = {
  startedAt: Instant;
  endedAt?: Instant;
  /** As sent, without authinfo. */
  params: Record<string, string>;
  outcome?: CallOutcome["outcome"];
  /** What billmgr answered, in short and redacted. */
  response?: string;
  /** It was an error that is about money; the balance right after it, where that could be read. */
  funds?: { balance?: Balance };
};

/** One reading to find out what the call did, or to confirm what billmgr answered. */
export type Observation = {
  at: Instant;
  verdict: "achieved" | "pending" | "absent" | "conflicting";
  /** What was seen. */
  evidence: string;
  /** Of an order: the list was read whole, and showed the reference of a license known to be ours. */
  provesAbsence?: boolean;
  /** The license is there and not paid: billmgr's status "ordered". */
  unpaid?: boolean;
};

export type Operation = {
  /** Counted from 1 in its subscription. */
  n: number;
  change: Change;
  why: string;
  /** What was read before it. */
  before: {
    expiry?: Day;
    evidence?: string;
    /** The highest license number in the list before an order: what billmgr makes for it has a higher one. */
    lastElid?: string;
  };
  attempt?: Attempt;
  /**
   * - `claimed`: a call may be on its way
   * - `unknown`: it is not known whether the call did anything
   * - `unconfirmed`: billmgr answered that it did it; not yet seen by reading
   * - `finished`: nothing more will come of it
   */
  state: "claimed" | "unknown" | "unconfirmed" | "finished";
  /** Set when finished. `gave_up`: an operator ended it (docs/operating.md). */
  outcome?: "done" | "already_done" | "not_sent" | "refused" | "absent" | "gave_up";
  claimedAt: Instant;
  finishedAt?: Instant;
  /** Where it is done: its slot as it was left, without a license after a deletion. */
  result?: { plan: string; license?: License };
  /** Of a license that was ordered for a payment: how long after that, as the storefront dates it, it was there. */
  secondsFromPayment?: number;
  /** When to look next, while it is not finished. */
  due?: Instant;
  observations: Observation[];
  inCart?: boolean;
  /** Of an order: the license that billmgr named or showed for it. It takes its slot once it is proved to be the one. */
  elid?: string;
  /** What an operator adopted shows, which may differ from what was ordered. */
  adopted?: { suspended: boolean; suspendedAt?: Instant; addons: Record<string, number>; imported?: true };
  /** What an operator said of it: "adopt 334673", "never bought", "done", "gone". */
  resolved?: { as: string; at: Instant };
};

/**
 * The tag that an order carries in `remoteid` and `comment`, the nearest that billmgr has to an idempotency key. At most
 * 32 characters of ASCII; the same for every attempt to fill the same slot in the same generation.
 */
export function referenceOf(subscription: { storefront: string; id: string }, slot: { n: number; generation: number }) {
  const digest = createHash("sha256").update(`${subscription.storefront}/${subscription.id}`).digest("hex");
  return `bw-${digest.slice(0, 16)}-${slot.n}-${slot.generation}`;
}

/** Whether a text is a reference of ours, whoever's it is. */
export const isReference = (text: string | undefined): text is string => /^bw-[0-9a-f]{16}-\d+-\d+$/.test(text ?? "");

/** The slot and generation that a reference of ours names. */
export function slotOfReference(reference: string): { slot: number; generation: number } {
  const [, , slot, generation] = reference.split("-");
  return { slot: Number(slot), generation: Number(generation) };
}

/** Whether two references are of the same subscription. */
export const haveSameOwner = (one: string, other: string): boolean => one.slice(0, 19) === other.slice(0, 19);

export const isOpen = (operation: Operation | undefined): operation is Operation =>
  operation !== undefined && operation.state !== "finished";

/** billmgr did it, now or before. */
export const isDone = (outcome: Operation["outcome"]): boolean => outcome === "done" || outcome === "already_done";

export const isPurchase = (change: Change): boolean => change.kind === "order" || change.kind === "prolong";

/** A purchase that no new payment pays for: another product within paid time, or a license that was lost. */
export const isExchange = (change: Change): boolean =>
  (change.kind === "prolong" || (change.kind === "order" && !change.trial)) && !change.spends;

/** Changes that an outcome holds up: of that kind, in that slot, and with the same target. Orders count in any slot. */
export type Block = { slot: number; kind: ChangeKind; target: string };

/** Of every change of the kind. */
export const anyTarget = "*";
export const anyOrder: Block = { slot: 0, kind: "order", target: anyTarget };

/** What makes two changes the same, as far as an outcome of the first holds up the second. */
export function blockOf(change: Change): Block {
  const { kind, slot } = change;
  switch (change.kind) {
    case "order":
      // The same order is refused in another slot too.
      return { kind, slot: 0, target: JSON.stringify([change.plan, change.pricelist, change.period, change.addons]) };
    case "edit":
      return { kind, slot, target: JSON.stringify([change.elid, change.addons]) };
    default:
      return { kind, slot, target: change.elid };
  }
}

/** How the change reads in a log line or a reason. */
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
