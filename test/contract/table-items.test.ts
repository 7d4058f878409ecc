import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableName } from "../../local/table.ts";
import { NewerItem, schema } from "../../shared/aws/items.ts";
import type { StoredItem } from "../../shared/aws/scan-all.ts";
import { createTable, type Table } from "../../shared/aws/table.ts";
import type { Key, Received } from "../../shared/intake/message.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { type Backend, tables } from "../support/tables.ts";

const now = "2026-11-23T08:00:00.000Z";
const later = "2026-11-23T09:00:00.000Z";
let keys = 0;
const newKey = (): Key => `subscription#standard/${++keys}`;
const received: Received = { id: "a", type: "payment.succeeded", occurredAt: now, receivedAt: now, body: "{}" };

describe.each(tables)("the table on $name", ({ start, runs }) => {
  let backend: Backend;
  let table: Table;
  beforeAll(async () => {
    if (!runs) return;
    backend = await start();
    table = createTable(backend.client, tableName);
  }, 60_000);
  afterAll(() => backend?.stop());
  const it = test.runIf(runs);

  it("rejects items with a newer schema and names them", async () => {
    const newer = async (pk: string, sk: string) => {
      const Item = { pk: { S: pk }, sk: { S: sk }, schema: { N: String(schema + 1) }, field: { S: "unknown" } };
      await backend.client.send(new PutItemCommand({ TableName: tableName, Item }));
    };
    const [key, other] = [newKey(), newKey()];
    await table.putEvent(other, received, [], { status: "applied" });
    await newer(other, "event#2027");
    await newer(key, "state");
    await newer("control", "balance");
    const message = `${key} state was stored as schema ${schema + 1}, but this version supports schemas up to ${schema}`;
    await expect(table.load(key)).rejects.toThrow(message);
    await expect(table.load(key)).rejects.toThrow(NewerItem);
    await expect(table.events(other)).rejects.toThrow(NewerItem);
    await expect(table.balance()).rejects.toThrow(NewerItem);
    const everywhere = [table.subscriptions, table.scanAll].map(async (read) => {
      for (let page = await read(); page.next; page = await read(page.next));
    });
    for (const read of everywhere) await expect(read).rejects.toThrow(NewerItem);
    for (const [pk, sk] of [
      [other, "event#2027"],
      [key, "state"],
      ["control", "balance"],
    ]) {
      const Key = { pk: { S: pk ?? "" }, sk: { S: sk ?? "" } };
      await backend.client.send(new DeleteItemCommand({ TableName: tableName, Key }));
    }
  });

  it("scans all items of subscriptions, references, and events, page by page, and no others", async () => {
    const [key, reference] = [newKey(), `reference#standard/${++keys}` as Key];
    await table.save(key, { subscription: newSubscription("standard", "1"), version: 0, due: later });
    await table.putEvent(key, received, [], { status: "ignored", reason: "it changes nothing" });
    await table.putLink(reference, key);
    await table.setHalt({ since: now, reason: "a test" });
    const all: StoredItem[] = [];
    let page: Awaited<ReturnType<Table["scanAll"]>> | undefined;
    do {
      page = await table.scanAll(page?.next);
      all.push(...page.found);
    } while (page.next);
    await table.liftHalt();
    expect(all.filter((one) => one.key === key || one.key === reference)).toEqual(
      expect.arrayContaining([
        { key, kind: "subscription", version: 1, subscription: newSubscription("standard", "1") },
        {
          key,
          kind: "event",
          event: { received, events: [], status: "ignored", reason: "it changes nothing" },
        },
        { key: reference, kind: "link", to: key },
      ]),
    );
    expect(all.filter((one) => !/^(subscription|reference|event)#/.test(one.key))).toEqual([]);
  });
});
