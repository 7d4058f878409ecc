import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { digestOf } from "../digest.ts";
import type { Outgoing, Send } from "../intake/message.ts";

const maxBatchEntries = 10;
/** SQS takes 1 MiB in one request, all messages together. */
const maxRequestBytes = 1_000_000;

/** One message group a key: in order and one at a time, and one stuck subscription holds up no other. */
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

export type ReturnSoon = (receiptHandle: string, times: number) => Promise<void>;

/**
 * Half a minute, doubling up to a quarter of an hour: a message that failed would hold up its group for the queue's whole
 * visibility time, 18 minutes on AWS, and an outage of minutes must not use up the tries that it has.
 */
export const returnSoonTo =
  (client: Pick<SQSClient, "send">, url: string): ReturnSoon =>
  async (ReceiptHandle, times) => {
    const VisibilityTimeout = Math.min(30 * 2 ** (times - 1), 900);
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }));
  };

/** SQS takes no U+FFFE and U+FFFF, and its emulator nothing beyond U+FFFF; JSON leaves all of these as they are. */
const refused = /[\uD800-\uDFFF\uFFFE\uFFFF]/g;

const entryOf = ({ message, deduplicationId }: Outgoing): Omit<SendMessageBatchRequestEntry, "Id"> => ({
  MessageBody: JSON.stringify(message).replace(refused, (character) => `\\u${character.charCodeAt(0).toString(16)}`),
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
