import { describe, expect, test } from "vitest";
import { tableIndexes } from "../../shared/aws/table.ts";
import { evenlyDue, store, sweep } from "../support/sweeps.ts";
import { createMemoryDynamo } from "./memory-dynamo.ts";
import { expectedDrain, rush } from "./rush.ts";

/** For the full size run npm run bench -- scale, and npm run bench -- burst. */
describe("the schedule", () => {
  const [start, hour] = [Date.parse("2026-11-23T08:00:00Z"), 3_600_000];

  /** Counts the reads of one hour in which 60 subscriptions are due, among others that are due later. */
  async function readsAmong(others: number) {
    const { client } = createMemoryDynamo({ indexes: tableIndexes });
    await store(client, evenlyDue(60, start, hour));
    await store(client, evenlyDue(others, start + 2 * hour, 700 * hour, "later"));
    let woken = 0;
    const reads = await sweep(client, { from: start, runs: 60 }, async (keys, now) => {
      woken += keys.length;
      await store(
        client,
        keys.map((key) => ({ key, at: now + 700 * hour })),
        1,
      );
    });
    return { woken, reads };
  }

  test("reads only due subscriptions, independent of the size of the table", async () => {
    const { woken, reads } = await readsAmong(40);
    expect({ woken, items: reads.items }).toEqual({ woken: 60, items: 60 });
    expect(await readsAmong(10_000)).toEqual({ woken, reads });
  });
});

describe("a rush of renewals", () => {
  const pace = { withinMs: 20_000, callMs: 2000, requestMs: 10 };

  test.each([5, 12])(
    "is stored completely and in order, bought once, and takes as long as its calls with a concurrency of %i",
    async (concurrency) => {
      const { webhooks, drainedMs, mostCallsAtOnce, wrong } = await rush({ ...pace, subscriptions: 160, concurrency });
      expect({ webhooks, wrong, mostCallsAtOnce }).toEqual({ webhooks: 200, wrong: [], mostCallsAtOnce: concurrency });
      const { least, most } = expectedDrain(webhooks, { ...pace, concurrency });
      expect(drainedMs).toBeGreaterThanOrEqual(least);
      expect(drainedMs).toBeLessThanOrEqual(most);
    },
  );

  test("is stored completely, and takes no longer than its calls, with the slowest billmgr that the time limit allows", async () => {
    const slow = { ...pace, callMs: 19_000 };
    const rushed = await rush({ ...slow, subscriptions: 160, concurrency: 5 });
    const { webhooks, wrong, calls, mostCallsAtOnce, drainedMs } = rushed;
    expect({ webhooks, wrong, mostCallsAtOnce }).toEqual({ webhooks: 200, wrong: [], mostCallsAtOnce: 5 });
    expect(calls).toBe(3 * webhooks);
    expect(drainedMs).toBeLessThanOrEqual(expectedDrain(webhooks, { ...slow, concurrency: 5 }).most);
  });
});
