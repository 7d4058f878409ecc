import type { Alteration } from "./alteration.ts";
import { Checks, checkLimits } from "./checks.ts";
import { type Counts, countBy } from "./counts.ts";
import { type Life, lifeOf } from "./life.ts";
import { Operator } from "./operator.ts";
import { type Profile, profileOf } from "./profile.ts";
import { Random } from "./random.ts";
import { day, type Fact, webhookOf } from "./shop.ts";
import { stripeLifeOf } from "./stripe-life.ts";
import { System } from "./system.ts";
import { canary } from "./world.ts";

const minute = 60_000;
const hour = 60 * minute;

export type Report = {
  seed: number;
  profile: Profile["name"];
  violations: string[];
  /** Of the subscriptions, which need a person in the end, and why. */
  attention: string[];
  webhooks: number;
  /** How the subscriptions stand in the end. */
  standings: Counts;
  faults: Counts;
  /** What billmgr did. */
  operations: Counts;
  steps: number;
};

export type Options = {
  trace?: (line: string) => void;
  alteration?: Alteration;
  /** Receives the system before anything happens in it. */
  watch?: (system: System) => void;
};

/** What goes wrong in the run of a seed. */
export const profileOfSeed = (seed: number): Profile => profileOf(new Random(seed).fork());

/** One run of everything, determined by its seed alone. */
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

  try {
    await scheduler.runUntil(end + 5 * day);
    system.faults.on = false;
    system.machine.trace?.("world", "no more faults");
    operator.cleanUp();
    await scheduler.runUntil(scheduler.now + 3 * day);
    operator.redrive();
    await scheduler.runUntil(scheduler.now + 3 * day);
    // Only what has just become due may be under way still.
    for (let hours = 0; hours < 12 && system.isAtWork(); hours++) await scheduler.runUntil(scheduler.now + hour);
  } catch (error) {
    observer.violated(`${error instanceof Error ? error.message : error}`);
  }
  alteration?.beforeChecks?.();
  for (const { fact, status } of delivered.values()) {
    if (status !== 200) observer.violated(`the webhook ${fact.id} was never answered 200 (${status})`);
  }
  if (system.queue.size() > 0) observer.violated(`${system.queue.size()} messages are left in the queue`);
  const checks = lives.map((life) => new Checks(system, life));
  for (const check of checks) check.all();
  checkLimits(system);
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
    const live = random.chance(0.2) ? stripeLifeOf : lifeOf;
    return live(`s${i + 1}`, random.fork(), start, end);
  });
}

type Delivery = { fact: Fact; status: number | undefined };

/** Each webhook comes late and repeated, and again and again until it is answered 200. */
export function deliverAll(system: System, lives: Life[], profile: Profile, random: Random): Map<string, Delivery> {
  const delivered = new Map<string, Delivery>();
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
    delivered.set(fact.id, delivery);
    const delay = () => random.skewed(200, profile.lateHours * hour + 300);
    system.scheduler.at(fact.at + delay(), () => deliver(delivery, 0));
    while (random.chance(profile.duplicates)) {
      system.scheduler.at(fact.at + delay() + random.skewed(0, 2 * day), () => deliver(delivery, 0));
    }
  }
  return delivered;
}

export function planMishaps(
  { scheduler, faults }: System,
  operator: Operator,
  profile: Profile,
  random: Random,
  start: number,
  end: number,
): void {
  const between = () => Math.floor(random.between(start, end));
  if (profile.passwordChanges) scheduler.at(between(), () => operator.changePassword());
  if (profile.funds === "short") scheduler.at(between(), () => operator.topUp());
  for (let at = start + day; at < end; at += day) scheduler.at(at, () => faults.on && operator.redrive());
}
