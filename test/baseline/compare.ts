import { referenceOf } from "../../shared/licensing/operation.ts";
import type { Alteration } from "../simulation/alteration.ts";
import type { Life } from "../simulation/life.ts";
import { Operator } from "../simulation/operator.ts";
import { type Profile, profileOf } from "../simulation/profile.ts";
import { Random } from "../simulation/random.ts";
import { deliverAll, planMishaps } from "../simulation/run.ts";
import { addMonths, day, type Fact } from "../simulation/shop.ts";
import { System } from "../simulation/system.ts";
import { useVirtualTimers } from "../simulation/timers.ts";
import { usualHandler } from "./handler.ts";

/** The results of first payments. Each should buy exactly one license. */
export type Outcome = {
  wanted: number;
  /** Payments for which a license was bought at least once. */
  placed: number;
  /** Surplus licenses: bought in addition to the first one. */
  doubled: number;
  /** Payments that bought no license and need no attention, so nobody knows of them. */
  lost: number;
  /** Payments that bought a license whose id was not stored. */
  unknown: number;
  /** Payments that need attention, with a reason. */
  waiting: number;
};

const sum = (a: Outcome, b: Outcome): Outcome => ({
  wanted: a.wanted + b.wanted,
  placed: a.placed + b.placed,
  doubled: a.doubled + b.doubled,
  lost: a.lost + b.lost,
  unknown: a.unknown + b.unknown,
  waiting: a.waiting + b.waiting,
});

/** The results of both handlers under one profile of faults. */
export type Comparison = { profile: Profile["name"]; usual: Outcome; ours: Outcome };

/** Adds up all runs of each profile. */
export function byProfile(comparisons: readonly Comparison[]): Comparison[] {
  const groups = Map.groupBy(comparisons, ({ profile }) => profile);
  return [...groups].map(([profile, all]) => ({
    profile,
    usual: all.map(({ usual }) => usual).reduce(sum),
    ours: all.map(({ ours }) => ours).reduce(sum),
  }));
}

/** Runs both handlers on the same purchases, webhooks, and faults, all drawn from one seed. */
export async function compare(seed: number): Promise<Comparison> {
  const drawn = profileOf(new Random(seed));
  const profile: Profile = { ...drawn, passwordChanges: false, limits: "wide", funds: "plenty", table: "kept" };
  const usual = await purchases(seed, profile, { handler: (_, parts) => usualHandler(parts) });
  return { profile: profile.name, usual, ours: await purchases(seed, profile) };
}

async function purchases(seed: number, profile: Profile, alteration?: Alteration): Promise<Outcome> {
  const random = new Random(seed).fork();
  const start = Date.UTC(2027, 0, 4);
  const end = start + 2 * day;
  const lives = Array.from({ length: 4 }, (_, i) => firstPayment(`s${i + 1}`, random.int(start, end)));
  const system: System = new System(profile, random.fork(), start, undefined, alteration);
  // billmgr answers as documented, so the usual handler can read the id of its order.
  system.sandbox.configure({ orderReply: "id", fundsReply: "error", deletedTwins: false });
  // Powertools reads this clock.
  const now = Date.now;
  Date.now = () => system.scheduler.now;
  const restoreTimers = useVirtualTimers(system.scheduler);
  try {
    const operator = new Operator(system, random.fork());
    deliverAll(system, lives, profile, random.fork());
    planMishaps(system, operator, profile, random.fork(), start, end);
    await system.scheduler.runUntil(end + 5 * day);
    system.faults.on = false;
    operator.cleanUp();
    await system.scheduler.runUntil(end + 12 * day);
  } finally {
    Date.now = now;
    restoreTimers();
  }
  return lives.map((life) => outcomeOf(system, life, alteration !== undefined)).reduce(sum);
}

const firstPayment = (subscription: string, at: number): Life => {
  const data = { payment: `p-${subscription}`, plan: "vm-monthly", quantity: 2 };
  const paidThrough = new Date(addMonths(at, 1)).toISOString();
  const event = { type: "payment.succeeded", data: { subscription, ...data, paidThrough } };
  const fact: Fact = { storefront: "standard", id: `e-${subscription}`, at, ...event, means: [] };
  return { storefront: "standard", subscription, facts: [fact], isPlain: true };
};

const firstSlot = { n: 1, generation: 1 };

function outcomeOf({ sandbox, dynamo, observer }: System, { subscription }: Life, isUsual: boolean): Outcome {
  const key = `subscription#standard/${subscription}`;
  const state = observer.states().find((one) => one.key === key);
  const slot = state?.subscription.slots[0];
  const [tag = ""] = isUsual
    ? [`p-${subscription}`]
    : referenceOf({ storefront: "standard", id: subscription }, firstSlot).split("-1-1");
  // An unpaid order is not a purchase.
  const mine = sandbox
    .ledger()
    .filter((entry) => entry.operation === "order" && !entry.unpaid && entry.comment.startsWith(tag));
  const kept = isUsual ? dynamo.get(key, "license")?.elid?.S : slot?.license?.elid;
  const needsAttention = state?.agenda === "attention";
  return {
    wanted: 1,
    placed: Math.min(1, mine.length),
    doubled: Math.max(0, mine.length - 1),
    lost: mine.length === 0 && !needsAttention ? 1 : 0,
    unknown: mine.length > 0 && !mine.some(({ elid }) => elid === kept) && !needsAttention ? 1 : 0,
    waiting: needsAttention ? 1 : 0,
  };
}
