/** Fast-forwards the local clock. */

import { agendaShards, type DuePage, type Table } from "../shared/aws/table.ts";
import { earliest, toInstant } from "../shared/licensing/time.ts";
import type { Clock } from "./clock.ts";
import type { LocalFunctions } from "./functions.ts";
import type { LocalQueue } from "./queue.ts";

type TimeControlDependencies = {
  clock: Clock;
  table: Pick<Table, "due">;
  queue: Pick<LocalQueue, "size">;
} & Pick<LocalFunctions, "sweep" | "announce">;

export type TimeControl = {
  /** Runs the schedule until nothing is due and nothing is queued. */
  settle: () => Promise<void>;
  /** Moves the clock to a moment, and stops wherever something is due before. */
  advanceTo: (moment: Date) => Promise<void>;
};

const maxIdleWaitMs = 30_000;
const pollIntervalMs = 5;
const farFuture = "9999-12-31T00:00:00.000Z";

export function createTimeControl({ clock, table, queue, sweep, announce }: TimeControlDependencies): TimeControl {
  const waitUntilIdle = async () => {
    const deadline = Date.now() + maxIdleWaitMs;
    while (queue.size() > 0 && Date.now() < deadline) await sleep(pollIntervalMs);
  };
  const readAgenda = async () => {
    const shards = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.due(shard, farFuture)));
    return shards.flatMap(({ keys }) => keys);
  };
  /** Does everything that is due now. @returns the next due time, if there is one */
  const runUntilNext = async () => {
    // An entry that is still due after a sweep, at the same time, depends on real time. Moving this clock does not help it.
    const stuck = new Set<string>();
    const idOf = ({ key, due }: DuePage["keys"][number]) => `${due} ${key}`;
    for (;;) {
      await waitUntilIdle();
      const open = (await readAgenda()).filter((entry) => !stuck.has(idOf(entry)));
      const due = earliest(open.map((entry) => entry.due));
      if (due === undefined || due > toInstant(clock.now())) return due;
      for (const entry of open) if (entry.due <= toInstant(clock.now())) stuck.add(idOf(entry));
      await sweep();
    }
  };
  const moveForwardTo = (moment: Date) => {
    if (moment > clock.now()) clock.moveTo(moment);
  };
  const settle = async () => {
    await runUntilNext();
    await announce();
  };
  const advanceTo = async (moment: Date) => {
    for (let due = await runUntilNext(); due !== undefined && due <= toInstant(moment); due = await runUntilNext())
      moveForwardTo(new Date(due));
    moveForwardTo(moment);
    await sweep({ includeAttention: true });
    await settle();
  };

  return { settle, advanceTo };
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
