import { ChangeMessageVisibilityCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import type { LocalAws } from "../shared/aws/local-parts.ts";
import type { QueueAddress } from "./pump.ts";

const queueName = "provision.fifo";
const deadLettersName = "dead-letters.fifo";

export type LocalQueue = QueueAddress & {
  endpoint: string;
  /** The number of messages that wait or are in flight. */
  size: () => number;
  stop: () => Promise<void>;
};

/**
 * Starts an emulator of SQS with the queue and its dead-letter queue.
 * @param dataDir keeps the messages between runs; without it they are in memory
 * @param visibilitySeconds the time after which a message is delivered again if its receiver died
 */
export async function startQueue(aws: LocalAws, dataDir?: string, visibilitySeconds = 300): Promise<LocalQueue> {
  const server = await startFauxqs({ port: 0, logger: false, ...(dataDir && { dataDir }) });
  const { arn } = openQueue(server, deadLettersName, { FifoQueue: "true" });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 20 });
  const VisibilityTimeout = String(visibilitySeconds);
  const { url } = openQueue(server, queueName, { FifoQueue: "true", VisibilityTimeout, RedrivePolicy });
  const client = new SQSClient({ ...aws, endpoint: server.address });
  // The receivers of these messages died with the previous process. fauxqs 2.4 fails at 0 s with persistence, so 1 s.
  const abandoned = server.inspectQueue(queueName)?.messages.inflight ?? [];
  await Promise.all(
    abandoned.map(({ receiptHandle: ReceiptHandle }) =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 1 })),
    ),
  );
  return {
    client,
    url,
    endpoint: server.address,
    size: () => {
      const messages = server.inspectQueue(queueName)?.messages;
      return messages ? messages.ready.length + messages.inflight.length : 0;
    },
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

/** Opens the queue of an earlier run, or creates one. Creating a queue again would discard its messages. */
function openQueue(server: FauxqsServer, name: string, attributes: Record<string, string>) {
  const { url, arn } = server.inspectQueue(name) ?? {};
  // The stored URL contains the port of the earlier run.
  if (url && arn) return { url: new URL(new URL(url).pathname, server.address).href, arn };
  const { queueUrl, queueArn } = server.createQueue(name, { attributes });
  return { url: queueUrl, arn: queueArn };
}
