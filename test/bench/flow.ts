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
const atOnce = 16;
const [webhookRounds, purchaseRounds] = [7, 3];
const log = { info() {}, warn() {}, error() {} };

/** All of it in one process, the sender included, so most of what is measured are the embedded services. */
export async function flow(): Promise<void> {
  const door = await startDoorAlone();
  // The first round only warms up.
  await sendPurchases(door.url);
  const answered = await interleave(
    {
      "GET /health": () => perSecond(purchases, () => fetch(`${door.url}/health`).then((answer) => answer.text())),
      "webhooks answered": () => sendPurchases(door.url),
    },
    webhookRounds,
  ).finally(door.stop);
  const ordered = await interleave({ "first purchases ordered": buy }, purchaseRounds);

  const rates: Record<string, number[]> = { ...answered, ...ordered };
  const sample = (name: string) => rates[name] ?? [];
  console.log(`\nEvents per second through the embedded stack: ${purchases} a round, ${atOnce} requests at once`);
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

/** Verified, queued and answered; nobody takes from the queue. */
async function startDoorAlone(): Promise<{ url: string; stop: () => Promise<void> }> {
  const queue = await startQueue({ region: "us-east-1", credentials: { accessKeyId: "b", secretAccessKey: "b" } });
  const clock = createClock(0);
  const webhook = createHandler(
    dependenciesOf({ send: sendTo(queue.client, queue.url), isFresh: freshAt(Date.now), now: clock.now, log }),
  );
  const table = { halt: async () => undefined, liftHalt: async () => {} };
  const parts = () => {
    throw new Error("only webhooks come here");
  };
  const door = createRequestHandler({ webhook, sandbox: undefined, clock, advanceTo: async () => {}, table, parts });
  const server = await serve(door);
  return {
    url: server.url,
    stop: async () => {
      await server.close();
      await queue.stop();
    },
  };
}

/** First purchases per second, from the first webhook until the last license is in billmgr's ledger. */
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

/** @returns webhooks answered per second; each is of a subscription of its own, and signed before the clock runs */
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
  await Promise.all(Array.from({ length: atOnce }, work));
  return (times / (performance.now() - started)) * 1000;
}
