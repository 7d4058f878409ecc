import { isDeepStrictEqual } from "node:util";
import { PreconditionFailed } from "../../shared/errors.ts";
import type { Key } from "../../shared/intake/message.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { nameOf, nowOf, type OperatorDependencies, unknownSubscription } from "./dependencies.ts";

const maxAttempts = 5;

/**
 * Changes a stored subscription and wakes it. Another worker may be at it: then the change is made anew on what that one
 * left, so `change` has to judge afresh each time. What was finished is in the log before the state says so.
 * @param begun where it is to begin if it is not known yet
 * @throws Unfit
 */
export async function rewrite(
  key: Key,
  { table, send, now }: Pick<OperatorDependencies, "table" | "send" | "now">,
  change: (subscription: Subscription) => Promise<Repaired> | Repaired,
  begun?: Subscription,
): Promise<Repaired> {
  for (let attempts = 1; ; attempts++) {
    const stored = (await table.load(key)) ?? (begun && { subscription: begun, version: 0 });
    if (!stored) throw unknownSubscription(key);
    if (attempts > 1) await repairLog(key, stored.subscription.operation, table);
    const repaired = await change(stored.subscription);
    for (const operation of repaired.finished) await table.putOperation(key, operation);
    const { version } = stored;
    const { subscription } = repaired;
    if (await table.save(key, { ...stored, subscription, agenda: { due: nowOf({ now }) } })) {
      await send([{ message: { key, kind: "wake" }, deduplicationId: `operator ${version}` }]);
      return repaired;
    }
    if (attempts === maxAttempts)
      throw new PreconditionFailed(`${nameOf(key)} is changed by others all the time: try again`);
  }
}

/** The other one may have finished the operation otherwise than a lost try wrote to the log. What agrees is not told again. */
async function repairLog(
  key: Key,
  operation: Operation | undefined,
  table: OperatorDependencies["table"],
): Promise<void> {
  if (operation?.state !== "finished") return;
  if (!isDeepStrictEqual(await table.operation(key, operation.n), operation)) await table.putOperation(key, operation);
}
