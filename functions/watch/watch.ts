import type { Page } from "../../shared/aws/items.ts";
import { oldestDue } from "../../shared/aws/schedule.ts";
import type { Table } from "../../shared/aws/table.ts";
import { secondsBetween, toInstant } from "../../shared/licensing/time.ts";
import type { Metrics } from "../../shared/observability/metrics.ts";

export type WatchDependencies = {
  table: Pick<Table, "due" | "attention" | "halt" | "balance" | "ordersTaken">;
  now: () => Date;
  metrics: Metrics;
};

/** Measures the current state. Other functions measure their own actions. Reads only. */
export async function watch({ table, now, metrics }: WatchDependencies): Promise<void> {
  const at = toInstant(now());
  const [attention, overdue, halt, balance, orders] = await Promise.all([
    countAttention(table),
    oldestDue(table, at),
    table.halt(),
    table.balance(),
    table.ordersTaken(at),
  ]);
  metrics.put("AttentionCount", attention);
  metrics.put("OverdueAge", overdue ? secondsBetween(overdue.due, at) : 0);
  metrics.put("Halted", halt ? 1 : 0);
  if (balance) metrics.put("Balance", balance.amount);
  metrics.put("OrdersThisHour", orders.hour);
  metrics.put("OrdersToday", orders.day);
}

async function countAttention(table: Pick<Table, "attention">): Promise<number> {
  let count = 0;
  let from: Page | undefined;
  do {
    const { keys, next } = await table.attention(from);
    count += keys.length;
    from = next;
  } while (from);
  return count;
}
