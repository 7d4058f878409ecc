import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { Message } from "../../shared/message.ts";
import { provision, type World } from "./provision.ts";

/**
 * Groups side by side, each in order. After a failure the rest of its group goes back to the queue too, as FIFO asks;
 * the other groups go on.
 */
export const createHandler =
  (world: Omit<World, "timeLeft">) =>
  async (event: SQSEvent, context: Pick<Context, "getRemainingTimeInMillis">): Promise<SQSBatchResponse> => {
    const groups = Map.groupBy(event.Records, ({ attributes, messageId }) => attributes.MessageGroupId ?? messageId);
    const timeLeft = () => context.getRemainingTimeInMillis();
    const failed = await Promise.all([...groups.values()].map((group) => failuresOf(group, { ...world, timeLeft })));
    return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
  };

async function failuresOf(group: readonly SQSRecord[], world: World): Promise<string[]> {
  for (const [i, record] of group.entries()) {
    try {
      await provision(JSON.parse(record.body) as Message, world);
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      world.log.error("message failed, goes back to the queue", { message: record.messageId, reason });
      return group.slice(i).map(({ messageId }) => messageId);
    }
  }
  return [];
}
