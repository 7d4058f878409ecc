import { ScanCommand, type ScanCommandOutput } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableName } from "../../local/table.ts";
import { agendaShards, createTable, type Table } from "../../shared/aws/table.ts";
import type { Key, Received } from "../../shared/intake/message.ts";
import { type Operation, referenceOf } from "../../shared/licensing/operation.ts";
import type { Attention } from "../../shared/licensing/subscription.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { type Backend, tables } from "../support/tables.ts";

const now = "2026-11-23T08:00:00.000Z";
const later = "2026-11-23T09:00:00.000Z";
let keys = 0;
const newKey = (): Key => `subscription#standard/${++keys}`;
const receivedAs = (id: string, occurredAt = now): Received => ({
  id,
  type: "payment.succeeded",
  occurredAt,
  receivedAt: now,
  body: "{}",
});

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

  it("loads nothing before the first save, and then exactly what was saved", async () => {
    const key = newKey();
    expect(await table.load(key)).toBeUndefined();
    const subscription = {
      ...newSubscription("standard", "1"),
      failures: [now],
      email: { value: "", at: now, event: "e" },
      slots: [
        {
          n: 1,
          generation: 1,
          product: "vm",
          plan: "p",
          license: { elid: "5", family: "platform", trial: false, suspended: false, addons: { 55165: 0 } },
        },
      ],
    };
    const saved = await table.save(key, { subscription, version: 0, due: later });
    expect(saved).toMatchObject({ subscription, version: 1, due: later });
    // The stored state contains the new search terms only after its next save.
    expect(await table.load(key)).toEqual({ ...saved, searchTerms: [] });
  });

  it("saves only over the version that was loaded", async () => {
    const key = newKey();
    const subscription = newSubscription("standard", "1");
    expect(await table.save(key, { subscription, version: 0 })).toBeDefined();
    expect(await table.save(key, { subscription, version: 0 })).toBeUndefined();
    expect(await table.save(key, { subscription, version: 2 })).toBeUndefined();
    expect(await table.save(key, { subscription, version: 1 })).toBeDefined();
  });

  it("lets one of many concurrent workers save a version", async () => {
    const key = newKey();
    const subscription = newSubscription("standard", "1");
    await table.save(key, { subscription, version: 0 });
    const saved = await Promise.all(Array.from({ length: 20 }, () => table.save(key, { subscription, version: 1 })));
    expect(saved.filter(Boolean)).toHaveLength(1);
  });

  it("lists what is due, and nothing that is later, settled, or needs attention", async () => {
    const subscription = newSubscription("standard", "1");
    const due = Array.from({ length: 30 }, newKey);
    for (const key of due) await table.save(key, { subscription, version: 0, due: now });
    await table.save(newKey(), { subscription, version: 0, due: later });
    const attention: Attention[] = [{ reason: { code: "plan_not_stated" }, since: now }];
    await table.save(newKey(), { subscription: { ...subscription, attention }, version: 0 });
    await table.save(newKey(), { subscription, version: 0 });
    const listed = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.due(shard, now)));
    expect(listed.flatMap(({ keys }) => keys.map(({ key }) => key)).sort()).toEqual([...due].sort());
    expect(listed.filter(({ keys }) => keys.length > 0).length).toBeGreaterThan(1);
    expect((await table.attention()).keys).toMatchObject([{ since: now, codes: ["plan_not_stated"] }]);
    for (const key of due) await table.save(key, { subscription, version: 1 });
    const again = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.due(shard, now)));
    expect(again.flatMap(({ keys }) => keys)).toEqual([]);
  });

  it("keeps an event as it was first received", async () => {
    const key = newKey();
    await table.putEvent(key, receivedAs("b", later), [], { status: "applied" });
    await table.putEvent(key, receivedAs("a"), [], { status: "applied" });
    await table.putEvent(key, { ...receivedAs("a"), body: "another" }, [], { status: "ignored", reason: "second" });
    const stored = await table.events(key);
    expect(stored.map(({ received }) => [received.id, received.body])).toEqual([
      ["a", "{}"],
      ["b", "{}"],
    ]);
  });

  it("resolves an event, and reports an unknown one", async () => {
    const key: Key = "event#standard/odd";
    const resolution = { as: "replayed" as const, at: later, why: "as payment.failed" };
    const events = [{ id: "odd", occurredAt: now, type: "payment.failed" as const }];
    expect(await table.resolveEvent(key, receivedAs("odd"), events, resolution)).toBe(false);
    await table.putEvent(key, receivedAs("odd"), [], { status: "unparseable", reason: "no plan" });
    const attention = async () => (await table.attention()).keys.map((one) => one.key);
    expect(await attention()).toContain(key);
    expect(await table.resolveEvent(key, receivedAs("odd"), events, resolution)).toBe(true);
    expect(await attention()).not.toContain(key);
    expect(await table.events(key)).toEqual([
      { received: receivedAs("odd"), events, status: "unparseable", reason: "no plan", resolution },
    ]);
  });

  it("lists every subscription, page by page, and nothing else", async () => {
    const saved = Array.from({ length: 12 }, newKey);
    // A page ends at 1 MiB: these take two.
    const subscription = { ...newSubscription("standard", "1"), failures: Array<string>(4000).fill(now) };
    for (const key of saved) await table.save(key, { subscription, version: 0 });
    await table.putEvent(saved[0] ?? newKey(), receivedAs("an event"), [], { status: "applied" });
    const found: Key[] = [];
    let pages = 0;
    let page: Awaited<ReturnType<Table["subscriptions"]>> | undefined;
    do {
      page = await table.subscriptions(page?.next);
      found.push(...page.found.map(({ key }) => key));
      pages++;
    } while (page.next);
    expect(pages).toBeGreaterThan(1);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toEqual(expect.arrayContaining(saved));
    expect(found.filter((key) => !key.startsWith("subscription#"))).toEqual([]);
  });

  it("stores an event of 300 KiB", async () => {
    const key = newKey();
    const body = "x".repeat(300 * 1024);
    await table.putEvent(key, { ...receivedAs("large"), body }, [], { status: "applied" });
    expect((await table.events(key))[0]?.received.body).toHaveLength(body.length);
  });

  it("overwrites an operation with its later state", async () => {
    const operation: Operation = {
      n: 1,
      change: { kind: "delete", slot: 1, elid: "5", family: "platform" },
      why: "ended",
      before: {},
      state: "finished",
      claimedAt: now,
      observations: [],
    };
    const key = newKey();
    await table.putOperation(key, operation);
    await table.putOperation(key, { ...operation, outcome: "done" });
    expect(await table.operations(key)).toEqual([{ ...operation, outcome: "done" }]);
  });

  it("never replaces a logged call by another operation with the same number", async () => {
    const key = newKey();
    const change = { kind: "suspend", slot: 1, elid: "1", family: "platform" } as const;
    const already: Operation = {
      n: 2,
      change,
      why: "paused",
      before: {},
      state: "finished",
      outcome: "already_done",
      claimedAt: later,
      observations: [],
    };
    const called: Operation = { ...already, claimedAt: now, outcome: "done", attempt: { startedAt: now, params: {} } };
    await table.putOperation(key, already);
    await table.putOperation(key, called);
    expect(await table.operations(key)).toEqual([called]);
    await table.putOperation(key, already);
    expect(await table.operations(key)).toEqual([called]);
  });

  it("adds a completed operation to the journal once it is published, and a refused one immediately", async () => {
    const suspended: Operation = {
      n: 1,
      change: { kind: "suspend", slot: 1, elid: "1", family: "platform" },
      why: "paused",
      before: {},
      state: "finished",
      outcome: "done",
      claimedAt: now,
      finishedAt: later,
      observations: [],
    };
    const refused: Operation = { ...suspended, n: 2, outcome: "refused", finishedAt: "2026-11-23T09:30:00.000Z" };
    const key = newKey();
    await table.putOperation(key, suspended);
    await table.putOperation(key, refused);
    const unpublished = async () => {
      const shards = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.unpublished(shard)));
      return shards.flatMap(({ operations }) => operations).filter((one) => one.key === key);
    };
    const journal = async () => (await table.journal("2026-11-23")).entries.filter((one) => one.key === key);
    expect(await unpublished()).toEqual([{ key, n: 1 }]);
    expect(await journal()).toEqual([{ key, n: 2, at: refused.finishedAt, kind: "suspend", outcome: "refused" }]);
    await table.markPublished(key, { ...suspended, secondsFromPayment: 12 });
    expect(await unpublished()).toEqual([]);
    const entry = { key, n: 1, at: later, kind: "suspend", outcome: "done", seconds: 12 };
    expect(await journal()).toMatchObject([{ n: 2 }, entry]);
    expect((await table.journal("2026-11-22")).entries).toEqual([]);
    expect(await table.operation(key, 1)).toEqual(suspended);
    expect(await table.operation(key, 3)).toBeUndefined();
  });

  it("finds a subscription by its current and former id, customer, address, license, and reference", async () => {
    const key: Key = "subscription#standard/Sub_42";
    const registerOf = (value: string) => ({ value, at: now, event: "e" });
    const subscription = {
      ...newSubscription("standard", "Sub_42"),
      customerId: registerOf("cus_9"),
      email: registerOf("Ann@Example.com"),
    };
    const saved = await table.save(key, { subscription, version: 0 });
    expect(saved).toBeDefined();
    const license = { elid: "334673", family: "platform", trial: false, suspended: false, addons: {} };
    const slots = [{ n: 1, generation: 1, product: "vm", plan: "p", license }];
    const moved = { ...subscription, email: registerOf("ann@example.net"), slots };
    await table.save(key, { version: 0, ...saved, subscription: moved });
    const reference = referenceOf(subscription, { n: 3, generation: 2 });
    const texts = ["sub_42", "CUS_9", "ann@example.com", " ann@example.net ", "334673", reference];
    for (const text of texts) expect(await table.find(text)).toEqual([key]);
    for (const text of ["sub_4", "example.com", "33467", "", "bw-0"]) expect(await table.find(text)).toEqual([]);
  });

  it("writes each search term once", async () => {
    const key = newKey();
    const subscription = newSubscription("standard", key);
    const saved = await table.save(key, { subscription, version: 0 });
    expect(saved?.searchTerms).toHaveLength(2);
    expect((await table.save(key, { version: 0, ...saved, subscription }))?.searchTerms).toEqual(saved?.searchTerms);
  });

  it("remembers which attention items were published", async () => {
    const key = newKey();
    expect(await table.isAttentionPublished(key, now)).toBe(false);
    await table.markAttentionPublished(key, now);
    expect(await table.isAttentionPublished(key, now)).toBe(true);
    expect(await table.isAttentionPublished(key, later)).toBe(false);
  });

  it("remembers links, some known licenses of each family, and the first halt until it is lifted", async () => {
    const key: Key = "reference#stripe/pi_1";
    expect(await table.link(key)).toBeUndefined();
    await table.putLink(key, "reference#stripe/in_1");
    expect(await table.link(key)).toBe("reference#stripe/in_1");
    expect(await table.knownLicenses("platform")).toEqual([]);
    for (let i = 0; i < 50; i++) await table.addKnownLicense("platform", { elid: String(i), reference: `bw-${i}` });
    expect(await table.knownLicenses("platform")).toHaveLength(5);
    expect(await table.knownLicenses("platform")).toContainEqual({ elid: "49", reference: "bw-49" });
    expect(await table.knownLicenses("soft")).toEqual([]);
    expect(await table.halt()).toBeUndefined();
    await table.setHalt({ since: now, reason: "first" });
    await table.setHalt({ since: later, reason: "second" });
    expect(await table.halt()).toMatchObject({ since: now, reason: "first" });
    await table.liftHalt();
    expect(await table.halt()).toBeUndefined();
  });

  it("remembers the balance as last read", async () => {
    expect(await table.balance()).toBeUndefined();
    const read = { amount: 91.5, currency: "EUR", at: now, low: true };
    await table.putBalance({ ...read, amount: 110, low: false });
    await table.putBalance(read);
    expect(await table.balance()).toEqual(read);
  });

  it("stores the schema with each item", async () => {
    const key = newKey();
    await table.save(key, { subscription: newSubscription("standard", "1"), version: 0 });
    await table.putBalance({ amount: 1, currency: "EUR", at: now, low: false });
    await table.takeOrder("2027-01-01T00:00:00.000Z", { ordersPerHour: 1, ordersPerDay: 1 });
    const scanned = await backend.client.send(new ScanCommand({ TableName: tableName }) as never);
    const { Items = [] } = scanned as unknown as ScanCommandOutput;
    expect(Items.filter(({ schema }) => schema?.N !== "1")).toEqual([]);
  });

  it("counts orders up to the limit, however many workers count at the same time", async () => {
    const limits = { ordersPerHour: 7, ordersPerDay: 9 };
    const take = (at: string) => table.takeOrder(at, limits);
    const first = await Promise.all(Array.from({ length: 30 }, () => take(now)));
    expect(first.filter((taken) => taken === true)).toHaveLength(7);
    expect(first.find((taken) => taken !== true)).toBe("7 orders per hour");
    const second = await Promise.all(Array.from({ length: 30 }, () => take(later)));
    expect(second.filter((taken) => taken === true)).toHaveLength(2);
    expect(await take("2026-11-24T00:00:00.000Z")).toBe(true);
    expect(await table.ordersTaken(later)).toEqual({ hour: 7, day: 9 });
    expect(await table.ordersTaken("2026-11-25T00:00:00.000Z")).toEqual({ hour: 0, day: 0 });
  });
});
