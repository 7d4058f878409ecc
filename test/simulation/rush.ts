import type { APIGatewayProxyEventV2, SQSEvent } from "aws-lambda";
import { createHandler as createProvision } from "../../functions/provision/handler.ts";
import { renew } from "../../functions/renew/renew.ts";
import { createHandler as createWebhook } from "../../functions/webhook/handler.ts";
import { createSandbox } from "../../local/simulators/billmgr/index.ts";
import { breakerIn } from "../../shared/aws/breaker.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import { createTable, type Table, tableIndexes } from "../../shared/aws/table.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { keyOf } from "../../shared/intake/message.ts";
import { dependenciesOf } from "../support/dependencies.ts";
import { authinfo, signStandard, testCatalog } from "../support/local.ts";
import { EventSource } from "./event-source.ts";
import { createMemoryDynamo } from "./memory-dynamo.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

export type Rush = {
  /** Number of subscriptions with a license. Each pays for the next period, and every eighth for the next three. */
  subscriptions: number;
  withinMs: number;
  concurrency: number;
  /** How long billmgr takes to answer, and how long the table and the queue take. */
  callMs: number;
  requestMs: number;
};

export type Rushed = {
  webhooks: number;
  /** From the first webhook until no message is queued and no subscription is due. */
  drainedMs: number;
  calls: number;
  mostCallsAtOnce: number;
  /** Events that were lost or out of order, and periods that were not bought exactly once. */
  wrong: string[];
};

/** Calls to billmgr and requests to the table for one renewal, as measured by npm run bench -- capacity. */
const renewal = { calls: 3, requests: 11 };
/** Renewals that start late: the first ones wait for their webhooks, and in the end some workers are idle. */
const slack = 2;

/** Computes how long a rush takes if its calls always use the full concurrency. */
export function expectedDrain(webhooks: number, { concurrency, callMs, requestMs }: Omit<Rush, "subscriptions">) {
  const each = renewal.calls * callMs + renewal.requests * requestMs;
  const least = (webhooks * each) / concurrency;
  return { least, most: least + slack * each };
}

const start = Date.parse("2026-11-23T08:00:00Z");
const minute = 60_000;
const provisionMs = 180_000;
const log = { info() {}, warn() {}, error() {} };

type Payment = { key: ReturnType<typeof keyOf>; id: string; body: string };

/** The webhook that reports the payment of one period. Period 0 is the first order. */
const payment = (n: number, period: number): Payment => {
  const subscription = `rush-${n}`;
  const paidThrough = new Date(Date.UTC(2026, 11 + period, 23, 8));
  const data = { subscription, plan: "vm6-monthly", quantity: 1, payment: `${subscription}-${period}`, paidThrough };
  return {
    key: keyOf("subscription", "standard", subscription),
    id: `msg_${data.payment}`,
    body: JSON.stringify({ type: "payment.succeeded", timestamp: new Date(start), data }),
  };
};
const periodsOf = (n: number): number[] => (n % 8 === 0 ? [1, 2, 3] : [1]);

