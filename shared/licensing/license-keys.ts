import type { Operation } from "./operation.ts";
import type { License, Subscription } from "./subscription.ts";
import { type Instant, instantPlus, secondsBetween } from "./time.ts";

/**
 * Some families show the activation key a while after the license works. ISPsystem does not document which ones do. The
 * key is read once a minute, for at most ten minutes after the order.
 */
const keyPolling = { everySeconds: 60, maxSeconds: 600 };

/** Working licenses whose key is to be read now. Only the published license event waits for the key. */
export const licensesAwaitingKey = (subscription: Subscription, now: Instant): License[] =>
  subscription.slots.flatMap(({ license }) =>
    license?.keyAwaited !== undefined && secondsBetween(license.keyAwaited, now) >= keyPolling.everySeconds
      ? [license]
      : [],
  );

/** When to read a key next, or undefined if none is awaited. */
export const nextKeyPoll = ({ slots }: Subscription, now: Instant): Instant | undefined =>
  slots.some(({ license }) => license?.keyAwaited !== undefined)
    ? instantPlus(now, { seconds: keyPolling.everySeconds })
    : undefined;

/** Records the key that a read showed. A license that shows none for too long counts as a license without a key. */
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

/** Whether the order's license still awaits its key, so that its license event is published later. */
export function awaitsKey(
  { slots }: Subscription,
  { change, finishedAt = "", result }: Operation,
  now: Instant,
): boolean {
  const held = slots.find(({ license }) => license && license.elid === result?.license?.elid)?.license;
  const isAwaited = change.kind === "order" && held?.keyAwaited !== undefined;
  return isAwaited && secondsBetween(finishedAt, now) < keyPolling.maxSeconds;
}
