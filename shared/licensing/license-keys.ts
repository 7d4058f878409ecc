import type { Operation } from "./operation.ts";
import type { License, Subscription } from "./subscription.ts";
import { type Instant, instantPlus, secondsBetween } from "./time.ts";

/**
 * Some families show their key a while after the license works, and whether they do is documented nowhere: a minute between
 * two readings, and at most so long after the order.
 */
const keyPolling = { everySeconds: 60, maxSeconds: 600 };

/** Licenses that work and whose key is to be looked for now; nobody waits for that but whoever is told of the license. */
export const licensesAwaitingKey = (subscription: Subscription, now: Instant): License[] =>
  subscription.slots.flatMap(({ license }) =>
    license?.keyAwaited !== undefined && secondsBetween(license.keyAwaited, now) >= keyPolling.everySeconds
      ? [license]
      : [],
  );

/** When to look next for a key; undefined where none is awaited. */
export const nextKeyPoll = ({ slots }: Subscription, now: Instant): Instant | undefined =>
  slots.some(({ license }) => license?.keyAwaited !== undefined)
    ? instantPlus(now, { seconds: keyPolling.everySeconds })
    : undefined;

/** What the license showed of its key. After a while without one it counts as one that has none. */
export const recordKey = (
  subscription: Subscription,
  elid: string,
  key: string | undefined,
  now: Instant,
): Subscription => ({
  ...subscription,
  slots: subscription.slots.map((slot) => {
    if (slot.license?.elid !== elid) return slot;
    const { keyAwaited = now, ...license } = slot.license;
    if (key) return { ...slot, license: { ...license, key } };
    const isOver = key === undefined || secondsBetween(keyAwaited, now) >= keyPolling.maxSeconds;
    return { ...slot, license: isOver ? license : { ...license, keyAwaited } };
  }),
});

/** Whether the order's license is still to get its key, so that it is better told a little later. */
export function awaitsKey(
  { slots }: Subscription,
  { change, finishedAt = "", result }: Operation,
  now: Instant,
): boolean {
  const held = slots.find(({ license }) => license && license.elid === result?.license?.elid)?.license;
  const isAwaited = change.kind === "order" && held?.keyAwaited !== undefined;
  return isAwaited && secondsBetween(finishedAt, now) < keyPolling.maxSeconds;
}
