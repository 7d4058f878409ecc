import { agendaShards, type DuePage, type Table } from "../shared/aws/table.ts";
import { earliest, toInstant } from "../shared/licensing/time.ts";
import type { Clock } from "./clock.ts";
import type { LocalFunctions } from "./functions.ts";
import type { LocalQueue } from "./queue.ts";

type Parts = {
  clock: Clock;
  table: Pick<Table, "due">;
  queue: Pick<LocalQueue, "size">;
} & Pick<LocalFunctions, "sweep" | "announce">;

export type Time = {
  /** Runs the schedule until nothing is due and nothing is queued. */
  settle: () => Promise<void>;
  /** Moves the clock, stopping wherever something is due on the way. */
  advanceTo: (moment: Date) => Promise<void>;
};

/** What takes weeks, at once. */
export function timeOf({ clock, table, queue, sweep, announce }: Parts): Time {
  const idle = async () => {
    const patience = Date.now() + 30_000;
    while (queue.size() > 0 && Date.now() < patience) await backoff(5);
  };
  const agenda = async () => {
    const shards = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.due(shard, farFuture)));
    return shards.flatMap(({ keys }) => keys);
  };
  /** @returns when something is due next, as far as that is a matter of this clock */
  const untilNext = async () => {
    // What is due at once again, unmoved, waits for something that only real time brings.
    const stuck = new Set<string>();
    const placeOf = ({ key, due }: DuePage["keys"][number]) => `${due} ${key}`;
    for (;;) {
      await idle();
      const open = (await agenda()).filter((one) => !stuck.has(placeOf(one)));
      const due = earliest(open.map((one) => one.due));
      if (due === undefined || due > toInstant(clock.now())) return due;
      for (const one of open) if (one.due <= toInstant(clock.now())) stuck.add(placeOf(one));
      await sweep();
    }
  };
  const forwardTo = (moment: Date) => {
    if (moment > clock.now()) clock.moveTo(moment);
  };
  const settle = async () => {
    await untilNext();
    await announce();
  };
  const advanceTo = async (moment: Date) => {
    for (let due = await untilNext(); due !== undefined && due <= toInstant(moment); due = await untilNext())
      forwardTo(new Date(due));
    forwardTo(moment);
    await sweep(true);
    await settle();
  };

  return { settle, advanceTo };
}

const farFuture = "9999-12-31T00:00:00.000Z";
const backoff = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
