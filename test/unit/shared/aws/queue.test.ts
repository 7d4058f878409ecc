import type { SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { returnSoonTo, sendTo } from "../../../../shared/aws/queue.ts";

const clientThat = (answer: (input: Record<string, unknown>) => object) =>
  ({ send: async ({ input }: { input: Record<string, unknown> }) => answer(input) }) as unknown as SQSClient;

test("sending fails if the queue refuses one message of the batch", async () => {
  const client = clientThat(() => ({ Failed: [{ Id: "0", Code: "InternalError", Message: "try again" }] }));
  const send = sendTo(client, "url");
  await expect(
    send([{ message: { key: "subscription#standard/1", kind: "wake" }, deduplicationId: "" }]),
  ).rejects.toThrow("InternalError try again");
});

test("a failed message returns after 30 seconds, then after longer, at most after 15 minutes", async () => {
  const seen: unknown[] = [];
  const returnSoon = returnSoonTo(
    clientThat(({ VisibilityTimeout }) => [seen.push(VisibilityTimeout)]),
    "url",
  );
  for (const times of [1, 2, 5, 20]) await returnSoon("receipt", times);
  expect(seen).toEqual([30, 60, 480, 900]);
});
