import { randomBytes } from "node:crypto";
import type { OperatorDependencies } from "../actions/dependencies.ts";
import type { Account } from "./account.ts";
import type { Plots } from "./figures.ts";

/** What a newcomer can do beside the system: be the shop, move the time, break billmgr. Before a simulated one alone. */
export type TryIt = {
  /** Those that have a secret, and what the catalog sells there; without a plan it sells nothing. */
  storefronts: () => Promise<{ name: string; plan?: string }[]>;
  /** What a customer of a storefront can do, by the step's name. */
  stepsAt: (storefront: string) => Record<string, string>;
  /** Sends the signed webhooks of one step, of a new subscription where none is named. @throws Unfit */
  tell: (storefront: string, step: string, subscription?: string) => Promise<Told>;
  /** By an ISO 8601 duration. @throws Unfit */
  advance: (duration: string) => Promise<void>;
  /** Of the simulated billmgr. */
  faults: {
    known: Record<string, string>;
    pending: () => { fault: string; func?: string; times: number }[];
    plan: (fault: string, func: string) => void;
    clear: () => void;
  };
};

export type Told = { name: string; webhooks: { type: string; status: number }[] };

/** All that the pages work on. */
export type Desk = {
  world: OperatorDependencies;
  /** Which system it is before: a stack's name, or "local". */
  where: string;
  /** What every change has to bring, new at each start. */
  token: string;
  notes: Notes;
  figures: Plots;
  account: Account;
  tryIt?: TryIt;
};

/** What a change came to, told once on the page that comes after it. An address that says it could be made up. */
export type Notes = { leave: (text: string) => string; take: (id: string | undefined) => string | undefined };

const mostNotes = 100;

export function createNotes(): Notes {
  const notes = new Map<string, string>();
  return {
    leave(text) {
      const id = randomBytes(8).toString("hex");
      notes.set(id, text);
      const [oldest] = notes.keys();
      if (oldest !== undefined && notes.size > mostNotes) notes.delete(oldest);
      return id;
    },
    take(id = "") {
      const text = notes.get(id);
      notes.delete(id);
      return text;
    },
  };
}
