import type { Fault } from "./faults.ts";
import type { License } from "./license.ts";
import type { Operation } from "./names.ts";
import type { Addons, Family } from "./products.ts";
import { checkSettings, defaults, type Settings } from "./settings.ts";

type EntryBase = {
  n: number;
  at: string;
  func: string;
  elid: string;
  /** The parameters of the request, without authinfo. */
  params: Record<string, string>;
  cost: number;
  /** The balance after it. */
  balance: number;
  /** Absent when a caller asked for it. */
  by?: "autoprolong";
};

export type LedgerChange =
  | {
      operation: "order";
      pricelist: number;
      period: number;
      addons: Addons;
      remoteid: string;
      comment: string;
      expiry: string;
      /** The license was created at status 1 and nothing was charged. */
      unpaid?: true;
    }
  | { operation: "prolong"; period: number; expiryBefore: string; expiry: string; staysStopped?: true }
  | { operation: "edit"; addons: Addons; addonsBefore: Addons; comment: string; commentBefore: string }
  | { operation: "suspend" | "resume" | "delete"; status: number; statusBefore: number };

/** One thing that billmgr really did. A call that changed nothing is in the calls only. */
export type LedgerEntry = EntryBase & LedgerChange;

export type CallEntry = {
  n: number;
  at: string;
  method: string;
  func: string;
  operation: Operation;
  elid: string;
  /** By which an order can be told from others. */
  remoteid?: string;
  /** "ok", "error value period", "html", "http 503", "dropped", ... */
  answer: string;
  fault?: string;
  /** Accepted, but there was nothing to change. */
  noop?: true;
  /** A password in a URL ends up in access logs. */
  authinfoInUrl?: true;
};

/** Plain JSON. */
export type SandboxState = {
  nextId: number;
  nextBasket: number;
  settings: Settings;
  licenses: License[];
  ledger: LedgerEntry[];
  /** The latest calls. */
  calls: CallEntry[];
  callCount: number;
  faults: Fault[];
  /** billmgr remembers the filter of a list until it is reset. */
  filters: Partial<Record<Family, Record<string, string>>>;
  /** How many rows have gone from a list, and as many others come, while its pages are read. */
  shifts: Partial<Record<Family, number>>;
};

/** A saved state keeps its own settings; the given ones are where a new state starts. */
export function initialState(saved: SandboxState | undefined, settings: unknown = {}): SandboxState {
  const fresh: SandboxState = {
    nextId: 334673,
    nextBasket: 9001,
    settings: { ...defaults, ...checkSettings(settings) },
    licenses: [],
    ledger: [],
    calls: [],
    callCount: 0,
    faults: [],
    filters: {},
    shifts: {},
  };
  if (!saved) return fresh;
  const copy = structuredClone(saved);
  return { ...fresh, ...copy, settings: { ...fresh.settings, ...copy.settings } };
}
