import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { ReturnSoon } from "../../shared/aws/queue.ts";
import type { Message } from "../../shared/intake/message.ts";
import { type ProvisionDependencies, provision } from "./provision.ts";

type HandlerDependencies = Omit<ProvisionDependencies, "timeLeft"> & { returnSoon: ReturnSoon };

/**
 * Handles one message after another, so the function's concurrency limits the number of simultaneous calls to billmgr.
 * After a failure, the rest of the message's group returns to the queue too, as FIFO requires. The other groups
 * continue.
 */
export const createHandler =
  (deps: HandlerDependencies) =>
  async (event: SQSEvent, context: Pick<Context, "getRemainingTimeInMillis">): Promise<SQSBatchResponse> => {
    const groups = Map.groupBy(event.Records, ({ attributes, messageId }) => attributes.MessageGroupId ?? messageId);
    const timeLeft = () => context.getRemainingTimeInMillis();
    const failed: SQSRecord[] = [];
    for (const group of groups.values()) failed.push(...(await failuresOf(group, { ...deps, timeLeft })));
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };

async function failuresOf(
  group: readonly SQSRecord[],
  deps: ProvisionDependencies & HandlerDependencies,
): Promise<SQSRecord[]> {
  for (const [i, record] of group.entries()) {
    try {
      await provision(JSON.parse(record.body) as Message, deps);
    } catch (error) {
      deps.log.error("message failed, goes back to the queue", {
        messageId: record.messageId,
        reason: reasonOf(error),
      });
      const failed = group.slice(i);
      const returnSoon = ({ receiptHandle, attributes }: SQSRecord) =>
        deps.returnSoon(receiptHandle, Number(attributes.ApproximateReceiveCount ?? 1));
      await Promise.all(failed.map(returnSoon)).catch((late: unknown) =>
        deps.log.warn("message goes back late", { messageId: record.messageId, reason: reasonOf(late) }),
      );
      return failed;
    }
  }
  return [];
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
