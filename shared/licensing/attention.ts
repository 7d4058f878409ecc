import type { Decision } from "./decide.ts";
import { anyTarget, type Block, blockOf, type Change, isOpen, isPurchase, type Operation } from "./operation.ts";
import { keyOfReason, type Reason } from "./reasons.ts";
import type { Attention, Subscription } from "./subscription.ts";
import type { Instant } from "./time.ts";

/** The operations that may still have an effect, oldest first. */
export const openOperations = ({ operation, parked = [] }: Subscription): Operation[] => [
  ...parked,
  ...(isOpen(operation) ? [operation] : []),
];

/** Whether an attention item blocks the change, or an operation whose outcome is not known yet. */
export const isBlocked = (subscription: Subscription, change: Change, now: Instant): boolean =>
  (subscription.attention ?? []).some((item) => blocks(item, change, now)) ||
  openOperations(subscription).some((operation) => excludes(operation.change, change));

/** The wanted changes that attention items block. Items that block none of them can end. */
export const blockedTargets = (
  { attention = [] }: Subscription,
  wanted: readonly { change: Change }[],
  now: Instant,
): Block[] =>
  wanted.flatMap(({ change }) => (attention.some((item) => blocks(item, change, now)) ? [blockOf(change)] : []));

const covers = (held: Block, block: Block): boolean =>
  held.kind === block.kind && (held.target === anyTarget || (held.slot === block.slot && held.target === block.target));

const blocks = ({ blocks: held, until }: Attention, change: Change, now: Instant): boolean =>
  held !== undefined && (until === undefined || until > now) && covers(held, blockOf(change));

/** Whether a change must wait for the outcome of an open one, because both affect the same slot. */
function excludes(open: Change, change: Change): boolean {
  if (open.slot !== change.slot) return change.kind === "order" && change.replaces?.n === open.slot && isPurchase(open);
  if (isPurchase(open)) return isPurchase(change);
  if (open.kind === "delete") return true;
  if (open.kind === "edit") return change.kind === "edit";
  return change.kind === "suspend" || change.kind === "resume";
}

/**
 * Updates the attention items after a decision. An item of an outcome lasts as long as it blocks a wanted change, and
 * an item of facts as long as the facts do. A lasting item keeps its time. A backoff ends when nothing is left to
 * retry.
 */
export function withAttention(subscription: Subscription, decision: Decision, now: Instant): Subscription {
  const { attention = [], backoff, ...rest } = subscription;
  const open = openOperations(subscription);
  const lasting = attention.filter(({ operation, blocks: held, until }) => {
    if (operation !== undefined) return open.some(({ n }) => n === operation);
    if (until !== undefined && until <= now) return false;
    return held !== undefined && decision.blocked.some((block) => covers(held, block));
  });
  const stated = decision.attention.map((reason) => ({ reason, since: sinceOf(reason, attention) ?? now }));
  const items = [...lasting, ...stated].sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
  const isBackoffOver = decision.kind === "settled" && open.length === 0;
  return {
    ...rest,
    ...(items.length > 0 && { attention: items }),
    ...(backoff && !isBackoffOver && { backoff }),
  };
}

const sinceOf = (reason: Reason, attention: readonly Attention[]): Instant | undefined =>
  attention.find((item) => item.blocks === undefined && keyOfReason(item.reason) === keyOfReason(reason))?.since;

/** Adds an item, or replaces the item with the same reason and keeps that one's time. */
export function addAttention(subscription: Subscription, item: Attention): Subscription {
  const { attention = [] } = subscription;
  const key = keyOfReason(item.reason);
  const same = attention.find(({ reason }) => keyOfReason(reason) === key);
  const others = attention.filter(
    (one) => one !== same && !(item.operation !== undefined && one.operation === item.operation),
  );
  return { ...subscription, attention: [...others, { ...item, since: same?.since ?? item.since }] };
}

/** Removes the items for which `isOver` returns true. */
export function dropAttention(subscription: Subscription, isOver: (item: Attention) => boolean): Subscription {
  const { attention = [], ...rest } = subscription;
  const left = attention.filter((item) => !isOver(item));
  return { ...rest, ...(left.length > 0 && { attention: left }) };
}
