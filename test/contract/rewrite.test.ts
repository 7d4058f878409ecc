import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalTable, startTable, tableName } from "../../local/table.ts";
import { rewrite } from "../../operator/actions/rewrite.ts";
import { agendaShards, createTable, type Table } from "../../shared/aws/table.ts";
import { type Key, keyOf } from "../../shared/intake/message.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";

const now = "2026-11-23T08:00:00.000Z";
const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

let server: LocalTable;
let table: Table;
beforeAll(async () => {
  server = await startTable(aws);
  table = createTable(server.client, tableName);
});
afterAll(() => server.stop());

const finished: Operation = {
  n: 1,
  change: { kind: "suspend", slot: 1, elid: "334673", family: "platform" },
  why: "unpaid",
  before: {},
  state: "finished",
  outcome: "done",
  claimedAt: now,
  finishedAt: now,
  observations: [],
};
const gaveUp: Operation = { ...finished, outcome: "gave_up", resolved: { as: "never bought", at: now } };

/** A subscription whose operation is finished, logged, and published. */
async function savePublished(id: string): Promise<Key> {
  const key = keyOf("subscription", "standard", id);
  await table.save(key, { subscription: { ...newSubscription("standard", id), operation: finished }, version: 0 });
  await table.putOperation(key, finished);
  await table.markPublished(key, finished);
  return key;
}

/** A table in which another worker writes the subscription once, right before the save. */
function withConflict(key: Key): Table {
  let saves = 0;
  const save: Table["save"] = async (of, stored) => {
    const current = ++saves === 1 ? await table.load(key) : undefined;
    if (current) await table.save(key, current);
    return table.save(of, stored);
  };
  return { ...table, save };
}

const unpublished = async (key: Key) => {
  const shards = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.unpublished(shard)));
  return shards.flatMap(({ operations }) => operations).filter((one) => one.key === key);
};
const deps = (key: Key) => ({ table: withConflict(key), send: async () => {}, now: () => new Date(now) });

test("after a version conflict, a change does not publish the finished operation again", async () => {
  const key = await savePublished("again");
  await rewrite(key, deps(key), (subscription) => ({ subscription, finished: [] }));
  expect(await table.load(key)).toMatchObject({ version: 3 });
  expect(await unpublished(key)).toEqual([]);
});

test("after a version conflict, the log contains the operation as the other worker stored it", async () => {
  const key = await savePublished("conflict");
  let attempts = 0;
  await rewrite(key, deps(key), (subscription) => ({ subscription, finished: ++attempts === 1 ? [gaveUp] : [] }));
  expect(attempts).toBe(2);
  expect(await table.operation(key, 1)).toEqual(finished);
  expect(await unpublished(key)).toEqual([{ key, n: 1 }]);
});
