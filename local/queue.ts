import { ChangeMessageVisibilityCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import type { LocalAws } from "../shared/aws/local-parts.ts";
import type { QueueAddress } from "./pump.ts";

const name = "provision.fifo";
const deadLetters = "dead-letters.fifo";

export type LocalQueue = QueueAddress & {
  endpoint: string;
  /** Messages waiting or being worked on. */
  size: () => number;
  stop: () => Promise<void>;
};

/**
 * @param dataDir where messages outlive a restart; without it they are in memory
 * @param visibilitySeconds after which a message comes again whose receiver has died
 */
export async function startQueue(aws: LocalAws, dataDir?: string, visibilitySeconds = 300): Promise<LocalQueue> {
  const server = await startFauxqs({ port: 0, logger: false, ...(dataDir && { dataDir }) });
  const { arn } = queueNamed(server, deadLetters, { FifoQueue: "true" });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 20 });
  const VisibilityTimeout = String(visibilitySeconds);
  const { url } = queueNamed(server, name, { FifoQueue: "true", VisibilityTimeout, RedrivePolicy });
  const client = new SQSClient({ ...aws, endpoint: server.address });
  // Whoever was at work on these has died with the process before. Not 0 s, which fauxqs 2.4 fails at where it persists.
  const left = server.inspectQueue(name)?.messages.inflight ?? [];
  const released = left.map(({ receiptHandle: ReceiptHandle }) =>
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 1 })),
  );
  await Promise.all(released);
  return {
    client,
    url,
    endpoint: server.address,
    size: () => {
      const messages = server.inspectQueue(name)?.messages;
      return messages ? messages.ready.length + messages.inflight.length : 0;
    },
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

/** The queue of an earlier start, with its messages: creating one throws away what a queue of that name holds. */
function queueNamed(server: FauxqsServer, name: string, attributes: Record<string, string>) {
  const { url, arn } = server.inspectQueue(name) ?? {};
  // Its address is that of the port it had then.
  if (url && arn) return { url: new URL(new URL(url).pathname, server.address).href, arn };
  const { queueUrl, queueArn } = server.createQueue(name, { attributes });
  return { url: queueUrl, arn: queueArn };
}
