import { Logger } from "@aws-lambda-powertools/logger";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { SQSClient } from "@aws-sdk/client-sqs";
import Stripe from "stripe";
import { announce } from "../../functions/announce/announce.ts";
import { createHandler } from "../../functions/provision/handler.ts";
import { renew } from "../../functions/renew/renew.ts";
import { watch } from "../../functions/watch/watch.ts";
import { receive } from "../../functions/webhook/receive.ts";
import { createClock } from "../../local/clock.ts";
import { pump } from "../../local/pump.ts";
import { startQueue } from "../../local/queue.ts";
import { serveSandbox } from "../../local/simulators/billmgr/serve.ts";
import { tableName } from "../../local/table.ts";
import { breakerIn } from "../../shared/aws/breaker.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import { createTable } from "../../shared/aws/table.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { emf } from "../../shared/observability/emf.ts";
import { dependenciesOf } from "../support/dependencies.ts";
import { authinfo, signStandard, stripeSecret, testCatalog } from "../support/local.ts";

/** One request with the capacity units that the table reported, or one log line with its bytes. */
export type Request = {
  to: "http" | "table" | "agenda" | "billmgr" | "SQS" | "bus" | "log";
  what: string;
  read: number;
  write: number;
  bytes?: number;
};

type Signed = { storefront: string; body: string; headers: Record<string, string> };
type Paid = { subscription: string; plan: string; quantity: number; payment: string; paidThrough: Date };

export const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

/** Runs the code of the functions with clients that count. The caller runs the schedule. */
export async function startCounted(client: DynamoDBClient) {
  const requests: Request[] = [];
  const stopCounting = countOutput(requests);
  process.env.POWERTOOLS_METRICS_NAMESPACE = "billmgr-webhooks";
  const [log, metrics] = [new Logger({ serviceName: "provision" }), emf()];
  const clock = createClock(0);
  const { now } = clock;
  countTable(client, requests);
  const queue = await startQueue(aws);
  countQueue(queue.client, requests);
  const { sandbox, url, close } = await serveSandbox({
    now,
    authinfo: () => authinfo,
    settings: { processingSeconds: 0, balance: 1e9 },
  });
  const post = postTo(url);
  const table = createTable(client, tableName);
  const send = sendTo(queue.client, queue.url);
  const deps = dependenciesOf({
    table,
    billmgr: createBillmgr(
      (form, timeoutMs) => {
        requests.push({ to: "billmgr", what: form.get("func") ?? "", read: 0, write: 0 });
        return post(form, timeoutMs);
      },
      async () => authinfo,
      { breaker: breakerIn(table, now, log) },
    ),
    catalog: testCatalog({}, { ordersPerHour: 1000, ordersPerDay: 1000 }),
    send,
    returnSoon: returnSoonTo(queue.client, queue.url),
    now,
    log,
    metrics,
    publish: async (announcements) => {
      for (const { type } of announcements) requests.push({ to: "bus", what: type, read: 0, write: 0 });
      return [];
    },
  });
  const stopPump = pump(queue, createHandler(deps), 180_000, 1);
  const idle = async () => {
    while (queue.size() > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  };

  const sweep = async () => {
    await renew(deps, () => Number.POSITIVE_INFINITY);
    await idle();
  };
  return {
    requests,
    sandbox,
    now,
    sweep,
    announce: () => announce(deps, () => Number.POSITIVE_INFINITY),
    watch: () => watch(deps),
    /** Also handles everything that falls due on the way. */
    moveTo: async (moment: Date) => {
      clock.moveTo(moment);
      await sweep();
    },
    signed: (data: Paid): Signed => {
      const body = JSON.stringify({ type: "payment.succeeded", timestamp: now(), data });
      const headers = signStandard(body, now(), `${data.subscription}-${data.payment}`);
      return { storefront: "standard", body, headers };
    },
    signedByStripe: (event: object): Signed => {
      const body = JSON.stringify(event, null, 2);
      const timestamp = Math.floor(now().getTime() / 1000);
      const header = Stripe.webhooks.generateTestHeaderString({ payload: body, secret: stripeSecret, timestamp });
      return { storefront: "stripe", body, headers: { "stripe-signature": header } };
    },
    /** Delivers a webhook, and waits until nothing is queued. */
    deliver: async ({ storefront, body, headers }: Signed) => {
      requests.push({ to: "http", what: storefront, read: 0, write: 0 });
      const { status } = await receive(
        { method: "POST", path: `/webhooks/${storefront}`, headers, body: Buffer.from(body) },
        deps,
      );
      if (status !== 200) throw new Error(`a webhook was answered ${status}`);
      await idle();
    },
    stop: async () => {
      await stopPump();
      await Promise.all([close(), queue.stop()]);
      stopCounting();
    },
  };
}

function countTable(client: DynamoDBClient, requests: Request[]): void {
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const input = { ...args.input, ReturnConsumedCapacity: "TOTAL" as const };
        const to = "IndexName" in input ? "agenda" : "table";
        const request: Request = { to, what: `${named(commandName)} ${itemOf(input)}`, read: 0, write: 0 };
        requests.push(request);
        const result = await next({ ...args, input });
        const { ConsumedCapacity } = result.output as { ConsumedCapacity?: { CapacityUnits?: number } };
        request[/Get|Query/.test(commandName) ? "read" : "write"] = ConsumedCapacity?.CapacityUnits ?? 0;
        return result;
      },
    { step: "initialize", name: "count" },
  );
}

type Keyed = Record<string, { S?: string }>;

/** The kind of the item that a request names. It is the same for all subscriptions. */
function itemOf(input: object): string {
  const { Item, Key } = input as { Item?: Keyed; Key?: Keyed };
  const { pk, sk } = Item ?? Key ?? {};
  return sk?.S ? `${pk?.S?.split("#")[0]} ${sk.S.replace(/#.*/, "")}` : "of a collection";
}

/** Counts a poll only if it returns messages. */
function countQueue(client: SQSClient, requests: Request[]): void {
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const request: Request = { to: "SQS", what: named(commandName), read: 0, write: 0 };
        if (request.what !== "ReceiveMessage") requests.push(request);
        const result = await next(args);
        if ((result.output as { Messages?: unknown[] }).Messages?.length) requests.push(request);
        return result;
      },
    { step: "initialize", name: "count" },
  );
}

/** Counts the lines that CloudWatch would store, and keeps them off the console. */
function countOutput(requests: Request[]): () => void {
  const streams = [process.stdout, process.stderr];
  const stop = streams.map((stream) => {
    const write = stream.write;
    stream.write = ((text: string, ...rest: []) => {
      if (!text.startsWith("{")) return write.call(stream, text, ...rest);
      requests.push({ to: "log", what: "line", read: 0, write: 0, bytes: Buffer.byteLength(text) });
      return true;
    }) as typeof write;
    return () => {
      stream.write = write;
    };
  });
  return () => {
    for (const restore of stop) restore();
  };
}

const named = (command: string): string => command.replace(/Command$/, "");
