import * as z from "zod/mini";
import { checked } from "./checks.ts";
import type { Fault } from "./faults.ts";
import type { License } from "./license.ts";
import type { Operation } from "./names.ts";
import type { Addons, Family } from "./products.ts";

const seconds = z.number().check(z.nonnegative());

const settingsSchema = z.strictObject({
  balance: z.number(),
  currency: z.string(),
  /** How long a license stays at status 5 after an order or a prolong, by the sandbox's clock. */
  processingSeconds: seconds,
  /** Licenses stay at status 5 while this is set. */
  stuckProcessing: z.boolean(),
  /** An edit, too, takes the license through status 5. */
  editProcessing: z.boolean(),
  /** A license is not deleted earlier. */
  minimumTermDays: seconds,
  /** The reply to platform.order.param is not documented; these three shapes are seen on its sister functions. */
  orderReply: z.enum(["id", "item.id", "none"]),
  /** What skipbasket=on does when the balance does not suffice is not documented. */
  fundsReply: z.enum(["error", "basket", "unpaid"]),
  /** The true type of that error is unknown. */
  fundsError: z.strictObject({ type: z.string(), object: z.string() }),
  listShowsRemoteid: z.boolean(),
  listShowsComment: z.boolean(),
  /** Deleted licenses stay in lists, at status 4. */
  deletedLinger: z.boolean(),
  balanceAccess: z.boolean(),
});

export type Settings = z.output<typeof settingsSchema>;

const someSettings = z.partial(settingsSchema);

const defaults: Settings = {
  balance: 100_000,
  currency: "EUR",
  processingSeconds: 1,
  stuckProcessing: false,
  editProcessing: false,
  minimumTermDays: 0,
  orderReply: "id",
  fundsReply: "error",
  fundsError: { type: "money", object: "balance" },
  listShowsRemoteid: true,
  listShowsComment: true,
  deletedLinger: true,
  balanceAccess: true,
};

export function checkSettings(value: unknown): Partial<Settings> {
  return checked(someSettings, value, "settings") as Partial<Settings>;
}

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
  | { operation: "prolong"; period: number; expiryBefore: string; expiry: string }
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
  };
  if (!saved) return fresh;
  const copy = structuredClone(saved);
  return { ...fresh, ...copy, settings: { ...fresh.settings, ...copy.settings } };
}
