import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { announce } from "../../functions/announce/announce.ts";
import { noMetrics } from "../../functions/metrics.ts";
import { type LocalTable, startTable, tableName } from "../../infra/local/table.ts";
import type { Publish } from "../../shared/aws/bus.ts";
import { createTable, type Table } from "../../shared/aws/table.ts";
import type { Announcement } from "../../shared/licensing/announcement.ts";
import type { Operation } from "../../shared/licensing/operation.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { type Key, keyOf } from "../../shared/message.ts";
import { watchedLog } from "../support/log.ts";

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

const run = (
  changed: Partial<Table> = {},
  publish: Publish = async (more: readonly Announcement[]) => void told.push(...more),
) => announce({ table: { ...table, ...changed }, publish, log: watchedLog(), metrics: noMetrics }, () => 60_000);
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
  looks: [],
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

test("what the bus does not take is told by a later run, and the rest meanwhile", async () => {
  const names: string[] = [];
  for (let i = 0; i < 20; i++) names.push((await subscriptionWith(operation(1))).name);
  const stuck = `${names[7]}#operation-1`;
  const refusing = async (more: readonly Announcement[]) => {
    if (more.some(({ id }) => id === stuck)) throw new Error("the bus refused 1 of 3 events");
    told.push(...more);
  };
  await expect(run({}, refusing)).rejects.toThrow("the bus refused");
  expect(told.length).toBeGreaterThan(0);
  expect(ids()).not.toContain(stuck);
  await run();
  expect(new Set(ids())).toEqual(new Set(names.map((name) => `${name}#operation-1`)));
  expect(told).toHaveLength(20);
});

test("who dies after telling and before remembering tells it again, by the same id", async () => {
  const { name } = await subscriptionWith(operation(1));
  const dies = async () => {
    throw new Error("died");
  };
  await expect(run({ putAnnounced: dies })).rejects.toThrow("died");
  await run();
  await run();
  expect(ids()).toEqual([`${name}#operation-1`, `${name}#operation-1`]);
});

test("a person who is needed is told of once, with the reason, and again when needed again", async () => {
  const { key, name } = await subscriptionWith();
  const waits = async (since: string, reason: string) => {
    const { subscription, version = 0 } = (await table.load(key)) ?? {};
    if (subscription) await table.save(key, { subscription, version, agenda: { attention: since, reason } });
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
  await table.putEvent("event#stripe/evt_odd", received, [], { became: "unclear", reason: "no plan" });
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
