import { createHandler } from "../../functions/webhook/handler.ts";
import { createClock } from "../../local/clock.ts";
import { startQueue } from "../../local/queue.ts";
import { createRequestHandler } from "../../local/routes.ts";
import { sendTo } from "../../shared/aws/queue.ts";
import { serve } from "../../shared/http/serve.ts";
import { freshAt } from "../../shared/storefronts/signatures.ts";
import { dependenciesOf } from "../support/dependencies.ts";
import { post, signStandard, startTestStack, testCatalog } from "../support/local.ts";
import { interleave, ratio, raw, spread, table } from "./figures.ts";

const purchases = 300;
const parallel = 16;
const [webhookRounds, purchaseRounds] = [7, 3];
const log = { info() {}, warn() {}, error() {} };

/** Measures the whole stack in one process. The embedded services and the sender take most of the time. */
export async function flow(): Promise<void> {
  const intake = await startIntake();
  // The first round only warms up.
  await sendPurchases(intake.url);
  const answered = await interleave(
    {
      "GET /health": () => perSecond(purchases, () => fetch(`${intake.url}/health`).then((answer) => answer.text())),
      "webhooks answered": () => sendPurchases(intake.url),
    },
    webhookRounds,
  ).finally(intake.stop);
  const ordered = await interleave({ "first purchases ordered": buy }, purchaseRounds);

  const rates: Record<string, number[]> = { ...answered, ...ordered };
  const sample = (name: string) => rates[name] ?? [];
  console.log(`\nEvents per second through the embedded stack: ${purchases} a round, ${parallel} requests in parallel`);
  table([
    ["", "per second", "against"],
    ["GET /health", spread(sample("GET /health")), ""],
    [
      "webhooks answered",
      spread(sample("webhooks answered")),
      `${ratio(sample("webhooks answered"), sample("GET /health"))} /health`,
    ],
    [
      "first purchases ordered",
      spread(sample("first purchases ordered")),
      `${ratio(sample("first purchases ordered"), sample("webhooks answered"))} webhooks answered`,
    ],
  ]);
  raw(rates, "per second");
}

/** Verifies, queues, and answers webhooks. Nothing reads the queue. */
async function startIntake(): Promise<{ url: string; stop: () => Promise<void> }> {
  const queue = await startQueue({ region: "us-east-1", credentials: { accessKeyId: "b", secretAccessKey: "b" } });
  const clock = createClock(0);
  const webhook = createHandler(
    dependenciesOf({ send: sendTo(queue.client, queue.url), isFresh: freshAt(Date.now), now: clock.now, log }),
  );
  const table = { halt: async () => undefined, liftHalt: async () => {} };
  const parts = () => {
    throw new Error("only webhooks come here");
  };
  const handler = createRequestHandler({ webhook, sandbox: undefined, clock, advanceTo: async () => {}, table, parts });
  const server = await serve(handler);
  return {
    url: server.url,
    stop: async () => {
      await server.close();
      await queue.stop();
    },
  };
}

/** @returns first purchases per second, from the first webhook to the last license in billmgr's ledger */
async function buy(): Promise<number> {
  const stack = await startTestStack({
    catalog: testCatalog({}, { ordersPerHour: 1_000_000, ordersPerDay: 1_000_000 }),
    sandboxSettings: { processingSeconds: 0, balance: 1_000_000_000 },
    clock: new Date(),
  });
  try {
    const started = performance.now();
    await sendPurchases(stack.url);
    for (;;) {
      const orders = (stack.sandbox?.ledger() ?? []).length;
      if (orders >= purchases) break;
      if (performance.now() - started > 60_000) throw new Error(`only ${orders} of ${purchases} were ordered`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return (purchases / (performance.now() - started)) * 1000;
  } finally {
    await stack.settle();
    await stack.stop();
  }
}

let subscriptions = 0;

/** @returns webhooks answered per second. Each names another subscription, and is signed before the measurement starts. */
function sendPurchases(url: string): Promise<number> {
  const now = new Date();
  const webhooks = Array.from({ length: purchases }, () => {
    const subscription = `bench-${++subscriptions}`;
    const paidThrough = new Date(now.getTime() + 31 * 86_400_000);
    const data = { subscription, plan: "vm6-monthly", quantity: 2, payment: `pay-${subscription}`, paidThrough };
    const body = JSON.stringify({ type: "payment.succeeded", timestamp: now, data });
    return { body, headers: signStandard(body, now) };
  });
  return perSecond(purchases, async (i) => {
    const { body = "", headers = {} } = webhooks[i] ?? {};
    const { status } = await post(`${url}/webhooks/standard`, body, headers);
    if (status !== 200) throw new Error(`a webhook was answered ${status}`);
  });
}

async function perSecond(times: number, act: (i: number) => Promise<unknown>): Promise<number> {
  let taken = 0;
  const started = performance.now();
  const work = async () => {
    while (taken < times) await act(taken++);
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return (times / (performance.now() - started)) * 1000;
}
