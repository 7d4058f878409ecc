import type * as z from "zod/mini";
import { digestOf } from "../digest.ts";
import type { announcementSchema } from "./announcement-schema.ts";
import { type ChangeKind, isDone, type Operation } from "./operation.ts";
import { formatReason, keyOfReason } from "./reasons.ts";
import type { Attention, Subscription } from "./subscription.ts";
import type { Instant } from "./time.ts";

/** The type of the published license event for each change. */
export const announcementTypes = {
  order: "license.ordered",
  prolong: "license.prolonged",
  edit: "license.edited",
  suspend: "license.suspended",
  resume: "license.resumed",
  delete: "license.deleted",
} as const satisfies Record<ChangeKind, string>;

/** A published license event: a license changed, or a subscription or event needs attention. See docs/events.md. */
export type Announcement = z.output<typeof announcementSchema>;

/** The license event of a finished operation, or undefined if it changed nothing. The subscription may be newer. */
export function announcementOf(subscription: Subscription, operation: Operation): Announcement | undefined {
  const { n, change, outcome, finishedAt, result } = operation;
  if (!isDone(outcome) || finishedAt === undefined || !result) return undefined;
  const { plan, license } = result;
  const elid = change.kind === "order" ? license?.elid : change.elid;
  if (elid === undefined) return undefined;
  const { storefront, id } = subscription;
  // billmgr may have created the key after the order was done.
  const held = subscription.slots.find((slot) => slot.license?.elid === elid)?.license;
  const key = license && (license.key ?? held?.key);
  const { trial, suspended, addons, expiry } = license ?? {};
  return {
    id: `${storefront}/${id}#operation-${n}`,
    version: 1,
    type: announcementTypes[change.kind],
    at: finishedAt,
    storefront,
    subscription: id,
    customer: customerOf(subscription),
    plan,
    license: {
      id: elid,
      family: change.family,
      ...(trial !== undefined && { trial }),
      ...(suspended !== undefined && { suspended }),
      ...(addons && { addons }),
      ...(expiry !== undefined && { expiry }),
      ...(key !== undefined && { key }),
    },
  };
}

/** The license event of an attention item. Its id stays the same as long as the item lasts. */
export const attentionOf = (subscription: Subscription, { reason, since }: Attention): Announcement => ({
  id: `${subscription.storefront}/${subscription.id}#attention-${attentionIdOf({ reason, since })}`,
  version: 1,
  type: "license.attention",
  at: since,
  storefront: subscription.storefront,
  subscription: subscription.id,
  customer: customerOf(subscription),
  code: reason.code,
  reason: formatReason(reason),
});

/** Identifies an item within its subscription. Code and time are not enough: several items can share both. */
export const attentionIdOf = ({ reason, since }: Pick<Attention, "reason" | "since">): string =>
  `${since}-${reason.code}-${digestOf(keyOfReason(reason)).slice(0, 8)}`;

/** The license event for a storefront's event that was not understood. */
export const unparseableOf = (storefront: string, event: string, since: Instant, reason: string): Announcement => ({
  id: `${storefront}/${event}#attention-${since}`,
  version: 1,
  type: "license.attention",
  at: since,
  storefront,
  customer: {},
  code: "not_understood",
  reason,
  event,
});

const customerOf = ({ customerId, email }: Subscription): Announcement["customer"] => ({
  ...(customerId && { id: customerId.value }),
  ...(email && { email: email.value }),
});
