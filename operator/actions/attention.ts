import type { Halt, ReadBalance } from "../../shared/aws/control.ts";
import type { Page } from "../../shared/aws/items.ts";
import { longestDue } from "../../shared/aws/schedule.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import { describe } from "../../shared/licensing/operation.ts";
import { type RepairName, repairsFor } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { type Instant, instantPlus } from "../../shared/licensing/time.ts";
import { adviceOn } from "./advice.ts";
import { nameOf, nowOf, type World } from "./dependencies.ts";
import { customerOf, moment } from "./format.ts";

/**
 * What needs a person. `found` is what was done about it and seen last; `repairs` are those that fit: whether one is
 * right only a person knows.
 */
export type Waiting = {
  name: string;
  since: Instant;
  reason: string;
  /** Of a subscription, as far as it is known. */
  customer?: string;
  /** What to do about it. */
  advice?: string;
  found: string[];
} & ({ is: "subscription"; repairs: RepairName[] } | { is: "event"; repairs: ("replay" | "dismiss")[] });

export type Attention = {
  halt?: Halt;
  /** As read last; it is read only with `limits.minimumBalance`. */
  balance?: ReadBalance;
  /** Of what should have been woken minutes ago the longest: the functions do not run, or fail. */
  late?: { name: string; since: Instant };
  waiting: Waiting[];
};

/** The schedule has a minute, a claim's deadline seventy seconds, a failed message half a minute at first. */
const lateAfterSeconds = 300;

/** What needs a person, longest first. */
export async function attention(world: Pick<World, "table" | "catalog" | "now">): Promise<Attention> {
  const { table } = world;
  const [halt, shared] = await Promise.all([table.halt(), pressing(world)]);
  const waiting: Waiting[] = [];
  let from: Page | undefined;
  do {
    const page = await waitingPage(world, from);
    waiting.push(...page.waiting);
    from = page.next;
  } while (from);
  return { ...(halt && { halt }), ...shared, waiting };
}

/** What is wrong with no subscription alone. */
export async function pressing(world: Pick<World, "table" | "now">): Promise<Pick<Attention, "balance" | "late">> {
  const [balance, late] = await Promise.all([world.table.balance(), lateOne(world)]);
  return { ...(balance && { balance }), ...(late && { late }) };
}

/** Of what needs a person one page, longest first. */
export async function waitingPage(
  world: Pick<World, "table" | "catalog" | "now">,
  from?: Page,
  most?: number,
): Promise<{ waiting: Waiting[]; next?: Page }> {
  const { keys, next } = await world.table.attention(from, most);
  const found = await Promise.all(keys.map(({ key }) => waitingAt(key, world)));
  return { waiting: found.flat(), ...(next && { next }) };
}

async function lateOne({ table, now }: Pick<World, "table" | "now">): Promise<Attention["late"]> {
  const late = await longestDue(table, instantPlus(nowOf({ now }), { seconds: -lateAfterSeconds }));
  return late && { name: nameOf(late.key), since: late.due };
}

async function waitingAt(key: Key, world: Pick<World, "table" | "catalog" | "now">): Promise<Waiting[]> {
  const { table, catalog } = world;
  const name = nameOf(key);
  if (partsOf(key).kind === "subscription") {
    const { subscription, agenda } = (await table.load(key)) ?? {};
    // The index is read late: by now it may be settled.
    if (!subscription || !agenda || !("attention" in agenda)) return [];
    const repairs = repairsFor(subscription, catalog, nowOf(world));
    const found = foundOf(subscription);
    const { attention: since, reason } = agenda;
    const customer = customerOf(subscription).join(", ");
    const advice = adviceOn(reason);
    const more = { ...(customer && { customer }), ...(advice && { advice }) };
    return [{ is: "subscription", name, since, reason, ...more, found, repairs }];
  }
  const unclear = (await table.events(key)).filter(({ became, settled }) => became === "unclear" && !settled);
  return unclear.map((event) => ({
    is: "event",
    name,
    since: event.received.receivedAt,
    reason: event.became === "unclear" ? event.reason : "",
    advice: "Look at what it says. Mend the shop or the catalog and read it again, or take it off the list.",
    found: [event.received.type],
    repairs: ["replay", "dismiss"],
  }));
}

/** The latest operation, where it is about that: what was called, what billmgr said, and what was seen last. */
export function foundOf({ operation, attention }: Subscription): string[] {
  if (!operation || (operation.state === "finished" && operation.outcome === "done")) return [];
  const { n, change, state, outcome, attempt, looks } = operation;
  if (attention?.operation !== undefined && attention.operation !== n) return [];
  const last = looks.at(-1);
  return [
    `operation ${n}, ${describe(change)}: ${state === "finished" ? outcome : state}`,
    ...(attempt?.said ? [`billmgr said: ${attempt.said}`] : []),
    ...(last ? [`looked ${looks.length} times, last at ${moment(last.at)}: ${last.saw}`] : []),
  ];
}
