import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startTable } from "../../local/table.ts";
import { metricUnits } from "../../shared/observability/metrics.ts";
import { hasJava, startDynamoDbLocal } from "../support/dynamodb-local.ts";
import { type Counted, measure, of } from "./capacity.ts";
import { aws, type Request } from "./counted.ts";
import { median, number, table } from "./figures.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Dollars in us-east-1. docs/cost.md names the source of each price. */
const perMillion = {
  apiRequest: 1,
  invocation: 0.2,
  gbSecond: 13.3334,
  queueRequest: 0.5,
  readUnit: 0.125,
  writeUnit: 0.625,
  event: 1,
  secretRead: 5,
};
const perLogByte = 0.5e-9;
const perMonth = { metric: 0.3, alarm: 0.1, dashboard: 3, secret: 0.4 };

/** Values that cannot be measured here: milliseconds, bytes, and Lambda's polls of the queue in a month. */
const assumed = { call: 2000, request: 10, invocation: 50, platformLog: 350, accessLog: 350, polls: 657_000 };
const gb = 0.5;
const runsPerMonth = 43_800;
const secretReadsPerMonth = 2 * runsPerMonth;

/** Prints the cost of a month, and the fixed part of it. */
export async function cost(): Promise<void> {
  const backend = await (hasJava() ? startDynamoDbLocal() : startTable(aws));
  const counted = await measure(backend).finally(backend.stop);
  const each = (...acts: string[]): Cost => acts.map((act) => costOf(runOf(counted, act))).reduce(plus);
  const renewal = each("renewal, the 24th", "announcing it", "a wake at the period's end");
  const atStripe = each("renewal at Stripe, 2 webhooks", "announcing it", "a wake at the period's end");
  const rows: [string, Cost][] = [
    ["1,000,000 renewals, a webhook each", times(renewal, 1e6)],
    ["1,000,000 webhooks of Stripe's renewals, 2 each", times(atStripe, 0.5e6)],
    ["1,000,000 first purchases, a webhook each", times(each("first purchase", "announcing it"), 1e6)],
    ["1,000,000 webhooks again, within 5 minutes", times(each("the same webhook again, within 5 minutes"), 1e6)],
    ["10,000 subscriptions a month", times(renewal, 10_000)],
    ["10,000 subscriptions a month at Stripe", times(atStripe, 10_000)],
  ];
  console.log("\nDollars by use and service");
  const services = Object.keys(renewal);
  table([
    ["", ...services, "all"],
    ...rows.map(([what, cost]) => [what, ...Object.values(cost).map(number), number(sum(cost))]),
  ]);

  const fixed = await fixedCosts(counted);
  console.log("\nFixed dollars a month");
  table([
    ["", "how many", "dollars"],
    ...fixed.map(([what, many, dollars]) => [what, number(many), dollars.toFixed(2)]),
  ]);
  const rest = fixed.reduce((all, [, , dollars]) => all + dollars, 0).toFixed(2);
  const secret = ((secretReadsPerMonth * perMillion.secretRead) / 1e6).toFixed(2);
  console.log(
    `  all ${rest}, and ${secret} for each instance of webhook or provision that is always busy, to read the secret`,
  );
}

type Cost = Record<"api" | "functions" | "queue" | "table" | "bus" | "logs", number>;

const plus = (a: Cost, b: Cost): Cost =>
  Object.fromEntries(Object.entries(a).map(([service, cost]) => [service, cost + b[service as keyof Cost]])) as Cost;
const times = (cost: Cost, many: number): Cost =>
  Object.fromEntries(Object.entries(cost).map(([service, one]) => [service, one * many])) as Cost;
const sum = (cost: Cost): number => Object.values(cost).reduce((all, one) => all + one, 0);

/** The run with the median of written units. */
function runOf(counted: Counted, act: string): Request[] {
  const runs = counted.get(act) ?? [];
  const written = (requests: Request[]) => requests.reduce((all, { write }) => all + write, 0);
  const middle = median(runs.map(written));
  return runs.find((requests) => written(requests) === middle) ?? [];
}

