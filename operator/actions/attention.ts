import type { Halt, ReadBalance } from "../../shared/aws/control.ts";
import type { Page } from "../../shared/aws/items.ts";
import { oldestDue } from "../../shared/aws/schedule.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import { describe } from "../../shared/licensing/operation.ts";
import { type RepairName, repairsFor } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { type Instant, instantPlus } from "../../shared/licensing/time.ts";
import { adviceOn } from "./advice.ts";
import { nameOf, nowOf, type OperatorDependencies } from "./dependencies.ts";
import { count, customerOf, moment, wordsOf } from "./format.ts";

/** `found` is the latest operation and observation; `repairs` are those whose preconditions hold. Only a person knows which is right. */
export type AttentionItem = {
  name: string;
  since: Instant;
  reason: string;
  /** The customer of a subscription, as far as known. */
  customer?: string;
  advice?: string;
  found: string[];
} & ({ kind: "subscription"; repairs: RepairName[] } | { kind: "event"; repairs: ("replay" | "dismiss")[] });

export type AttentionReport = {
  halt?: Halt;
  /** The latest read. The balance is read only with `limits.minimumBalance`. */
  balance?: ReadBalance;
  /** The oldest subscription that should have been woken minutes ago: the functions do not run, or fail. */
  overdue?: { name: string; since: Instant };
  items: AttentionItem[];
};

/** Above the schedule's minute, the seventy seconds of a claim's deadline, and the first retry of a failed message. */
const lateAfterSeconds = 300;

/** All attention items, oldest first. */
export async function attention(
  deps: Pick<OperatorDependencies, "table" | "catalog" | "now">,
): Promise<AttentionReport> {
  const { table } = deps;
  const [halt, shared] = await Promise.all([table.halt(), systemProblems(deps)]);
  const items: AttentionItem[] = [];
  let from: Page | undefined;
  do {
    const page = await attentionPage(deps, from);
    items.push(...page.items);
    from = page.next;
  } while (from);
  return { ...(halt && { halt }), ...shared, items };
}

/** System-wide problems. */
export async function systemProblems(
  deps: Pick<OperatorDependencies, "table" | "now">,
): Promise<Pick<AttentionReport, "balance" | "overdue">> {
  const [balance, late] = await Promise.all([deps.table.balance(), overdue(deps)]);
  return { ...(balance && { balance }), ...(late && { overdue: late }) };
}

/** One page of attention items, oldest first. */
export async function attentionPage(
  deps: Pick<OperatorDependencies, "table" | "catalog" | "now">,
  from?: Page,
  most?: number,
): Promise<{ items: AttentionItem[]; next?: Page }> {
  const { keys, next } = await deps.table.attention(from, most);
  const found = await Promise.all(keys.map(({ key }) => attentionAt(key, deps)));
  return { items: found.flat(), ...(next && { next }) };
}

async function overdue({
  table,
  now,
}: Pick<OperatorDependencies, "table" | "now">): Promise<AttentionReport["overdue"]> {
  const late = await oldestDue(table, instantPlus(nowOf({ now }), { seconds: -lateAfterSeconds }));
  return late && { name: nameOf(late.key), since: late.due };
}

async function attentionAt(
  key: Key,
  deps: Pick<OperatorDependencies, "table" | "catalog" | "now">,
): Promise<AttentionItem[]> {
  const { table, catalog } = deps;
  const name = nameOf(key);
  if (partsOf(key).kind === "subscription") {
    const { subscription, agenda } = (await table.load(key)) ?? {};
    // The index is eventually consistent: the subscription may have been settled since.
    if (!subscription || !agenda || !("attention" in agenda)) return [];
    const repairs = repairsFor(subscription, catalog, nowOf(deps));
    const found = foundOf(subscription);
    const { attention: since, reason } = agenda;
    const customer = customerOf(subscription).join(", ");
    const advice = adviceOn(reason);
    const more = { ...(customer && { customer }), ...(advice && { advice }) };
    return [{ kind: "subscription", name, since, reason, ...more, found, repairs }];
  }
  const unparseable = (await table.events(key)).filter(
    ({ status, resolution }) => status === "unparseable" && !resolution,
  );
  return unparseable.map((event) => ({
    kind: "event",
    name,
    since: event.received.receivedAt,
    reason: event.status === "unparseable" ? event.reason : "",
    advice: "Read what the event contains. Fix the shop or the catalog and replay the event, or dismiss it.",
    found: [event.received.type],
    repairs: ["replay", "dismiss"],
  }));
}

/** Describes the latest operation, unless the attention item is about another one. */
export function foundOf({ operation, attention }: Subscription): string[] {
  if (!operation || (operation.state === "finished" && operation.outcome === "done")) return [];
  const { n, change, state, outcome, attempt, observations } = operation;
  if (attention?.operation !== undefined && attention.operation !== n) return [];
  const last = observations.at(-1);
  return [
    `operation ${n}, ${describe(change)}: ${wordsOf(state === "finished" ? (outcome ?? "done") : state)}`,
    ...(attempt?.response ? [`billmgr responded: ${attempt.response}`] : []),
    ...(last ? [`checked ${count(observations.length, "time")}, last at ${moment(last.at)}: ${last.evidence}`] : []),
  ];
}
