import { describe, expect, test } from "vitest";
import { tableIndexes } from "../../shared/aws/table.ts";
import { evenlyDue, store, sweep } from "../support/sweeps.ts";
import { createMemoryDynamo } from "./memory-dynamo.ts";
import { expectedDrain, rush } from "./rush.ts";

/** Both in full: npm run bench -- scale, npm run bench -- burst. */
describe("the schedule", () => {
  const [start, hour] = [Date.parse("2026-11-23T08:00:00Z"), 3_600_000];

  /** Of one hour in which 60 subscriptions are due, among others that are due later. */
  async function readsBeside(others: number) {
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

  test("reads what is due, whatever the size of the table", async () => {
    const { woken, reads } = await readsBeside(40);
    expect({ woken, items: reads.items }).toEqual({ woken: 60, items: 60 });
    expect(await readsBeside(10_000)).toEqual({ woken, reads });
  });
});

describe("a rush of renewals", () => {
  const pace = { withinMs: 20_000, callMs: 2000, requestMs: 10 };

  test.each([5, 12])(
    "is kept whole and in order, bought once, and takes what %i calls at a time take",
    async (concurrency) => {
      const { webhooks, drainedMs, mostCallsAtOnce, wrong } = await rush({ ...pace, subscriptions: 160, concurrency });
      expect({ webhooks, wrong, mostCallsAtOnce }).toEqual({ webhooks: 200, wrong: [], mostCallsAtOnce: concurrency });
      const { least, most } = expectedDrain(webhooks, { ...pace, concurrency });
      expect(drainedMs).toBeGreaterThanOrEqual(least);
      expect(drainedMs).toBeLessThanOrEqual(most);
    },
  );

  test("is kept whole, and takes no longer than its calls, before a billmgr that is as slow as can be borne", async () => {
    const slow = { ...pace, callMs: 19_000 };
    const rushed = await rush({ ...slow, subscriptions: 160, concurrency: 5 });
    const { webhooks, wrong, calls, mostCallsAtOnce, drainedMs } = rushed;
    expect({ webhooks, wrong, mostCallsAtOnce }).toEqual({ webhooks: 200, wrong: [], mostCallsAtOnce: 5 });
    expect(calls).toBe(3 * webhooks);
    expect(drainedMs).toBeLessThanOrEqual(expectedDrain(webhooks, { ...slow, concurrency: 5 }).most);
  });
});
