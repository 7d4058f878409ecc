import type { Send } from "../../shared/aws/queue.ts";
import { agendaShards, type Table } from "../../shared/aws/table.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import type { Log } from "../log.ts";

export type World = { table: Pick<Table, "due">; send: Send; now: () => Date; log: Log };

/**
 * Wakes each subscription whose next action is due. What was woken stays due until provision has dealt with it, so a lost
 * wake is sent again a minute later; within five minutes SQS takes the second for the first.
 *
 * @param timeLeft milliseconds: it stops in time, and the next run goes on from what is then due
 * @returns how many were woken
 */
export async function renew({ table, send, now, log }: World, timeLeft: () => number): Promise<number> {
  const until = toInstant(now());
  const woken = await Promise.all(
    Array.from({ length: agendaShards }, async (_, shard) => {
      let count = 0;
      let page: Awaited<ReturnType<Table["due"]>> | undefined;
      do {
        page = await table.due(shard, until, page?.next);
        await send(page.keys.map(({ key, due }) => ({ message: { key, kind: "wake" }, once: due })));
        count += page.keys.length;
      } while (page.next && timeLeft() > 5_000);
      return count;
    }),
  );
  const total = woken.reduce((sum, count) => sum + count, 0);
  if (total > 0) log.info("woken", { subscriptions: total });
  return total;
}
