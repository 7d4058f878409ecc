import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalQueue, startQueue } from "../../infra/local/queue.ts";
import { type Send, sendTo } from "../../shared/aws/queue.ts";
import type { Message } from "../../shared/message.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
let queue: LocalQueue;
let send: Send;
beforeAll(async () => {
  queue = await startQueue(aws);
  send = sendTo(queue.client, queue.url);
});
afterAll(() => queue.stop());

const wake = (id: string): Message => ({ key: `subscription#standard/${id}`, kind: "wake" });

async function receive(): Promise<{ group: string | undefined; key: string }[]> {
  const { Messages = [] } = await queue.client.send(
    new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"] }),
  );
  return Messages.map(({ Body, Attributes }) => ({
    group: Attributes?.MessageGroupId,
    key: (JSON.parse(Body ?? "") as Message).key,
  }));
}

test("a message of the same key and word is one for five minutes, another word is another", async () => {
  await send([{ message: wake("a"), once: "due 1" }]);
  await send([{ message: wake("a"), once: "due 1" }]);
  await send([{ message: wake("b"), once: "due 1" }]);
  expect((await receive()).map(({ key }) => key)).toEqual(["subscription#standard/a", "subscription#standard/b"]);
});

test("each key is a group of its own, which holds any characters", async () => {
  await send([{ message: wake("a b/ü"), once: "1" }]);
  await send([{ message: wake("c"), once: "1" }]);
  const groups = (await receive()).map(({ group }) => group);
  expect(new Set(groups).size).toBe(2);
  for (const group of groups) expect(group).toMatch(/^[0-9a-f]{64}$/);
});

test("a message holds any characters, those too that SQS refuses", async () => {
  const id = "\0\t\u007f\uffff\ufffe\ufffd\ud800\u{1f600}";
  await send([{ message: wake(id), once: "1" }]);
  expect((await receive()).map(({ key }) => key)).toEqual([`subscription#standard/${id}`]);
});

test("many and large messages are sent in requests that SQS takes", async () => {
  const before = queue.size();
  const body = "x".repeat(400_000);
  const large = (id: string): Message => ({
    ...wake(id),
    kind: "ignored",
    reason: "large",
    received: { id, type: "t", occurredAt: "", receivedAt: "", body },
  });
  const messages = [...Array.from({ length: 23 }, (_, i) => wake(`many-${i}`)), large("l1"), large("l2"), large("l3")];
  await send(messages.map((message) => ({ message, once: "1" })));
  expect(queue.size() - before).toBe(messages.length);
});
