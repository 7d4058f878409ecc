import type { Halt, ReadBalance } from "../../shared/aws/control.ts";
import type { Page } from "../../shared/aws/items.ts";
import { oldestDue } from "../../shared/aws/schedule.ts";
import type { AttentionCode } from "../../shared/aws/table.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import { adviceOn, formatReason, guidance } from "../../shared/licensing/reasons.ts";
import { type RepairName, repairsFor } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { type Instant, instantPlus } from "../../shared/licensing/time.ts";
import { nameOf, nowOf, type OperatorDependencies } from "./dependencies.ts";
import { count, customerOf, moment, wordsOf } from "./format.ts";

/**
 * An attention item. `found` contains the calls that were made for it, and the last observation. `repairs` contains the
 * repairs that apply. Only an operator can decide which one is right.
 */
export type AttentionItem = {
  name: string;
  since: Instant;
  code: AttentionCode;
  reason: string;
  /** The customer of a subscription, as far as known. */
  customer?: string;
  /** The repair for an operator. */
  advice: string;
  clears: "automatically" | "by retry" | "by resolve";
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
    const { subscription } = (await table.load(key)) ?? {};
    // The index is read late: by now it may be over.
    if (!subscription?.attention) return [];
    const repairs = repairsFor(subscription, catalog, nowOf(deps));
    const found = foundOf(subscription);
    const customer = customerOf(subscription).join(", ");
    return subscription.attention.map(({ reason, since }) => ({
      kind: "subscription",
      name,
      since,
      code: reason.code,
      reason: formatReason(reason),
      ...(customer && { customer }),
      advice: adviceOn(reason),
      clears: guidance[reason.code].clears,
      found,
      repairs,
    }));
  }
  const unparseable = (await table.events(key)).filter(
    ({ status, resolution }) => status === "unparseable" && !resolution,
  );
  return unparseable.map((event) => ({
    kind: "event",
    name,
    since: event.received.receivedAt,
    code: "not_understood",
    reason: event.status === "unparseable" ? event.reason : "",
    advice: "Read what the event contains. Fix the shop or the catalog and replay the event, or dismiss it.",
    clears: "by resolve",
    found: [event.received.type],
    repairs: ["replay", "dismiss"],
  }));
}

/** The operations that the items are about: what was called, what billmgr answered, and what was observed last. */
export function foundOf(subscription: Subscription): string[] {
  const { operation, parked = [], attention = [] } = subscription;
  const latest = operation && !(operation.state === "finished" && operation.outcome === "done") ? [operation] : [];
  const isMeant = ({ n, state }: Operation) =>
    state === "finished"
      ? attention.every((item) => item.operation === undefined)
      : attention.length === 0 || attention.some((item) => item.operation === n);
  return [...parked, ...latest].filter(isMeant).flatMap(({ n, change, state, outcome, attempt, observations }) => {
    const last = observations.at(-1);
    return [
      `operation ${n}, ${describe(change)}: ${wordsOf(state === "finished" ? (outcome ?? "done") : state)}`,
      ...(attempt?.response ? [`billmgr responded: ${attempt.response}`] : []),
      ...(last ? [`checked ${count(observations.length, "time")}, last at ${moment(last.at)}: ${last.evidence}`] : []),
    ];
  });
}
