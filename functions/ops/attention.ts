import type { Halt, ReadBalance } from "../../shared/aws/control.ts";
import type { Page } from "../../shared/aws/items.ts";
import { type RepairName, repairsFor } from "../../shared/licensing/repair.ts";
import { type Instant, instantPlus } from "../../shared/licensing/time.ts";
import { type Key, partsOf } from "../../shared/message.ts";
import { longestDue } from "../watch/overdue.ts";
import { nameOf, nowOf, type World } from "./world.ts";

/** What needs a person. `repairs` are those that fit; whether one is right only a person knows. */
export type Waiting = { name: string; since: Instant; reason: string } & (
  | { is: "subscription"; repairs: RepairName[] }
  | { is: "event"; repairs: ("replay" | "dismiss")[] }
);

export type Attention = {
  halt?: Halt;
  /** As read last, where it was below `limits.minimumBalance`. */
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
  const [halt, balance, late] = await Promise.all([table.halt(), table.balance(), lateOne(world)]);
  const waiting: Waiting[] = [];
  let from: Page | undefined;
  do {
    const { keys, next } = await table.attention(from);
    const found = await Promise.all(keys.map(({ key }) => waitingAt(key, world)));
    waiting.push(...found.flat());
    from = next;
  } while (from);
  return { ...(halt && { halt }), ...(balance?.low && { balance }), ...(late && { late }), waiting };
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
    return [{ is: "subscription", name, since: agenda.attention, reason: agenda.reason, repairs }];
  }
  const unclear = (await table.events(key)).filter(({ became, settled }) => became === "unclear" && !settled);
  return unclear.map((event) => ({
    is: "event",
    name,
    since: event.received.receivedAt,
    reason: event.became === "unclear" ? event.reason : "",
    repairs: ["replay", "dismiss"],
  }));
}
