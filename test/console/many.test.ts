import type { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { beforeAll, describe, expect, test } from "vitest";
import { createConsole } from "../../operator/console/app.ts";
import { createFigures } from "../../operator/console/figures.ts";
import { createTable, type Table, tableIndexes } from "../../shared/aws/table.ts";
import type { Billmgr } from "../../shared/billmgr/billmgr.ts";
import type { Key } from "../../shared/intake/message.ts";
import type { Attention } from "../../shared/licensing/subscription.ts";
import { addDays, type Day } from "../../shared/licensing/time.ts";
import { createMemoryDynamo } from "../simulation/memory-dynamo.ts";
import { catalogWith, license, licensed, operation, orderOf, paid, slot, utc } from "../support/events.ts";

const subscriptions = 10_000;
const operationsOfEach = 10;
const now = utc("2027-03-10T12:00");
const today: Day = "2027-03-10";

/** The table of a busy shop. It counts the requests by command name. */
describe(`${subscriptions} subscriptions and ${subscriptions * operationsOfEach} operations`, () => {
  // A page of DynamoDB holds 1 MB, which is about this many index keys.
  const memory = createMemoryDynamo({ indexes: tableIndexes, pageSize: 6000 });
  let asked: string[] = [];
  /** Rows read, by part of the index. */
  let rows: Record<string, number> = {};
  const client = {
    send: async (command: QueryCommand) => {
      asked.push(command.constructor.name);
      const answer = await memory.client.send(command);
      const [part = ""] = (command.input.ExpressionAttributeValues?.[":agenda"]?.S ?? "").split("#");
      rows[part] = (rows[part] ?? 0) + (answer.Items?.length ?? 0);
      return answer;
    },
  } as unknown as DynamoDBClient;
  let clock = Date.parse(now);
  const table: Table = createTable(client, "table");
  const app = createConsole({
    where: "a test",
    deps: { table, send: async () => {}, billmgr: {} as Billmgr, catalog: catalogWith(), now: () => new Date(clock) },
  });
  const open = async (path: string) => {
    [asked, rows] = [[], {}];
    const response = await app.request(path, { headers: { host: "127.0.0.1" } });
    return { status: response.status, text: await response.text(), asked };
  };

  beforeAll(async () => {
    for (let i = 0; i < subscriptions; i++) {
      const key = `subscription#standard/${i}` as Key;
      const payment = paid("2027-03-01", { through: "2027-04-01" }, { items: ["vm-monthly"] });
      const subscription = { ...licensed([slot({ elid: String(i), expiry: "2027-04-01" })], payment), id: String(i) };
      const needsAttention = i % 5 === 0;
      const attention: Attention[] = [{ reason: { code: "backing_off", since: now, why: "of many" }, since: now }];
      await table.save(key, {
        subscription: { ...subscription, ...(needsAttention && { attention }) },
        version: 0,
        ...(!needsAttention && { due: utc(`${addDays(today, (i % 28) + 1)}T00:00`) }),
      });
      for (let n = 1; n <= operationsOfEach; n++) {
        const finishedAt = utc(`${addDays(today, -((i + 3 * n) % 30))}T10:00`);
        const finished = operation({ n, change: orderOf(), claimedAt: finishedAt, finishedAt, state: "finished" });
        const as = n % 2 ? { outcome: "refused" as const } : { outcome: "done" as const, secondsFromPayment: 5 };
        await table.putOperation(key, { ...finished, ...as, result: { plan: "vm-monthly", license: license() } });
        if (n % 2 === 0) await table.markPublished(key, { ...finished, ...as });
      }
    }
  }, 120_000);

  test.each([
    ["/", 100],
    ["/operations", 5],
    ["/scheduled", 220],
    ["/subscription?name=standard/77", 10],
    ["/find?text=77", 5],
    ["/account", 2],
  ])("%s takes no scan and at most %i requests", async (path, most) => {
    const { status, asked, text } = await open(path);
    expect(status).toBeLessThan(400);
    expect(asked.filter((name) => name === "ScanCommand")).toEqual([]);
    expect(asked.length).toBeLessThanOrEqual(most);
    expect(text.length).toBeLessThan(200_000);
  });

  test("the figures count every operation and every due subscription", async () => {
    const { past, due } = await createFigures(table, () => new Date(now))();
    const sum = (values: number[]) => values.reduce((one, other) => one + other, 0);
    expect(sum(past.map(({ outcomes }) => outcomes.done ?? 0))).toBe(50_000);
    expect(sum(past.map(({ outcomes }) => outcomes.refused ?? 0))).toBe(50_000);
    expect(sum(past.map(({ kinds }) => kinds.order ?? 0))).toBe(50_000);
    expect(sum(past.map(({ waits }) => waits[0] ?? 0))).toBe(50_000);
    expect(sum(due.map(({ count }) => count))).toBe(8000);
    // Four weeks, starting tomorrow.
    expect(due.filter(({ count }) => count > 200).map(({ day }) => day)).toEqual(
      Array.from({ length: 28 }, (_, i) => addDays(today, i + 1)),
    );
  });

  test("home reads the soonest due subscriptions each time, and all of them once in ten minutes", async () => {
    await open("/");
    clock += 60_000;
    await open("/");
    // The eight soonest of each of the eight shards, and the oldest of each.
    expect(rows.due).toBeLessThanOrEqual(8 * 8 + 8);
    clock += 600_000;
    await open("/");
    expect(rows.due).toBeGreaterThan(8000);
    clock = Date.parse(now);
  });

  test("days in the distant past are not read again", async () => {
    let at = Date.parse(now);
    const figures = createFigures(table, () => new Date(at));
    const rowsAfter = async (ms: number) => {
      at += ms;
      rows = {};
      await figures();
      return rows;
    };
    const aDay = (subscriptions * operationsOfEach) / 30;
    expect((await rowsAfter(0)).journal).toBe(30 * aDay);
    expect((await rowsAfter(60_000)).journal).toBeCloseTo(aDay, -2);
    expect((await rowsAfter(600_000)).journal).toBeCloseTo(4 * aDay, -2);
    expect((await rowsAfter(86_400_000)).journal).toBeCloseTo(4 * aDay, -2);
    expect((await rowsAfter(86_400_000)).journal).toBeCloseTo(3 * aDay, -2);
  });

  test("the pages of a list together contain every entry once", async () => {
    const seen = new Set<string>();
    let path: string | undefined = "/operations?day=2027-03-09";
    let pages = 0;
    for (; path !== undefined && pages < 40; pages++) {
      const { text } = await open(path);
      for (const [one] of text.matchAll(/standard%2F\d+#operation-\d+/g)) seen.add(one);
      path = /href="(\/operations\?[^"]*from=[^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
    }
    const every = Array.from({ length: subscriptions * operationsOfEach }, (_, k) => [
      Math.floor(k / 10),
      (k % 10) + 1,
    ]);
    const ofThatDay = every.filter(([i = 0, n = 0]) => (i + 3 * n) % 30 === 1).length;
    expect([seen.size, pages]).toEqual([ofThatDay, Math.ceil(ofThatDay / 200)]);
  });

  test("an operation that was published late is counted", async () => {
    const key = "subscription#standard/0" as Key;
    const finishedAt = utc(`${addDays(today, -1)}T10:00`);
    const late = operation({ n: 99, change: orderOf(), claimedAt: finishedAt, finishedAt, state: "finished" });
    await table.putOperation(key, { ...late, outcome: "done" });
    let at = Date.parse(now);
    const figures = createFigures(table, () => new Date(at));
    const done = async () => (await figures()).past.reduce((sum, { outcomes }) => sum + (outcomes.done ?? 0), 0);
    const before = await done();
    await table.markPublished(key, { ...late, outcome: "done" });
    at += 600_000;
    expect(await done()).toBe(before + 1);
  });
});
