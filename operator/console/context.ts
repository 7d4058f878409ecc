/** The services and state that all pages of the console share. */
import { randomBytes } from "node:crypto";
import type { OperatorDependencies } from "../actions/dependencies.ts";
import type { ComparisonRunner } from "./comparison.ts";
import type { Figures } from "./figures.ts";

/** Lets a newcomer act as the shop, the clock, and a failing billmgr. Exists only with the simulated billmgr. */
export type TryIt = {
  /** The storefronts with a secret, and the plan that the catalog sells there, if any. */
  storefronts: () => Promise<{ name: string; plan?: string }[]>;
  /** The actions of a storefront's customer as button labels, by name of the step. */
  stepsAt: (storefront: string) => Record<string, string>;
  /** Sends the signed webhooks of one step, for a new subscription if none is named. @throws PreconditionFailed */
  send: (storefront: string, step: string, subscription?: string) => Promise<SentStep>;
  /** Moves the clock by an ISO 8601 duration. @throws PreconditionFailed */
  advance: (duration: string) => Promise<void>;
  /** Faults of the simulated billmgr. */
  faults: {
    known: Record<string, string>;
    pending: () => { fault: string; func?: string; times: number }[];
    plan: (fault: string, func: string) => void;
    clear: () => void;
  };
};

export type SentStep = { name: string; webhooks: { type: string; status: number }[] };

export type ConsoleContext = {
  deps: OperatorDependencies;
  /** The system that the console shows: a stack's name, or "local". */
  where: string;
  /** Every POST must contain this token. New at each start. */
  token: string;
  flash: FlashMessages;
  figures: () => Promise<Figures>;
  comparison: ComparisonRunner;
  tryIt?: TryIt;
};

/** Flash messages, shown once on the next page. Kept on the server because text in the URL could be forged. */
export type FlashMessages = { put: (text: string) => string; take: (id: string | undefined) => string | undefined };

const maxMessages = 100;

export function createFlashMessages(): FlashMessages {
  const messages = new Map<string, string>();
  return {
    put(text) {
      const id = randomBytes(8).toString("hex");
      messages.set(id, text);
      const [oldest] = messages.keys();
      if (oldest !== undefined && messages.size > maxMessages) messages.delete(oldest);
      return id;
    },
    take(id = "") {
      const text = messages.get(id);
      messages.delete(id);
      return text;
    },
  };
}
