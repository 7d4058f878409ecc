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
let published: Announcement[];
let subscriptions = 0;

beforeAll(async () => {
  server = await startTable(aws);
  table = createTable(server.client, tableName);
});
afterAll(() => server.stop());
beforeEach(() => {
  published = [];
});

const accept: Publish = async (more) => {
  published.push(...more);
  return [];
};

const run = (changed: Partial<Table> = {}, publish = accept, timeLeft = () => 60_000) =>
  announce(dependenciesOf({ table: { ...table, ...changed }, publish, now: () => new Date(now) }), timeLeft);
const ids = () => published.map(({ id }) => id);

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

test("completed operations are published once, and refused ones are not", async () => {
  const { name } = await subscriptionWith(operation(1), operation(2, "refused"), operation(3, "already_done"));
  expect(await run()).toBe(2);
  expect(ids()).toEqual([`${name}#operation-1`, `${name}#operation-3`]);
  expect(await run()).toBe(0);
});

test("an announcement that the bus rejects is published by a later run, and the others once", async () => {
  const names: string[] = [];
  for (let i = 0; i < 20; i++) names.push((await subscriptionWith(operation(1))).name);
  const stuck = `${names[7]}#operation-1`;
  const refusing: Publish = async (more) => {
    published.push(...more.filter(({ id }) => id !== stuck));
    return more.filter(({ id }) => id === stuck).map(({ id }) => ({ id, why: "ThrottlingException" }));
  };
  for (let i = 0; i < 3; i++) await expect(run({}, refusing)).rejects.toThrow(`the bus rejected ${stuck}: Throttling`);
  expect(published).toHaveLength(19);
  await run();
  expect(ids().sort()).toEqual(names.map((name) => `${name}#operation-1`).sort());
});

test("nothing is marked as published after a request with an unknown outcome", async () => {
  const { name } = await subscriptionWith(operation(1));
  const lost = async () => Promise.reject(new Error("reset"));
  await expect(run({}, lost)).rejects.toThrow("reset");
  await run();
  expect(ids()).toEqual([`${name}#operation-1`]);
});

test("an operation that cannot be read does not delay others, and is an error at the end", async () => {
  const odd = await subscriptionWith(operation(1));
  const names: string[] = [];
  for (let i = 0; i < 12; i++) names.push((await subscriptionWith(operation(1))).name);
  const load: Table["load"] = async (key) => {
    if (key === odd.key) throw new Error("a newer schema");
    return table.load(key);
  };
  await expect(run({ load })).rejects.toThrow("a newer schema");
  expect(ids().sort()).toEqual(names.map((name) => `${name}#operation-1`).sort());
  await run();
  expect(ids().at(-1)).toBe(`${odd.name}#operation-1`);
});

test("ten operations are published and marked before more are read, and the run stops in time", async () => {
  const { key } = await subscriptionWith(...Array.from({ length: 25 }, (_, i) => operation(i + 1)));
  let left = 60_000;
  const slow: Publish = async (more) => {
    left -= 30_000;
    return accept(more);
  };
  expect(await run({}, slow, () => left)).toBe(20);
  const unpublished = await Promise.all(Array.from({ length: 25 }, (_, i) => table.unpublishedOperation(key, i + 1)));
  expect(unpublished.filter((one) => one !== undefined)).toHaveLength(5);
  expect(await run()).toBe(5);
});

test("an operation that the index still lists is not published twice", async () => {
  const { key, name } = await subscriptionWith(operation(1));
  const [shard = 0] = await shardsOf(key);
  const late = await table.unpublished(shard);
  await run();
  await run({ unpublished: async (requested) => (requested === shard ? late : { operations: [] }) });
  expect(ids()).toEqual([`${name}#operation-1`]);
});

test("an operation that changed in the meantime is published again", async () => {
  const { key, name } = await subscriptionWith(operation(1));
  const again = { ...operation(1), finishedAt: "2026-11-23T08:00:01.000Z" };
  await run({}, async (more) => {
    await table.putOperation(key, again);
    return accept(more);
  });
  await run();
  expect(published.map(({ id, at }) => [id, at])).toEqual([
    [`${name}#operation-1`, now],
    [`${name}#operation-1`, again.finishedAt],
  ]);
});

const shardsOf = async (key: Key): Promise<number[]> => {
  const pages = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.unpublished(shard)));
  return pages.flatMap(({ operations }, shard) => (operations.some((one) => one.key === key) ? [shard] : []));
};

test("a run that dies before it marks an operation publishes it again, with the same id", async () => {
  const { name } = await subscriptionWith(operation(1));
  const dies = async () => {
    throw new Error("died");
  };
  await expect(run({ markPublished: dies })).rejects.toThrow("died");
  await run();
  await run();
  expect(ids()).toEqual([`${name}#operation-1`, `${name}#operation-1`]);
});

test("an attention item is published once with its reason, and again when it recurs", async () => {
  const { key, name } = await subscriptionWith();
  const needsAttention = async (since: string, reason: string) => {
    const { subscription, version = 0 } = (await table.load(key)) ?? {};
    const attention: Attention[] = [{ reason: { code: "backing_off", since, why: reason }, since }];
    if (subscription) await table.save(key, { subscription: { ...subscription, attention }, version });
  };
  await needsAttention(now, "refused");
  await run();
  await run();
  await needsAttention("2026-11-24T08:00:00.000Z", "refused again");
  await run();
  const idAt = (since: string) => expect.stringContaining(`${name}#attention-${since}-backing_off-`);
  expect(published).toMatchObject([
    { id: idAt(now), type: "license.attention", code: "backing_off", reason: expect.stringMatching(/refused\.$/) },
    { id: idAt("2026-11-24T08:00:00.000Z"), reason: expect.stringMatching(/refused again\.$/) },
  ]);
});

test("each attention item is published, also one of the same code as an older one", async () => {
  const { key } = await subscriptionWith();
  const missing = (elid: string, since: string): Attention => {
    const change = { kind: "suspend", slot: 1, elid, family: "platform" } as const;
    return { reason: { code: "license_missing", elid, change }, since };
  };
  const later = "2026-11-24T08:00:00.000Z";
  const items = [missing("5", now), missing("6", now), missing("7", later), missing("8", "2026-11-25T08:00:00.000Z")];
  for (const attention of [items.slice(0, 2), items.slice(0, 3), [items[0], items[3]]]) {
    const { subscription, version = 0 } = (await table.load(key)) ?? {};
    if (subscription) {
      await table.save(key, { subscription: { ...subscription, attention: attention as Attention[] }, version });
    }
    await run();
    await run();
  }
  const reasons = published.map((one) => ("reason" in one ? /license \d/.exec(one.reason)?.[0] : undefined));
  expect(reasons).toEqual(["license 5", "license 6", "license 7", "license 8"]);
});

test("an unparseable event is published as an attention item", async () => {
  const received = { id: "evt_odd", type: "odd", occurredAt: now, receivedAt: now, body: "{}" };
  await table.putEvent("event#stripe/evt_odd", received, [], { status: "unparseable", reason: "no plan" });
  await run();
  await run();
  expect(published.filter(({ storefront }) => storefront === "stripe")).toEqual([
    {
      id: `stripe/evt_odd#attention-${now}`,
      version: 1,
      type: "license.attention",
      at: now,
      storefront: "stripe",
      customer: {},
      code: "not_understood",
      reason: "no plan",
      event: "evt_odd",
    },
  ]);
});
