import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import type { Context, SQSRecord } from "aws-lambda";
import { requestOf } from "../../shared/billmgr/requests.ts";
import type { Message } from "../../shared/intake/message.ts";
import type { Event } from "../../shared/licensing/event.ts";
import type { Change } from "../../shared/licensing/operation.ts";
import type { Handler, Parts } from "../simulation/alteration.ts";

/** Powertools remembers a handled payment for this long. */
const rememberedSeconds = 90 * 86_400;
const timeoutMs = 60_000;

type Purchase = { payment: string; subscription: string; quantity: number };

/**
 * The usual way to buy once: Powertools makes the order idempotent by its payment id, and the queue retries the handler.
 * An order without a known success fails, and the queue delivers it again.
 */
export const usualHandler = ({ client, post, authinfo }: Parts): Handler => {
  const persistenceStore = new DynamoDBPersistenceLayer({
    tableName: "table",
    keyAttr: "pk",
    sortKeyAttr: "sk",
    awsSdkV3Client: asClient(client),
  });
  const config = new IdempotencyConfig({
    eventKeyJmesPath: "payment",
    expiresAfterSeconds: rememberedSeconds,
    throwOnNoIdempotencyKey: true,
  });

  const orderOnce = makeIdempotent(
    async ({ payment, quantity }: Purchase): Promise<{ elid: string }> => {
      const request = requestOf({ ...order, addons: { 55165: quantity } }, payment);
      const form = new URLSearchParams({ authinfo: await authinfo(), ...request });
      const sent = await post(form, timeoutMs);
      if (sent.kind !== "response") throw new Error(sent.why);
      const [, , elid] = /<(id|item\.id)>(\d+)<\/\1>/.exec(sent.body) ?? [];
      if (sent.status !== 200 || !elid || !/<ok[ />]/.test(sent.body)) throw new Error("the order failed");
      return { elid };
    },
    { persistenceStore, config },
  );

  async function take({ body }: SQSRecord): Promise<void> {
    const message = JSON.parse(body) as Message;
    if (message.kind !== "event") return;
    for (const purchase of message.events.flatMap((event) => purchaseOf(event, message.key))) {
      const { elid } = await orderOnce(purchase);
      const item = { pk: purchase.subscription, sk: "license", elid };
      await client.send(new PutItemCommand({ TableName: "table", Item: marshall(item) }));
    }
  }

  return async ({ Records }, context) => {
    config.registerLambdaContext(context as Context);
    for (const [i, record] of Records.entries()) {
      try {
        await take(record);
      } catch {
        // As Powertools' batch processor does for a FIFO queue.
        return { batchItemFailures: Records.slice(i).map(({ messageId }) => ({ itemIdentifier: messageId })) };
      }
    }
    return { batchItemFailures: [] };
  };
};

function purchaseOf(event: Event, subscription: string): Purchase[] {
  if (event.type !== "payment.succeeded") return [];
  return [{ payment: event.payment, subscription, quantity: event.items?.list[0]?.quantity ?? 1 }];
}

const order: Change & { kind: "order" } = {
  kind: "order",
  slot: 1,
  generation: 1,
  plan: "vm-monthly",
  product: "vmmanager6",
  family: "platform",
  pricelist: 55163,
  period: 1,
  addons: {},
  autoprolong: null,
  trial: false,
};

/** Adds the members by which Powertools recognizes a client of the SDK. */
const asClient = (client: Parts["client"]): DynamoDBClient =>
  ({
    ...client,
    config: {},
    middlewareStack: { identify: () => [], addRelativeTo: () => {} },
  }) as unknown as DynamoDBClient;
