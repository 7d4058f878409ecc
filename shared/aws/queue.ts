import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { digestOf } from "../digest.ts";
import type { Outgoing, Send } from "../intake/message.ts";

const maxBatchEntries = 10;
/** The limit of SQS for one request is 1 MiB, all messages together. */
const maxRequestBytes = 1_000_000;

/** Each key is a message group: its messages arrive in order and one at a time, and a stuck key does not delay others. */
export const sendTo =
  (client: Pick<SQSClient, "send">, url: string): Send =>
  async (messages) => {
    for (const batch of batches(messages.map(entryOf))) {
      const Entries = batch.map((entry, i) => ({ ...entry, Id: String(i) }));
      const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      const [first] = Failed;
      if (first)
        throw new Error(
          `the queue refused ${Failed.length} of ${batch.length} messages: ${first.Code} ${first.Message}`,
        );
    }
  };

/** @param attempts how many times the message has been received */
export type ReturnSoon = (receiptHandle: string, attempts: number) => Promise<void>;

const minReturnSeconds = 30;
const maxReturnSeconds = 900;

/**
 * Returns a failed message to the queue sooner than its visibility timeout, which would block its group for long. The
 * delay doubles with each attempt, so that an outage of minutes does not use up the message's attempts.
 */
export const returnSoonTo =
  (client: Pick<SQSClient, "send">, url: string): ReturnSoon =>
  async (ReceiptHandle, attempts) => {
    const VisibilityTimeout = Math.min(minReturnSeconds * 2 ** (attempts - 1), maxReturnSeconds);
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }));
  };

/** SQS rejects U+FFFE and U+FFFF, and its emulator all characters beyond U+FFFF. JSON does not escape any of them. */
const rejectedCharacters = /[\uD800-\uDFFF\uFFFE\uFFFF]/g;

const entryOf = ({ message, deduplicationId }: Outgoing): Omit<SendMessageBatchRequestEntry, "Id"> => ({
  MessageBody: JSON.stringify(message).replace(
    rejectedCharacters,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  ),
  MessageGroupId: digestOf(message.key),
  MessageDeduplicationId: digestOf(message.key, message.kind, deduplicationId),
});

function batches<T extends { MessageBody: string | undefined }>(entries: readonly T[]): T[][] {
  const all: T[][] = [];
  let room = 0;
  for (const entry of entries) {
    const size = Buffer.byteLength(entry.MessageBody ?? "");
    const last = all.at(-1);
    if (last && last.length < maxBatchEntries && size <= room) last.push(entry);
    else {
      all.push([entry]);
      room = maxRequestBytes;
    }
    room -= size;
  }
  return all;
}
