import type * as z from "zod/mini";
import { digestOf } from "../digest.ts";
import type { announcementSchema } from "./announcement-schema.ts";
import { type ChangeKind, isDone, type Operation } from "./operation.ts";
import { formatReason, keyOfReason } from "./reasons.ts";
import type { Attention, Subscription } from "./subscription.ts";
import type { Instant } from "./time.ts";

/** Each change of a license, as others are told of it. */
export const announcementTypes = {
  order: "license.ordered",
  prolong: "license.prolonged",
  edit: "license.edited",
  suspend: "license.suspended",
  resume: "license.resumed",
  delete: "license.deleted",
} as const satisfies Record<ChangeKind, string>;

/** What others are told of a license, or of a person being needed: docs/events.md. */
export type Announcement = z.output<typeof announcementSchema>;

/** What a finished operation came to; undefined where nothing was changed. Its subscription may have moved on since. */
export function announcementOf(subscription: Subscription, operation: Operation): Announcement | undefined {
  const { n, change, outcome, finishedAt, result } = operation;
  if (!isDone(outcome) || finishedAt === undefined || !result) return undefined;
  const { plan, license } = result;
  const elid = change.kind === "order" ? license?.elid : change.elid;
  if (elid === undefined) return undefined;
  const { storefront, id } = subscription;
  // The key may have been made after the order was done.
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

/** An attention item of a subscription. Its id stays the same as long as the item lasts. */
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

/** Identifies an item among those of its subscription: several can have one code since one moment. */
export const attentionIdOf = ({ reason, since }: Pick<Attention, "reason" | "since">): string =>
  `${since}-${reason.code}-${digestOf(keyOfReason(reason)).slice(0, 8)}`;

/** An event that was not understood. */
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
