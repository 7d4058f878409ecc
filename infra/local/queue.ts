import { SQSClient } from "@aws-sdk/client-sqs";
import { startFauxqs } from "fauxqs";
import type { LocalAws } from "./aws.ts";
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
  const { queueArn } = server.createQueue(deadLetters, { attributes: { FifoQueue: "true" } });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn, maxReceiveCount: 20 });
  const attributes = { FifoQueue: "true", VisibilityTimeout: String(visibilitySeconds), RedrivePolicy };
  const { queueUrl } = server.createQueue(name, { attributes });
  const client = new SQSClient({ ...aws, endpoint: server.address });
  return {
    client,
    url: queueUrl,
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
