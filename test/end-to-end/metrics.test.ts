import { beforeEach, expect, test } from "vitest";
import { watch } from "../../functions/watch/watch.ts";
import { type MetricName, metricUnits } from "../../shared/observability/metrics.ts";
import { advanceDays, advanceMinutes, inDays, paid, tell, testCatalog } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

type Put = { name: MetricName; value: number; dimensions: Record<string, string> };

let puts: Put[] = [];
const metrics = {
  put: (name: MetricName, value: number, dimensions = {}) => void puts.push({ name, value, dimensions }),
};
const stack = useTestStack({ metrics, catalog: testCatalog({}, { minimumBalance: 1 }) });
beforeEach(() => {
  puts = [];
});

const putsOf = (name: MetricName) => puts.filter((one) => one.name === name);
const sum = (name: MetricName) => putsOf(name).reduce((total, { value }) => total + value, 0);
const maxOf = (name: MetricName) => Math.max(...putsOf(name).map(({ value }) => value));
const runWatch = () => watch({ table: stack.table, now: stack.clock.now, metrics });
const minutes = (count: number) => advanceMinutes(stack, count);

test("each action publishes its metric, and every metric is published", async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 60)));
  await minutes(1);
  await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 3 });
  await minutes(1);
  expect([sum("Orders"), sum("Prolongs"), sum("OtherChanges"), sum("Refusals"), sum("UnknownOutcomes")]).toEqual([
    1, 1, 1, 0, 0,
  ]);
  expect(putsOf("PaymentToLicense")).toHaveLength(1);
  expect(putsOf("PaymentToLicense")[0]?.value).toBeLessThan(120);
  expect(sum("Announcements")).toBe(3);

  stack.sandbox?.plan({ fault: "drop_before_acting", func: "prolong" });
  await tell(stack, "payment.succeeded", paid(inDays(stack, 90)));
  await minutes(45);
  expect(sum("UnknownOutcomes")).toBe(1);
  expect(sum("Prolongs")).toBe(2);

  stack.sandbox?.plan({ fault: "error", type: "value", func: "order" });
  await tell(stack, "payment.succeeded", { ...paid(inDays(stack, 30)), subscription: "43" });
  await minutes(1);
  expect(sum("Refusals")).toBe(1);
  await runWatch();
  expect([
    sum("AttentionCount"),
    sum("Halted"),
    sum("OrdersThisHour"),
    sum("OrdersToday"),
    maxOf("OverdueAge"),
  ]).toEqual([1, 0, 2, 2, 0]);
  expect(maxOf("Balance")).toBeGreaterThan(90_000);

  const forged = await fetch(`${stack.url}/webhooks/standard`, { method: "POST", body: "{}" });
  expect(forged.status).toBe(401);
  await fetch(`${stack.url}/webhooks/no-such-storefront`, { method: "POST", body: "{}" });
  expect(sum("SignatureFailures")).toBe(1);
  const answers = putsOf("Webhooks").map(({ dimensions }) => `${dimensions.storefront} ${dimensions.answer}`);
  expect(answers).toEqual([...Array(4).fill("standard 200"), "standard 401"]);

  await stack.table.setHalt({ since: stack.clock.now().toISOString(), reason: "maintenance" });
  await runWatch();
  expect(maxOf("Halted")).toBe(1);
  await advanceDays(stack, 1);
  expect(new Set(puts.map(({ name }) => name))).toEqual(new Set(Object.keys(metricUnits)));
});

test("the age of an unknown outcome grows until the outcome is known", async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await minutes(1);
  stack.sandbox?.plan({ fault: "drop_before_acting", func: "prolong" });
  await tell(stack, "payment.succeeded", paid(inDays(stack, 60)));
  await minutes(20);
  expect(maxOf("UnknownOutcomeAge")).toBeGreaterThanOrEqual(540);
  await minutes(60);
  const known = putsOf("UnknownOutcomeAge").length;
  expect(sum("Prolongs")).toBe(1);
  await minutes(60);
  expect(putsOf("UnknownOutcomeAge")).toHaveLength(known);
});

test("a subscription that should have been woken is overdue", async () => {
  const due = new Date(stack.clock.now().getTime() - 1_200_000).toISOString();
  const table = { ...stack.table, due: async () => ({ keys: [{ key: "subscription#standard/1" as const, due }] }) };
  await watch({ table, now: stack.clock.now, metrics });
  expect(maxOf("OverdueAge")).toBeGreaterThanOrEqual(1200);
  expect(maxOf("OverdueAge")).toBeLessThan(1260);
});