/** Omits the Queries of the schedule, which runs each minute even if nothing is due. */
function costOf(requests: readonly Request[]): Cost {
  const webhooks = of(requests, "http").length;
  const batches = of(requests, "SQS").filter(({ what }) => what === "ReceiveMessage").length;
  const waited = of(requests, "billmgr").length * assumed.call + of(requests, "table").length * assumed.request;
  const invocations = webhooks + batches;
  const gbSeconds = (gb * (invocations * assumed.invocation + waited)) / 1000;
  const units = (kind: "read" | "write") => of(requests, "table").reduce((all, one) => all + one[kind], 0);
  const unseen = invocations * assumed.platformLog + webhooks * assumed.accessLog;
  const logged = of(requests, "log").reduce((all, { bytes = 0 }) => all + bytes, unseen);
  return {
    api: (webhooks * perMillion.apiRequest) / 1e6,
    functions: (invocations * perMillion.invocation + gbSeconds * perMillion.gbSecond) / 1e6,
    queue: (of(requests, "SQS").length * perMillion.queueRequest) / 1e6,
    table: (units("read") * perMillion.readUnit + units("write") * perMillion.writeUnit) / 1e6,
    bus: (of(requests, "bus").length * perMillion.event) / 1e6,
    logs: logged * perLogByte,
  };
}

type Fixed = [what: string, many: number, dollars: number];

async function fixedCosts(counted: Counted): Promise<Fixed[]> {
  const resources = await resourcesByType();
  const scheduled = ["a run of renew, nothing due", "a run of announce, nothing done", "a run of watch"];
  const runs = scheduled.map((act) => runOf(counted, act));
  const many = runs.length * runsPerMonth;
  // AWS bills half a unit for a Query without results; the local tables count 0.
  const reads = runs.flat().reduce((all, { to, read }) => all + (to === "agenda" ? 0.5 : read), 0) * runsPerMonth;
  const bytes = runs.flat().reduce((all, { bytes = 0 }) => all + bytes, 0) * runsPerMonth + many * assumed.platformLog;
  const running = (gb * many * assumed.invocation) / 1000;
  const series = Object.keys(metricUnits).length + 1;
  const count = (type: string) => resources.get(type) ?? 0;
  const priced = (what: string, type: string, price: number): Fixed => [what, count(type), count(type) * price];
  return [
    priced("secrets", "AWS::SecretsManager::Secret", perMonth.secret),
    priced("alarms", "AWS::CloudWatch::Alarm", perMonth.alarm),
    priced("dashboards", "AWS::CloudWatch::Dashboard", perMonth.dashboard),
    ["series of metrics, one storefront with two answers", series, series * perMonth.metric],
    ["runs of the schedule", many, (many * perMillion.invocation + running * perMillion.gbSecond) / 1e6],
    ["read units of the schedule", reads, (reads * perMillion.readUnit) / 1e6],
    ["log bytes of the schedule", bytes, bytes * perLogByte],
    ["polls of the empty queue", assumed.polls, (assumed.polls * perMillion.queueRequest) / 1e6],
  ];
}

async function resourcesByType(): Promise<Map<string, number>> {
  const outdir = mkdtempSync(join(tmpdir(), "cost-"));
  try {
    const { context } = JSON.parse(readFileSync(join(root, "cdk.json"), "utf8"));
    const given = { ...context, stack: "shop", "aws:cdk:bundling-stacks": [] };
    const env = { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(given) };
    await promisify(execFile)(process.execPath, ["infra/app.ts"], { cwd: root, env });
    const { Resources } = JSON.parse(readFileSync(join(outdir, "shop.template.json"), "utf8"));
    const types = Object.values(Resources as Record<string, { Type: string }>);
    return new Map([...Map.groupBy(types, ({ Type }) => Type)].map(([type, all]) => [type, all.length]));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
