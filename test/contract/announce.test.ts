import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { announce } from "../../functions/announce/announce.ts";
import { type LocalTable, startTable, tableName } from "../../local/table.ts";
import type { Publish } from "../../shared/aws/bus.ts";
import { agendaShards, createTable, type Table } from "../../shared/aws/table.ts";
import { type Key, keyOf } from "../../shared/intake/message.ts";
import type { Announcement } from "../../shared/licensing/announcement.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import type { Attention } from "../../shared/licensing/subscription.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { dependenciesOf } from "../support/dependencies.ts";

const now = "2026-11-23T08:00:00.000Z";
const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

let server: LocalTable;
let table: Table;
let told: Announcement[];
let subscriptions = 0;

beforeAll(async () => {
  server = await startTable(aws);
  table = createTable(server.client, tableName);
});
afterAll(() => server.stop());
beforeEach(() => {
  told = [];
});

const take: Publish = async (more) => {
  told.push(...more);
  return [];
};

const run = (changed: Partial<Table> = {}, publish = take, timeLeft = () => 60_000) =>
  announce(dependenciesOf({ table: { ...table, ...changed }, publish, now: () => new Date(now) }), timeLeft);
const ids = () => told.map(({ id }) => id);

const operation = (n: number, outcome: Operation["outcome"] = "done"): Operation => ({
  n,
  change: { kind: "suspend", slot: 1, elid: "334673", family: "platform" },
  why: "unpaid",
  before: {},
  state: "finished",
  outcome,
  result: {
    plan: "vm6-monthly",
    license: { elid: "334673", family: "platform", trial: false, suspended: true, addons: {} },
  },
  claimedAt: now,
  finishedAt: now,
  observations: [],
});

async function subscriptionWith(...operations: Operation[]): Promise<{ key: Key; name: string }> {
  const id = `s-${++subscriptions}`;
  const key = keyOf("subscription", "standard", id);
  await table.save(key, { subscription: newSubscription("standard", id), version: 0 });
  for (const one of operations) await table.putOperation(key, one);
  return { key, name: `standard/${id}` };
}

test("tells what was done, once, and not what came to nothing", async () => {
  const { name } = await subscriptionWith(operation(1), operation(2, "refused"), operation(3, "already_done"));
  expect(await run()).toBe(2);
  expect(ids()).toEqual([`${name}#operation-1`, `${name}#operation-3`]);
  expect(await run()).toBe(0);
});

test("what the bus does not take is told by a later run, and the rest is told once", async () => {
  const names: string[] = [];
  for (let i = 0; i < 20; i++) names.push((await subscriptionWith(operation(1))).name);
  const stuck = `${names[7]}#operation-1`;
  const refusing: Publish = async (more) => {
    told.push(...more.filter(({ id }) => id !== stuck));
    return more.filter(({ id }) => id === stuck).map(({ id }) => ({ id, why: "ThrottlingException" }));
  };
  for (let i = 0; i < 3; i++) await expect(run({}, refusing)).rejects.toThrow(`did not take ${stuck}: Throttling`);
  expect(told).toHaveLength(19);
  await run();
  expect(ids().sort()).toEqual(names.map((name) => `${name}#operation-1`).sort());
});

test("nothing is remembered of a request that nothing is known of", async () => {
  const { name } = await subscriptionWith(operation(1));
  const lost = async () => Promise.reject(new Error("reset"));
  await expect(run({}, lost)).rejects.toThrow("reset");
  await run();
  expect(ids()).toEqual([`${name}#operation-1`]);
});

test("one that cannot be read holds up no other, and is an error in the end", async () => {
  const odd = await subscriptionWith(operation(1));
  const names: string[] = [];
  for (let i = 0; i < 12; i++) names.push((await subscriptionWith(operation(1))).name);
  const load: Table["load"] = async (key) => {
    if (key === odd.key) throw new Error("of a newer form");
    return table.load(key);
  };
  await expect(run({ load })).rejects.toThrow("of a newer form");
  expect(ids().sort()).toEqual(names.map((name) => `${name}#operation-1`).sort());
  await run();
  expect(ids().at(-1)).toBe(`${odd.name}#operation-1`);
});

test("ten are told and remembered before more is read, and it stops in time", async () => {
  const { key } = await subscriptionWith(...Array.from({ length: 25 }, (_, i) => operation(i + 1)));
  let left = 60_000;
  const slow: Publish = async (more) => {
    left -= 30_000;
    return take(more);
  };
  expect(await run({}, slow, () => left)).toBe(20);
  const untold = await Promise.all(Array.from({ length: 25 }, (_, i) => table.unpublishedOperation(key, i + 1)));
  expect(untold.filter((one) => one !== undefined)).toHaveLength(5);
  expect(await run()).toBe(5);
});

test("what the index shows late is not told twice", async () => {
  const { key, name } = await subscriptionWith(operation(1));
  const [shard = 0] = await shardsOf(key);
  const late = await table.unpublished(shard);
  await run();
  await run({ unpublished: async (asked) => (asked === shard ? late : { operations: [] }) });
  expect(ids()).toEqual([`${name}#operation-1`]);
});

test("what was finished otherwise meanwhile is told too", async () => {
  const { key, name } = await subscriptionWith(operation(1));
  const again = { ...operation(1), finishedAt: "2026-11-23T08:00:01.000Z" };
  await run({}, async (more) => {
    await table.putOperation(key, again);
    return take(more);
  });
  await run();
  expect(told.map(({ id, at }) => [id, at])).toEqual([
    [`${name}#operation-1`, now],
    [`${name}#operation-1`, again.finishedAt],
  ]);
});

const shardsOf = async (key: Key): Promise<number[]> => {
  const pages = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.unpublished(shard)));
  return pages.flatMap(({ operations }, shard) => (operations.some((one) => one.key === key) ? [shard] : []));
};

test("who dies after telling and before remembering tells it again, by the same id", async () => {
  const { name } = await subscriptionWith(operation(1));
  const dies = async () => {
    throw new Error("died");
  };
  await expect(run({ markPublished: dies })).rejects.toThrow("died");
  await run();
  await run();
  expect(ids()).toEqual([`${name}#operation-1`, `${name}#operation-1`]);
});

test("a person who is needed is told of once, with the reason, and again when needed again", async () => {
  const { key, name } = await subscriptionWith();
  const waits = async (since: string, reason: string) => {
    const { subscription, version = 0 } = (await table.load(key)) ?? {};
    const attention: Attention[] = [{ reason: { code: "backing_off", since, why: reason }, since }];
    if (subscription) await table.save(key, { subscription: { ...subscription, attention }, version });
  };
  await waits(now, "refused");
  await run();
  await run();
  await waits("2026-11-24T08:00:00.000Z", "refused again");
  await run();
  expect(told).toMatchObject([
    { id: `${name}#attention-${now}`, type: "license.attention", reason: "refused" },
    { id: `${name}#attention-2026-11-24T08:00:00.000Z`, reason: "refused again" },
  ]);
});

test("so is one for an event of no subscription", async () => {
  const received = { id: "evt_odd", type: "odd", occurredAt: now, receivedAt: now, body: "{}" };
  await table.putEvent("event#stripe/evt_odd", received, [], { status: "unparseable", reason: "no plan" });
  await run();
  await run();
  expect(told.filter(({ storefront }) => storefront === "stripe")).toEqual([
    {
      id: `stripe/evt_odd#attention-${now}`,
      version: 1,
      type: "license.attention",
      at: now,
      storefront: "stripe",
      customer: {},
      reason: "no plan",
      event: "evt_odd",
    },
  ]);
});
