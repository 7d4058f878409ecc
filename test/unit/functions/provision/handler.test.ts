import type { SQSEvent } from "aws-lambda";
import { beforeEach, describe, expect, test } from "vitest";
import { createHandler } from "../../../../functions/provision/handler.ts";
import type { Table } from "../../../../shared/aws/table.ts";
import type { Key, Message } from "../../../../shared/intake/message.ts";
import { dependenciesOf } from "../../../support/dependencies.ts";

describe("provision handles a batch:", () => {
  const asked: string[] = [];
  const returned: string[] = [];
  beforeEach(() => {
    asked.length = 0;
    returned.length = 0;
  });
  /** A table that is down for one subscription, and slow for another. */
  const table: Partial<Table> = {
    load: async (key: Key) => {
      asked.push(key);
      if (key.endsWith("/down")) throw new Error("the table is down");
      if (key.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 30));
      asked.push(`${key} done`);
      return undefined;
    },
    save: async (_, stored) => stored,
  };
  const deps = dependenciesOf({ table, returnSoon: async (receipt) => void returned.push(receipt) });
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
    const handler = createHandler({ ...deps, log: { ...deps.log, error } });
    const { batchItemFailures } = await handler({ Records: [{ ...record("1", "odd"), body }] } as SQSEvent, context);
    expect(batchItemFailures).toEqual([{ itemIdentifier: "1" }]);
    expect(returned).toEqual(["receipt of 1"]);
    expect(JSON.stringify(lines)).toContain("this version knows no message of the kind");
  });
});
