import type { Repaired } from "../../shared/licensing/repair.ts";
import { Unfit } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Key } from "../../shared/message.ts";
import { nameOf, nowOf, unknownSubscription, type World } from "./world.ts";

const mostTries = 5;

/**
 * Changes a stored subscription and wakes it. Another worker may be at it: then the change is made anew on what that one
 * left, so `change` has to judge afresh each time. What was finished is in the log before the state says so.
 * @param begun where it is to begin if it is not known yet
 * @throws Unfit
 */
export async function rewrite(
  key: Key,
  { table, send, now }: Pick<World, "table" | "send" | "now">,
  change: (subscription: Subscription) => Promise<Repaired> | Repaired,
  begun?: Subscription,
): Promise<Repaired> {
  for (let tries = 1; ; tries++) {
    const stored = (await table.load(key)) ?? (begun && { subscription: begun, version: 0 });
    if (!stored) throw unknownSubscription(key);
    if (tries > 1 && stored.subscription.operation?.state === "finished") {
      // That one finished the operation otherwise than this try had just written to the log.
      await table.putOperation(key, stored.subscription.operation);
    }
    const repaired = await change(stored.subscription);
    for (const operation of repaired.finished) await table.putOperation(key, operation);
    const { version } = stored;
    const { subscription } = repaired;
    if (await table.save(key, { ...stored, subscription, agenda: { due: nowOf({ now }) } })) {
      await send([{ message: { key, kind: "wake" }, once: `operator ${version}` }]);
      return repaired;
    }
    if (tries === mostTries) throw new Unfit(`${nameOf(key)} is changed by others all the time: try again`);
  }
}
