/** Runs the comparison with billmgr in the background, one at a time, and keeps the last result. */
import type { Instant } from "../../shared/licensing/time.ts";
import { nowOf, type OperatorDependencies } from "../actions/dependencies.ts";
import { internalError, operatorMessage } from "../actions/operator-message.ts";
import { type Reconciled, reconcile } from "../actions/reconcile.ts";

export type ComparisonRunner = {
  current: () => Comparison | undefined;
  /** Does nothing while a comparison is running. */
  start: () => void;
  /** Grows with every change of `current`. */
  version: () => number;
};

/** `listed` counts the licenses in billmgr's list by family. */
export type Comparison = { subscriptions: number; listed: Record<string, number> } & (
  | { kind: "running" }
  | { kind: "done"; at: Instant; result: Reconciled }
  | { kind: "failed"; why: string }
);

export function createComparisonRunner(deps: OperatorDependencies): ComparisonRunner {
  let current: Comparison | undefined;
  let version = 0;
  const update = (next: Comparison) => {
    current = next;
    version++;
  };
  return {
    current: () => current,
    version: () => version,
    start() {
      if (current?.kind === "running") return;
      let read = { subscriptions: 0, listed: {} as Record<string, number> };
      update({ ...read, kind: "running" });
      reconcile(deps, (progress) => {
        read =
          "family" in progress
            ? { ...read, listed: { ...read.listed, [progress.family]: progress.licenses } }
            : { ...read, subscriptions: progress.subscriptions };
        update({ ...read, kind: "running" });
      }).then(
        (result) => update({ ...read, kind: "done", at: nowOf(deps), result }),
        (error: unknown) => update({ ...read, kind: "failed", why: failureOf(error) }),
      );
    },
  };
}

function failureOf(error: unknown): string {
  const message = operatorMessage(error);
  if (message === undefined) console.error(error);
  return message ?? internalError;
}
