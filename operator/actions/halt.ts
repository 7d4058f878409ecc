/** Halts all calls to billmgr, and lifts the halt. */
import type { Halt } from "../../shared/aws/control.ts";
import { haltRecheckSeconds } from "../../shared/aws/control.ts";
import { wakeDue } from "../../shared/aws/schedule.ts";
import { instantPlus } from "../../shared/licensing/time.ts";
import { nowOf, type OperatorDependencies } from "./dependencies.ts";

/** Halts all calls to billmgr. @returns the active halt: an earlier one keeps its reason */
export async function halt(reason: string, { table, now }: Pick<OperatorDependencies, "table" | "now">): Promise<Halt> {
  const requested = { since: nowOf({ now }), reason };
  await table.setHalt(requested);
  return (await table.halt()) ?? requested;
}

/** Lifts the halt, and immediately wakes the subscriptions that the halt deferred. */
export async function resume({
  table,
  send,
  now,
}: Pick<OperatorDependencies, "table" | "send" | "now">): Promise<{ lifted?: Halt; woken: number }> {
  const lifted = await table.halt();
  if (!lifted) return { woken: 0 };
  await table.liftHalt();
  const at = nowOf({ now });
  const until = instantPlus(at, { seconds: haltRecheckSeconds });
  const woken = await wakeDue({ table, send }, until, () => Number.POSITIVE_INFINITY, `resume ${at}`);
  return { lifted, woken };
}
