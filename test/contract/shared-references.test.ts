import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableName } from "../../local/table.ts";
import { agendaShards, createTable, type Table } from "../../shared/aws/table.ts";
import type { Key } from "../../shared/intake/message.ts";
import { type Backend, tables } from "../support/tables.ts";

const at = (minute: number) => `2026-11-23T08:0${minute}:00.000Z`;
let keys = 0;
const newKey = (): Key => `reference#shopify/order ${++keys}`;

describe.each(tables)("a shared reference in the table on $name", ({ start, runs }) => {
  let backend: Backend;
  let table: Table;
  beforeAll(async () => {
    if (!runs) return;
    backend = await start();
    table = createTable(backend.client, tableName);
  }, 60_000);
  afterAll(() => backend?.stop());
  const it = test.runIf(runs);

  const dueUntil = async (until: string) => {
    const shards = Array.from({ length: agendaShards }, (_, shard) => table.due(shard, until));
    return (await Promise.all(shards)).flatMap(({ keys }) => keys);
  };

  it("has sharers in the order of their links, each as it was linked first", async () => {
    const key = newKey();
    expect(await table.sharers(key)).toEqual([]);
    await table.putSharer(key, { to: "subscription#shopify/9", months: 12 }, at(1));
    await table.putSharer(key, { to: "subscription#shopify/2" }, at(2));
    await table.putSharer(key, { to: "subscription#shopify/3", months: 1 }, at(2));
    await table.putSharer(key, { to: "subscription#shopify/9", months: 1 }, at(3));
    expect(await table.sharers(key)).toEqual([
      { to: "subscription#shopify/9", months: 12 },
      { to: "subscription#shopify/2" },
      { to: "subscription#shopify/3", months: 1 },
    ]);
  });

  it("keeps the owner of a line", async () => {
    const key = newKey();
    await table.putLineOwner(key, "sku:a#b", "subscription#shopify/1");
    await table.putLineOwner(key, "sku:a#b", "subscription#shopify/2");
    await table.putLineOwner(key, "", "subscription#shopify/2");
    expect(await table.lineOwners(key)).toEqual({ "sku:a#b": "subscription#shopify/1", "": "subscription#shopify/2" });
  });

  it("is checked once", async () => {
    const key = newKey();
    expect(await table.checkDue(key)).toBeUndefined();
    await table.finishCheck(key);
    await table.putCheck(key, at(4));
    await table.putCheck(key, at(5));
    expect(await table.checkDue(key)).toBe(at(4));
    expect(await dueUntil(at(4))).toContainEqual({ key, due: at(4) });
    await table.finishCheck(key);
    await table.putCheck(key, at(6));
    expect(await table.checkDue(key)).toBeUndefined();
    expect(await dueUntil(at(9))).not.toContainEqual(expect.objectContaining({ key }));
  });

  it("is exported with its sharers and the owners of its lines", async () => {
    const key = newKey();
    await table.putSharer(key, { to: "subscription#shopify/1", months: 12 }, at(1));
    await table.putLineOwner(key, "4711", "subscription#shopify/1");
    await table.putCheck(key, at(4));
    const exported = [];
    for (let page = await table.scanAll(); ; page = await table.scanAll(page.next)) {
      exported.push(...page.found.filter((item) => item.key === key));
      if (!page.next) break;
    }
    expect(exported).toEqual([
      { key, kind: "line", line: "4711", to: "subscription#shopify/1" },
      { key, kind: "sharer", to: "subscription#shopify/1", months: 12 },
    ]);
  });
});
