import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message as Received,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startQueue } from "../../local/queue.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import type { Message, Send } from "../../shared/intake/message.ts";
import { MemoryQueue } from "../simulation/memory-queue.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
type Backend = { client: Pick<SQSClient, "send">; url: string; size: () => number; stop: () => Promise<void> };

const startMemory = async (): Promise<Backend> => {
  const queue = new MemoryQueue({ now: Date.now, visibilitySeconds: 300, maxReceiveCount: 20 });
  return { client: queue.client, url: "", size: () => queue.size(), stop: async () => {} };
};

describe.each<{ name: string; start: () => Promise<Backend> }>([
  { name: "fauxqs", start: () => startQueue(aws) },
  { name: "the simulation's SQS", start: startMemory },
])("the queue on $name", ({ start }) => {
  let queue: Backend;
  let send: Send;
  beforeAll(async () => {
    queue = await start();
    send = sendTo(queue.client, queue.url);
  });
  afterEach(async () => {
    for (let received = await receive(); received.length > 0; received = await receive()) await remove(...received);
  });
  afterAll(() => queue.stop());

  const wake = (id: string): Message => ({ key: `subscription#standard/${id}`, kind: "wake" });
  const keyOf = ({ Body }: Received): string => (JSON.parse(Body ?? "") as Message).key;

  async function receive(): Promise<Received[]> {
    const { Messages = [] } = await queue.client.send(
      new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"] }),
    );
    return Messages;
  }

  async function remove(...received: Received[]): Promise<void> {
    for (const { ReceiptHandle } of received) {
      await queue.client.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle }));
    }
  }

  const returnAfter = ({ ReceiptHandle }: Received, VisibilityTimeout: number) =>
    queue.client.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout }));

  test("a message with the same key and deduplication id is dropped for five minutes", async () => {
    await send([{ message: wake("a"), deduplicationId: "due 1" }]);
    await send([{ message: wake("a"), deduplicationId: "due 1" }]);
    await send([{ message: wake("b"), deduplicationId: "due 1" }]);
    const received = await receive();
    expect(received.map(keyOf)).toEqual(["subscription#standard/a", "subscription#standard/b"]);
    await remove(...received);
    await send([{ message: wake("a"), deduplicationId: "due 1" }]);
    expect(await receive()).toEqual([]);
    await send([{ message: wake("a"), deduplicationId: "due 2" }]);
    expect(await receive()).toHaveLength(1);
  });

  test("each key is a message group, with any characters", async () => {
    await send([{ message: wake("a b/ü"), deduplicationId: "1" }]);
    await send([{ message: wake("c"), deduplicationId: "1" }]);
    const groups = (await receive()).map(({ Attributes }) => Attributes?.MessageGroupId);
    expect(new Set(groups).size).toBe(2);
    for (const group of groups) expect(group).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a message can contain any characters, even those that SQS rejects", async () => {
    const id = "\0\t\u007f\uffff\ufffe\ufffd\ud800\u{1f600}";
    await send([{ message: wake(id), deduplicationId: "1" }]);
    expect((await receive()).map(keyOf)).toEqual([`subscription#standard/${id}`]);
  });

  test("a group waits while one of its messages is in flight, then continues in order and counts attempts", async () => {
    await send([{ message: wake("blocked"), deduplicationId: "1" }]);
    const [first] = (await receive()) as [Received];
    expect(first.Attributes?.ApproximateReceiveCount).toBe("1");
    await send([{ message: wake("blocked"), deduplicationId: "2" }]);
    await send([{ message: wake("free"), deduplicationId: "1" }]);
    const others = await receive();
    expect(others.map(keyOf)).toEqual(["subscription#standard/free"]);
    await returnAfter(first, 0);
    const again = await receive();
    expect(again[0]).toMatchObject({ MessageId: first.MessageId, Attributes: { ApproximateReceiveCount: "2" } });
    // The receipt of the earlier delivery is no longer valid.
    await remove(first).catch(() => {});
    await expect(returnSoonTo(queue.client, queue.url)(first.ReceiptHandle ?? "", 1)).rejects.toThrow();
    for (const received of again) await returnAfter(received, 0);
    expect((await receive())[0]).toMatchObject({ MessageId: first.MessageId });
  });

  test("a message that failed twenty times is not delivered again", async () => {
    await send([{ message: wake("fails"), deduplicationId: "1" }]);
    for (let attempts = 1; attempts <= 20; attempts++) {
      const [received] = (await receive()) as [Received];
      expect(received.Attributes?.ApproximateReceiveCount).toBe(String(attempts));
      await returnAfter(received, 0);
    }
    expect(await receive()).toEqual([]);
  });

  test("many and large messages are sent in requests within the limits of SQS", async () => {
    const before = queue.size();
    const body = "x".repeat(400_000);
    const large = (id: string): Message => ({
      ...wake(id),
      kind: "ignored",
      reason: "large",
      received: { id, type: "t", occurredAt: "", receivedAt: "", body },
    });
    const messages = [
      ...Array.from({ length: 23 }, (_, i) => wake(`many-${i}`)),
      large("l1"),
      large("l2"),
      large("l3"),
    ];
    await send(messages.map((message) => ({ message, deduplicationId: "1" })));
    expect(queue.size() - before).toBe(messages.length);
  });
});
