/** Writes an operator's change to a subscription safely next to the workers. */
import { isDeepStrictEqual } from "node:util";
import { PreconditionFailed } from "../../shared/errors.ts";
import type { Key } from "../../shared/intake/message.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { nameOf, nowOf, type OperatorDependencies, unknownSubscription } from "./dependencies.ts";

const maxAttempts = 5;

/**
 * Changes a stored subscription and wakes it. On a version conflict it applies `change` again to the latest state, so
 * `change` must check its preconditions on every call. Finished operations are logged before the state refers to them.
 * @param initial the state to start from if the subscription is not known yet
 * @throws PreconditionFailed
 */
export async function rewrite(
  key: Key,
  { table, send, now }: Pick<OperatorDependencies, "table" | "send" | "now">,
  change: (subscription: Subscription) => Promise<Repaired> | Repaired,
  initial?: Subscription,
): Promise<Repaired> {
  for (let attempts = 1; ; attempts++) {
    const stored = (await table.load(key)) ?? (initial && { subscription: initial, version: 0 });
    if (!stored) throw unknownSubscription(key);
    if (attempts > 1) await repairLog(key, stored.subscription.operation, table);
    const repaired = await change(stored.subscription);
    for (const operation of repaired.finished) await table.putOperation(key, operation);
    const { version } = stored;
    const { subscription } = repaired;
    if (await table.save(key, { ...stored, subscription, due: nowOf({ now }) })) {
      await send([{ message: { key, kind: "wake" }, deduplicationId: `operator ${version}` }]);
      return repaired;
    }
    if (attempts === maxAttempts)
      throw new PreconditionFailed(
        `${nameOf(key)} was changed by another process ${maxAttempts} times in a row; nothing was changed, try again`,
      );
  }
}

/**
 * An attempt that lost the version conflict may have logged a different end of the operation than the one that was
 * saved. An entry that already agrees is not written again, because that would publish it again.
 */
async function repairLog(
  key: Key,
  operation: Operation | undefined,
  table: OperatorDependencies["table"],
): Promise<void> {
  if (operation?.state !== "finished") return;
  if (!isDeepStrictEqual(await table.operation(key, operation.n), operation)) await table.putOperation(key, operation);
}
