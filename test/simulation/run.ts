import type { Alteration } from "./alteration.ts";
import { Checks, checkLimits } from "./checks.ts";
import { type Counts, countBy } from "./counts.ts";
import { type Life, lifeOf } from "./life.ts";
import type { Item } from "./memory-dynamo.ts";
import { Operator } from "./operator.ts";
import { type Profile, profileOf } from "./profile.ts";
import { Random } from "./random.ts";
import { canary } from "./setup.ts";
import { day, type Fact, webhookOf } from "./shop.ts";
import { stripeLifeOf } from "./stripe-life.ts";
import { System } from "./system.ts";
import { useVirtualTimers } from "./timers.ts";

const minute = 60_000;
const hour = 60 * minute;

export type Report = {
  seed: number;
  profile: Profile["name"];
  violations: string[];
  /** The reasons of all attention items at the end. */
  attention: string[];
  webhooks: number;
  /** The number of subscriptions with each standing at the end. */
  standings: Counts;
  faults: Counts;
  /** The number of each kind of operation in billmgr's ledger. */
  operations: Counts;
  steps: number;
};

export type Options = {
  trace?: (line: string) => void;
  alteration?: Alteration;
  /** Receives the system before anything happens in it. */
  watch?: (system: System) => void;
};

/** The profile of faults of a seed. */
export const profileOfSeed = (seed: number): Profile => profileOf(new Random(seed).fork());

/** Runs the whole simulation once. The seed determines it completely. */
export async function run(seed: number, { trace, alteration, watch }: Options = {}): Promise<Report> {
  const random = new Random(seed);
  const profile = profileOf(random.fork());
  const start = Date.UTC(2027, 0, 1) + random.fork().int(0, 60) * day + random.fork().int(0, day);
  const end =
    start +
    random.fork().weighted([
      [20, 2],
      [45, 3],
      [80, 3],
      [140, 1],
      [profile.name === "calm" || profile.name === "shop" ? 500 : 200, 0.7],
    ] as const) *
      day;
  const lives = livesOf(random.fork(), start, end);
  const system: System = new System(
    profile,
    random.fork(),
    start,
    trace && ((who, what) => trace(`${new Date(system.scheduler.now).toISOString()} ${who}: ${what}`)),
    alteration,
  );
  watch?.(system);
  const { scheduler, observer } = system;
  const operator = new Operator(system, random.fork());
  const delivered = deliverAll(system, lives, profile, random.fork());
  planMishaps(system, operator, profile, random.fork(), start, end);
  const restoreTimers = useVirtualTimers(scheduler);

  try {
    await scheduler.runUntil(end + 5 * day);
    system.faults.on = false;
    system.machine.trace?.("simulation", "no more faults");
    operator.cleanUp();
    await scheduler.runUntil(scheduler.now + 3 * day);
    operator.redrive();
    await scheduler.runUntil(scheduler.now + 3 * day);
    // Only subscriptions that have just become due may still be at work.
    for (let hours = 0; hours < 12 && system.isAtWork(); hours++) await scheduler.runUntil(scheduler.now + hour);
  } catch (error) {
    observer.violated(`${error instanceof Error ? error.message : error}`);
  } finally {
    restoreTimers();
  }
  alteration?.beforeChecks?.();
  for (const { fact, status } of delivered.values()) {
    if (status !== 200) observer.violated(`the webhook ${fact.id} was never answered 200 (${status})`);
  }
  if (system.queue.size() > 0) observer.violated(`${system.queue.size()} messages are left in the queue`);
  const checks = lives.map((life) => new Checks(system, life));
  for (const check of checks) check.all();
  // A lost table has also lost its counters.
  if (!system.wasTableLost) checkLimits(system);
  return {
    seed,
    profile: profile.name,
    violations: observer.violations,
    attention: checks.flatMap((check) => check.attention ?? []),
    webhooks: delivered.size,
    standings: countBy(checks.map((check) => check.standing)),
    faults: { ...Object.fromEntries(system.faults.counts), deaths: system.machine.crashes },
    operations: countBy(system.sandbox.ledger().map(({ operation }) => operation)),
    steps: scheduler.steps,
  };
}

function livesOf(random: Random, start: number, end: number): Life[] {
  const count = random.weighted([
    [1, 6],
    [2, 3],
    [3, 1],
  ] as const);
  return Array.from({ length: count }, (_, i) => {
    const live = random.chance(0.3) ? stripeLifeOf : lifeOf;
    const name = random.chance(0.1) ? `s${i + 1}-${random.text(150)}` : `s${i + 1}`;
    return live(name, random.fork(), start, end);
  });
}

type Delivery = { fact: Fact; status: number | undefined };

/** Delivers each webhook late and repeatedly, until it is answered 200. */
export function deliverAll(system: System, lives: Life[], profile: Profile, random: Random): Map<string, Delivery> {
  const delivered = new Map<string, Delivery>();
  system.onTableLoss = () => {
    for (const delivery of delivered.values()) if (delivery.fact.at <= system.scheduler.now) deliver(delivery, 0);
  };
  const deliver = (delivery: Delivery, attempts: number) => {
    const { fact } = delivery;
    system.machine.trace?.(
      "shop",
      `sends ${fact.id} ${fact.type} ${JSON.stringify(fact.data)} of ${new Date(fact.at).toISOString()}`,
    );
    system.deliver(webhookOf(fact, canary.signing, system.scheduler.now), (status) => {
      if (status === 200) delivery.status = 200;
      else {
        if (delivery.status !== 200) delivery.status = status;
        system.scheduler.after(Math.min(5 * minute * 2 ** attempts, 12 * hour), () => deliver(delivery, attempts + 1));
      }
    });
  };
  for (const fact of lives.flatMap(({ facts }) => facts)) {
    const delivery: Delivery = { fact, status: undefined };
    delivered.set(`${fact.id} ${fact.at}`, delivery);
    const delay = () => random.skewed(200, profile.lateHours * hour + 300);
    system.scheduler.at(fact.at + delay(), () => deliver(delivery, 0));
    while (random.chance(profile.duplicates)) {
      system.scheduler.at(fact.at + delay() + random.skewed(0, 2 * day), () => deliver(delivery, 0));
    }
  }
  return delivered;
}

/** Plans a loss of data: the table loses all later writes, or everything. The shop then sends all past webhooks again. */
function planLoss(system: System, kind: "restored" | "emptied", at: number): void {
  const { scheduler, dynamo } = system;
  let backup: Item[] = [];
  if (kind === "restored") {
    scheduler.at(at - 5 * day, () => {
      backup = dynamo.items();
    });
  }
  const lose = () => {
    if (!system.faults.on) return;
    if (!system.isQuiet()) return scheduler.after(hour, lose);
    system.machine.trace?.("simulation", `the table is ${kind}`);
    system.wasTableLost = true;
    dynamo.restore(backup);
    // The queue would take what was sent within the last five minutes for sent already.
    scheduler.after(10 * minute, system.onTableLoss);
  };
  scheduler.at(at, lose);
}

export function planMishaps(
  system: System,
  operator: Operator,
  profile: Profile,
  random: Random,
  start: number,
  end: number,
): void {
  const { scheduler, faults } = system;
  const between = () => Math.floor(random.between(start, end));
  if (profile.passwordChanges) scheduler.at(between(), () => operator.changePassword());
  if (profile.table !== "kept") planLoss(system, profile.table, between());
  if (profile.funds === "short") scheduler.at(between(), () => operator.topUp());
  for (let at = start + day; at < end; at += day) scheduler.at(at, () => faults.on && operator.redrive());
}
