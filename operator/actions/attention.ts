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
import { customerOf, moment } from "./format.ts";

/**
 * One thing that an operator has to look at. `found`: what was done about it, and what was observed last. `repairs`: those
 * that apply. Only an operator can tell which one is right.
 */
export type AttentionItem = {
  name: string;
  since: Instant;
  code: AttentionCode;
  reason: string;
  /** Of a subscription, as far as it is known. */
  customer?: string;
  /** What to do about it. */
  advice: string;
  clears: "automatically" | "by retry" | "by resolve";
  found: string[];
} & ({ kind: "subscription"; repairs: RepairName[] } | { kind: "event"; repairs: ("replay" | "dismiss")[] });

export type AttentionReport = {
  halt?: Halt;
  /** As read last; it is read only with `limits.minimumBalance`. */
  balance?: ReadBalance;
  /** Of what should have been woken minutes ago the longest: the functions do not run, or fail. */
  overdue?: { name: string; since: Instant };
  items: AttentionItem[];
};

/** The schedule has a minute, a claim's deadline seventy seconds, a failed message half a minute at first. */
const lateAfterSeconds = 300;

/** What needs a person, longest first. */
export async function attention(
  deps: Pick<OperatorDependencies, "table" | "catalog" | "now">,
): Promise<AttentionReport> {
  const { table } = deps;
  const [halt, shared] = await Promise.all([table.halt(), systemProblems(deps)]);
  const waiting: AttentionItem[] = [];
  let from: Page | undefined;
  do {
    const page = await attentionPage(deps, from);
    waiting.push(...page.waiting);
    from = page.next;
  } while (from);
  return { ...(halt && { halt }), ...shared, items: waiting };
}

/** What is wrong with no subscription alone. */
export async function systemProblems(
  deps: Pick<OperatorDependencies, "table" | "now">,
): Promise<Pick<AttentionReport, "balance" | "overdue">> {
  const [balance, late] = await Promise.all([deps.table.balance(), overdue(deps)]);
  return { ...(balance && { balance }), ...(late && { overdue: late }) };
}

/** Of what needs a person one page, longest first. */
export async function attentionPage(
  deps: Pick<OperatorDependencies, "table" | "catalog" | "now">,
  from?: Page,
  most?: number,
): Promise<{ waiting: AttentionItem[]; next?: Page }> {
  const { keys, next } = await deps.table.attention(from, most);
  const found = await Promise.all(keys.map(({ key }) => attentionAt(key, deps)));
  return { waiting: found.flat(), ...(next && { next }) };
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
    advice: "Look at its body. Fix the shop or the catalog and replay it, or dismiss it.",
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
      `operation ${n}, ${describe(change)}: ${state === "finished" ? outcome : state}`,
      ...(attempt?.response ? [`billmgr said: ${attempt.response}`] : []),
      ...(last ? [`looked ${observations.length} times, last at ${moment(last.at)}: ${last.evidence}`] : []),
    ];
  });
}
