import type { Halt } from "../../shared/aws/control.ts";
import { haltRecheckSeconds } from "../../shared/aws/control.ts";
import { wakeDue } from "../../shared/aws/schedule.ts";
import { instantPlus } from "../../shared/licensing/time.ts";
import { nowOf, type OperatorDependencies } from "./dependencies.ts";

/** Stops all calls. @returns the halt that stands: an earlier one keeps its reason */
export async function halt(reason: string, { table, now }: Pick<OperatorDependencies, "table" | "now">): Promise<Halt> {
  const asked = { since: nowOf({ now }), reason };
  await table.setHalt(asked);
  return (await table.halt()) ?? asked;
}

/** Lets all calls go, and wakes at once what would have waited for that. @returns the halt that was lifted, if there was one */
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
