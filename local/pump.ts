import { DeleteMessageCommand, type Message, ReceiveMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";

export type QueueAddress = { client: SQSClient; url: string };

type Handler = (event: SQSEvent, context: Pick<Context, "getRemainingTimeInMillis">) => Promise<SQSBatchResponse>;

/**
 * Does the work of Lambda's event source mapping: receives messages one at a time, invokes the handler, and deletes each
 * message that succeeded.
 * @returns a function that stops the pump after the current messages
 */
export function pump(queue: QueueAddress, handler: Handler, timeoutMs: number, workers: number): () => Promise<void> {
  const stopping = new AbortController();
  const work = async () => {
    while (!stopping.signal.aborted) {
      const records = await receive(queue, stopping.signal);
      if (records.length === 0) continue;
      const deadline = Date.now() + timeoutMs;
      const event = { Records: records.map(recordOf) } as SQSEvent;
      const { batchItemFailures } = await handler(event, { getRemainingTimeInMillis: () => deadline - Date.now() });
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      const succeeded = records.filter(({ MessageId }) => !failed.has(MessageId ?? ""));
      // SQS delivers a message again if it could not be deleted.
      await Promise.allSettled(
        succeeded.map(({ ReceiptHandle }) =>
          queue.client.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle })),
        ),
      );
    }
  };
  const running = Promise.all(Array.from({ length: workers }, work));
  return async () => {
    stopping.abort();
    await running;
  };
}

async function receive({ client, url }: QueueAddress, abortSignal: AbortSignal): Promise<Message[]> {
  try {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: 20,
        MessageSystemAttributeNames: ["All"],
      }),
      { abortSignal },
    );
    return Messages;
  } catch {
    if (!abortSignal.aborted) await new Promise((resolve) => setTimeout(resolve, 1000));
    return [];
  }
}

const recordOf = ({ MessageId, ReceiptHandle, Body, Attributes }: Message) => ({
  messageId: MessageId,
  receiptHandle: ReceiptHandle,
  body: Body,
  attributes: Attributes,
  messageAttributes: {},
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:us-east-1:000000000000:provision.fifo",
  awsRegion: "us-east-1",
});
