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
  /** The balance after the change. */
  balance: number;
  /** Absent if a caller requested the change. */
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

/** One actual change. A call that changed nothing is only in the calls. */
export type LedgerEntry = EntryBase & LedgerChange;

export type CallEntry = {
  n: number;
  at: string;
  method: string;
  func: string;
  operation: Operation;
  elid: string;
  /** Identifies an order. */
  remoteid?: string;
  /** "ok", "error value period", "html", "http 503", "dropped", ... */
  answer: string;
  fault?: string;
  /** Accepted, but a no-op. */
  noop?: true;
  /** The caller sent authinfo in the URL, from where it gets into access logs. */
  authinfoInUrl?: true;
};

/** Plain JSON. */
export type SandboxState = {
  nextId: number;
  nextOrderNumber: number;
  settings: Settings;
  licenses: License[];
  ledger: LedgerEntry[];
  /** The latest calls. */
  calls: CallEntry[];
  callCount: number;
  faults: Fault[];
  /** billmgr remembers the filter of a list until it is reset. */
  filters: Partial<Record<Family, Record<string, string>>>;
  /** For each list, the number of rows that were replaced while its pages were read. */
  shifts: Partial<Record<Family, number>>;
};

/** A saved state keeps its own settings. The given ones apply to a new state. */
export function initialState(saved: SandboxState | undefined, settings: unknown = {}): SandboxState {
  const fresh: SandboxState = {
    nextId: 334673,
    nextOrderNumber: 9001,
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
