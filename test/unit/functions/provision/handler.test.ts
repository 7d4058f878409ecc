import type { SQSEvent } from "aws-lambda";
import { beforeEach, describe, expect, test } from "vitest";
import { createHandler } from "../../../../functions/provision/handler.ts";
import { renew } from "../../../../functions/renew/renew.ts";
import type { Page } from "../../../../shared/aws/items.ts";
import { agendaShards, type Table } from "../../../../shared/aws/table.ts";
import type { Key, Message, Outgoing } from "../../../../shared/intake/message.ts";
import { noMetrics } from "../../../../shared/observability/metrics.ts";
import { testCatalog } from "../../../support/local.ts";
import { watchedLog } from "../../../support/log.ts";

const log = watchedLog();

describe("provision's batches", () => {
  const asked: string[] = [];
  const returned: string[] = [];
  beforeEach(() => {
    asked.length = 0;
    returned.length = 0;
  });
  /** A table that is down for one subscription and slow for another. */
  const table = {
    load: async (key: Key) => {
      asked.push(key);
      if (key.endsWith("/down")) throw new Error("the table is down");
      if (key.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 30));
      asked.push(`${key} done`);
      return undefined;
    },
    save: async () => true,
  } as unknown as Table;
  const deps = {
    table,
    catalog: testCatalog(),
    now: () => new Date(),
    log,
    metrics: noMetrics,
    send: async () => {},
    billmgr: {} as never,
    returnSoon: async (receipt: string) => void returned.push(receipt),
  };
  const context = { getRemainingTimeInMillis: () => 100_000 };
  const handler = createHandler(deps);
  const record = (messageId: string, id: string) => ({
    messageId,
    receiptHandle: `receipt of ${messageId}`,
    body: JSON.stringify({ key: `subscription#standard/${id}`, kind: "wake" } satisfies Message),
    attributes: { MessageGroupId: id },
  });
  const handle = (...Records: object[]) => handler({ Records } as SQSEvent, context);

  test("are handled one subscription after another, the messages of each in order", async () => {
    await handle(record("1", "slow"), record("2", "quick"), record("3", "slow"));
    const order = ["slow", "slow", "quick"].map((id) => `subscription#standard/${id}`);
    expect(asked).toEqual(order.flatMap((key) => [key, `${key} done`]));
  });

  test("return the rest of a failed message's group soon, and no other group", async () => {
    const { batchItemFailures } = await handle(record("1", "down"), record("2", "quick"), record("3", "down"));
    expect(batchItemFailures).toEqual([{ itemIdentifier: "1" }, { itemIdentifier: "3" }]);
    expect(returned).toEqual(["receipt of 1", "receipt of 3"]);
    expect(asked.filter((one) => one.includes("down"))).toHaveLength(1);
  });

  test("fail only the message that is not JSON", async () => {
    const { batchItemFailures } = await handle({ ...record("1", "odd"), body: "{" }, record("2", "quick"));
    expect(batchItemFailures).toEqual([{ itemIdentifier: "1" }]);
  });

  test.each([
    { kind: "merge", to: "subscription#standard/7" },
    { kind: "merge", received: { id: "e1", test: true } },
    {},
  ])("keep a message of an unknown kind, %j, in the queue and log it", async (odd) => {
    const lines: unknown[] = [];
    const error = (...line: unknown[]) => void lines.push(line);
    const body = JSON.stringify({ key: "subscription#standard/odd", ...odd });
    const logging = createHandler({ ...deps, log: { ...log, error } });
    const { batchItemFailures } = await logging({ Records: [{ ...record("1", "odd"), body }] } as SQSEvent, context);
    expect(batchItemFailures).toEqual([{ itemIdentifier: "1" }]);
    expect(returned).toEqual(["receipt of 1"]);
    expect(JSON.stringify(lines)).toContain("this version knows no message of the kind");
  });
});

describe("renew", () => {
  const pages = 3;
  const unparseable: Key = "event#standard/unparseable";
  const deps = (sent: Outgoing[], now: string) => ({
    table: {
      due: async (shard: number, due: string, from?: Page) => {
        const page = from ? Number(from.page?.N) : 0;
        const key: Key = `subscription#standard/${shard}-${page}`;
        return { keys: [{ key, due }], ...(page < pages - 1 && { next: { page: { N: String(page + 1) } } }) };
      },
      attention: async () => ({
        keys: ["subscription#standard/attention" as Key, unparseable].map((key) => ({ key, due: now })),
      }),
    },
    send: async (messages: readonly Outgoing[]) => void sent.push(...messages),
    now: () => new Date(now),
    log,
    metrics: noMetrics,
  });
  const quiet = "2026-11-23T08:01:00.000Z";

  test("wakes every subscription on every page of every shard once for each due time", async () => {
    const sent: Outgoing[] = [];
    expect(await renew(deps(sent, quiet), () => 60_000)).toBe(agendaShards * pages);
    expect(new Set(sent.map(({ message }) => message.key)).size).toBe(agendaShards * pages);
    expect(sent.every(({ message, deduplicationId }) => message.kind === "wake" && deduplicationId === quiet)).toBe(
      true,
    );
  });

  test("stops before the time runs out, and leaves the rest to the next run", async () => {
    const sent: Outgoing[] = [];
    expect(await renew(deps(sent, quiet), () => 4_000)).toBe(agendaShards);
  });

  test("wakes the subscriptions that need attention every ten minutes", async () => {
    const sent: Outgoing[] = [];
    await renew(deps(sent, "2026-11-23T08:20:30.000Z"), () => 60_000);
    const attention = sent.filter(({ message }) => !/\d-\d$/.test(message.key));
    expect(attention).toEqual([
      { message: { key: "subscription#standard/attention", kind: "wake" }, deduplicationId: "2026-11-23T08:20" },
    ]);
  });
});