/** Runs the real code of the functions in virtual time, with a queue and a table in memory, and a slow billmgr. */
export async function rush({ subscriptions, withinMs, concurrency, callMs, requestMs }: Rush): Promise<Rushed> {
  const random = new Random(subscriptions);
  const scheduler = new Scheduler(start, random.fork(), Number.POSITIVE_INFINITY);
  const now = () => new Date(scheduler.now);
  /** The first orders take no time. */
  let slow = false;
  const take = async (ms: number) => {
    if (slow) await scheduler.sleep(ms);
  };

  /** The events of each subscription in the order in which they were stored. */
  const stored = new Map<string, string[]>();
  const dynamo = createMemoryDynamo({
    indexes: tableIndexes,
    onWrite: (_, { pk, sk }) => {
      const [, id] = /^event#[^#]*#(.*)/.exec(sk?.S ?? "") ?? [];
      if (pk?.S && id !== undefined) stored.set(pk.S, [...(stored.get(pk.S) ?? []), id]);
    },
  });
  const table = createTable(
    {
      send: async (command: object) => {
        await take(requestMs);
        return dynamo.perform(command);
      },
    } as typeof dynamo.client,
    "table",
  );
  const queue = new MemoryQueue({ now: () => scheduler.now, visibilitySeconds: 1080, maxReceiveCount: 20 });
  const sqs = {
    send: async (command: object) => {
      await take(requestMs);
      const result = queue.perform(command);
      scheduler.after(0, () => source.poke());
      return result;
    },
  } as typeof queue.client;
  const send = sendTo(sqs, "queue");

  const sandbox = createSandbox({ now, authinfo: () => authinfo, settings: { processingSeconds: 0, balance: 1e12 } });
  const billmgr = sandbox.post((ms, act) => scheduler.after(ms, act));
  let [calls, atOnce, mostCallsAtOnce] = [0, 0, 0];
  const post: typeof billmgr = async (form, timeoutMs) => {
    calls++;
    mostCallsAtOnce = Math.max(mostCallsAtOnce, ++atOnce);
    await take(callMs);
    atOnce--;
    return billmgr(form, timeoutMs);
  };

  const deps = dependenciesOf({
    table,
    billmgr: createBillmgr(post, async () => authinfo, { breaker: breakerIn(table, now, log) }),
    catalog: testCatalog({}, { ordersPerHour: 1e9, ordersPerDay: 1e9 }),
    send,
    returnSoon: returnSoonTo(sqs, "queue"),
    now,
    log,
  });
  const provision = createProvision(deps);
  const webhook = createWebhook(deps);
  let doneAt = start;
  // The stack sets a batch size of 1.
  const oneAtATime = { int: () => 1 };
  const calm = { queue, scheduler, machine: { trace: undefined }, faults: { atEdge: () => undefined } };
  const source = new EventSource(calm, oneAtATime, concurrency, async (Records) => {
    const ends = scheduler.now + provisionMs;
    const context = { getRemainingTimeInMillis: () => ends - scheduler.now };
    const result = await provision({ Records } as SQSEvent, context);
    doneAt = scheduler.now;
    return result;
  });

  const wrong: string[] = [];
  const deliver = async ({ id, body }: Payment) => {
    const http = { method: "POST" };
    const headers = signStandard(body, now(), id);
    const event = { requestContext: { http }, rawPath: "/webhooks/standard", headers, body };
    const { statusCode } = await webhook(event as unknown as APIGatewayProxyEventV2);
    if (statusCode !== 200) wrong.push(`${id} is answered ${statusCode}`);
  };
  /** Wakes due subscriptions until none is left: a function that had no time for one leaves it due, not queued. */
  const sweepWhileAtWork = async () => {
    let woken = 0;
    do {
      woken = 0;
      void renew(deps, () => minute).then((count) => {
        woken = count;
      });
      await scheduler.runUntil(scheduler.now + minute);
    } while (woken > 0 || queue.size() > 0);
  };

  const all = Array.from({ length: subscriptions }, (_, n) => n);
  for (const n of all) await deliver(payment(n, 0));
  await scheduler.runUntil(start + 1);
  await sweepWhileAtWork();

  slow = true;
  calls = 0;
  mostCallsAtOnce = 0;
  const began = scheduler.now;
  const renewals = all.flatMap((n) => {
    const moments = periodsOf(n).map(() => random.between(0, withinMs));
    return moments.sort((a, b) => a - b).map((ms, i) => ({ ms, paid: payment(n, i + 1) }));
  });
  for (const { ms, paid } of renewals) scheduler.at(began + ms, () => void deliver(paid));
  await scheduler.runUntil(began + withinMs);
  await sweepWhileAtWork();

  slow = false;
  const drainedMs = doneAt - began;
  for (const letter of queue.deadLetters) wrong.push(`a dead letter: ${letter.MessageBody}`);
  wrong.push(...(await mistakes(all, table, stored, sandbox.ledger())));
  return { webhooks: renewals.length, drainedMs, calls, mostCallsAtOnce, wrong };
}

/** Checks that each event is stored, in the order of its arrival, and that each period is bought once. */
async function mistakes(
  all: readonly number[],
  table: Table,
  stored: ReadonlyMap<string, string[]>,
  ledger: ReturnType<ReturnType<typeof createSandbox>["ledger"]>,
): Promise<string[]> {
  const bought = Map.groupBy(ledger, ({ elid }) => elid);
  const wrong: string[] = [];
  for (const n of all) {
    const sent = [0, ...periodsOf(n)].map((period) => payment(n, period));
    const { key } = sent[0] as Payment;
    const { subscription } = (await table.load(key)) ?? {};
    const ids = sent.map(({ id }) => id).join();
    if (stored.get(key)?.join() !== ids) wrong.push(`${key} was sent ${ids} and stored ${stored.get(key)}`);
    if (subscription?.payments.length !== sent.length)
      wrong.push(`${key} has ${subscription?.payments.length} payments`);
    if (subscription?.attention) wrong.push(`${key} needs attention: ${JSON.stringify(subscription.attention)}`);
    const changes = bought.get(subscription?.slots[0]?.license?.elid ?? "") ?? [];
    const expected = ["order", ...periodsOf(n).map(() => "prolong")].join();
    const did = changes.map(({ operation }) => operation).join();
    if (did !== expected) wrong.push(`${key} should have ${expected} and has ${did}`);
  }
  return wrong;
}
