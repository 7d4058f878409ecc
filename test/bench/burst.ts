import { expectedDrain, rush } from "../simulation/rush.ts";
import { number, table } from "./figures.ts";

const subscriptions = 8_000;
const pace = { withinMs: 60_000, callMs: 2000, requestMs: 10 };
const concurrencies = [5, 20, 100];

/** Compares the virtual time that a rush of renewals takes with the formula, and lists lost, late, and double purchases. */
export async function burst(): Promise<void> {
  const rows: string[][] = [];
  for (const concurrency of concurrencies) {
    const rushed = await rush({ ...pace, subscriptions, concurrency });
    const { least, most } = expectedDrain(rushed.webhooks, { ...pace, concurrency });
    const seconds = [least, rushed.drainedMs, most].map((ms) => number(Math.round(ms / 1000)));
    const { webhooks, calls, mostCallsAtOnce, wrong } = rushed;
    const ratio = `${number(rushed.drainedMs / least)} x`;
    rows.push([
      number(concurrency),
      ...seconds,
      ratio,
      ...[calls / webhooks, mostCallsAtOnce, wrong.length].map(number),
    ]);
    for (const what of wrong.slice(0, 5)) console.log(`  ${what}`);
    if (rows.length === 1) {
      const [within, call, request] = [pace.withinMs / 1000, pace.callMs / 1000, pace.requestMs];
      console.log(`\n${webhooks} renewals of ${subscriptions} subscriptions within ${within} s, in virtual time`);
      console.log(`  billmgr answers in ${call} s, table and queue in ${request} ms`);
    }
  }
  const counted = ["s expected", "s taken", "s at most", "taken to expected", "calls each", "parallel calls", "wrong"];
  table([["concurrency", ...counted], ...rows]);
}
