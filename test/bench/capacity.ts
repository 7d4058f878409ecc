import { readdirSync, readFileSync } from "node:fs";
import { type LocalTable, startTable } from "../../local/table.ts";
import { hasJava, startDynamoDbLocal } from "../support/dynamodb-local.ts";
import { aws, type Request, startCounted } from "./counted.ts";
import { median, number, table } from "./figures.ts";

const rounds = 3;
const renewals = 24;
const minutes = 60_000;

/** Counts the requests and capacity units of a purchase, in the clients that send them. */
export async function capacity(): Promise<void> {
  const backends: [string, () => Promise<LocalTable>][] = [["dynalite", () => startTable(aws)]];
  if (hasJava()) backends.push(["AWS's DynamoDB Local", startDynamoDbLocal]);
  for (const [i, [name, start]] of backends.entries()) {
    const backend = await start();
    const counted = await measure(backend).finally(backend.stop);
    print(name, counted);
    if (i < backends.length - 1) continue;
    for (const what of ["first purchase", "renewal, the first", "announcing it"]) printSequence(what, counted);
  }
  console.log(`
  billmgr finishes each change immediately here. If it takes longer, add the requests of each further observation.
  Not counted: reading the secret, once in 30 s for each running function, and polls of an empty queue.
  dynalite does not count the units of a write to the index, and both count 0 for a Query without results.`);
}

export type Counted = Map<string, Request[][]>;

export async function measure({ client }: LocalTable): Promise<Counted> {
  const counted: Counted = new Map();
  const shop = await startCounted(client);
  const count = async (what: string, act: () => Promise<unknown>) => {
    shop.requests.length = 0;
    await act();
    counted.set(what, [...(counted.get(what) ?? []), [...shop.requests]]);
  };
  // The payment of month 0 is the purchase.
  const paid = (subscription: string, month: number) =>
    shop.signed({
      subscription,
      plan: "vm6-monthly",
      quantity: 2,
      payment: `payment-${month}`,
      paidThrough: paidThrough(month),
    });
  const moveBy = (ms: number) => shop.moveTo(new Date(shop.now().getTime() + ms));

  try {
    for (let round = 1; round <= rounds; round++) {
      await shop.moveTo(start);
      const purchase = paid(`life-${round}`, 0);
      await count("first purchase", () => shop.deliver(purchase));
      await count("announcing it", shop.announce);
      await count("the same webhook again, within 5 minutes", () => shop.deliver(purchase));
      for (let month = 1; month <= renewals; month++) {
        const ended = new Date(paidThrough(month - 1).getTime() + minutes);
        if (month === 1) await count("a wake at the period's end", () => shop.moveTo(ended));
        else await shop.moveTo(ended);
        const renewal = paid(`life-${round}`, month);
        if (month === 1) await count("renewal, the first", () => shop.deliver(renewal));
        else if (month === renewals) await count(`renewal, the ${renewals}th`, () => shop.deliver(renewal));
        else await shop.deliver(renewal);
      }
      await shop.announce();
    }
    for (let round = 1; round <= rounds; round++) {
      const events = stripeEvents(round);
      const play = async (from: number, to: number) => {
        for (const event of events.slice(from, to)) {
          await shop.moveTo(new Date(event.created * 1000));
          await shop.deliver(shop.signedByStripe(event));
        }
      };
      await count("first purchase at Stripe, 4 webhooks", () => play(0, 4));
      await play(4, 6);
      await count("renewal at Stripe, 2 webhooks", () => play(6, 8));
    }
    for (let round = 1; round <= rounds; round++) {
      await shop.moveTo(start);
      shop.sandbox.configure({ processingSeconds: 3600 });
      await shop.deliver(paid(`busy-${round}`, 0));
      shop.sandbox.configure({ processingSeconds: 0 });
      await count("a further observation, while billmgr is at work", () => moveBy(3000));
      await moveBy(120 * minutes);
    }
    await shop.announce();
    for (let round = 1; round <= rounds; round++) {
      await count("a run of renew, nothing due", shop.sweep);
      await count("a run of announce, nothing done", shop.announce);
      await count("a run of watch", shop.watch);
    }
  } finally {
    await shop.stop();
  }
  return counted;
}

const start = new Date("2026-11-23T08:00:00Z");
const paidThrough = (month: number): Date => new Date(Date.UTC(2026, 11 + month, 23, 8));

/** The events of one Stripe customer, from the fixtures, with ids that are unique to the round. */
function stripeEvents(round: number): { created: number }[] {
  const folder = new URL("../fixtures/stripe/basil/", import.meta.url);
  return readdirSync(folder)
    .sort()
    .map((file) =>
      JSON.parse(readFileSync(new URL(file, folder), "utf8").replace(/\b(evt|sub|in|pi|ch)_\w+/g, `$&_${round}`)),
    );
}

export const of = (requests: readonly Request[], ...to: Request["to"][]) =>
  requests.filter((one) => to.includes(one.to));

const range = (values: readonly number[]): string => {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return number(median(values)) + (least === most ? "" : ` (${number(least)} to ${number(most)})`);
};

/** The schedule reads the agenda even if nothing is due, so only the lines of the schedule count these reads. */
function print(name: string, counted: Counted): void {
  console.log(
    `\nRequests and capacity units, by ${name}: median of ${rounds} rounds (least to most, where they differ)`,
  );
  const purchase = median((counted.get("first purchase") ?? []).map((requests) => of(requests, "table").length));
  table([
    ["", "table", "to first purchase", "read units", "write units", "billmgr", "SQS", "bus", "log bytes"],
    ...[...counted].map(([what, runs]) => {
      const isSchedule = what.startsWith("a run of");
      const at = runs.map((requests) => of(requests, "table", ...(isSchedule ? (["agenda"] as const) : [])));
      return [
        what,
        range(at.map((requests) => requests.length)),
        `${number(median(at.map((requests) => requests.length)) / purchase)} x`,
        range(at.map((requests) => requests.reduce((sum, { read }) => sum + read, 0))),
        range(at.map((requests) => requests.reduce((sum, { write }) => sum + write, 0))),
        range(runs.map((requests) => of(requests, "billmgr").length)),
        range(runs.map((requests) => of(requests, "SQS").length)),
        range(runs.map((requests) => of(requests, "bus").length)),
        range(runs.map((requests) => of(requests, "log").reduce((sum, { bytes = 0 }) => sum + bytes, 0))),
      ];
    }),
  ]);
}

function printSequence(what: string, counted: Counted): void {
  console.log(`\n  ${what}, request by request`);
  for (const { to, what: request, read, write } of counted.get(what)?.[0] ?? []) {
    if (to === "log" || to === "agenda") continue;
    const units = [read && `${number(read)} read`, write && `${number(write)} write`].filter(Boolean);
    console.log(`    ${[to.padEnd(7), request.padEnd(32), ...units].join("  ").trimEnd()}`);
  }
}
