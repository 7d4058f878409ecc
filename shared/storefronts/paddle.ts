import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { type Instant, toInstant } from "../licensing/time.ts";
import { countUpTo, id, problemIn, time } from "./fields.ts";
import { changesNothing, ignored, reading, type Standing, unparseable, whole } from "./parse-results.ts";
import { timeSigned, tooShort } from "./signatures.ts";
import type { Link, ParsedEvent, Storefront, Subject } from "./storefront.ts";

/** Paddle Billing, not Paddle Classic: developer.paddle.com/webhooks. */
export const paddle: Storefront = {
  name: "paddle",

  secretProblem: (secret) =>
    /apikey/.test(secret)
      ? 'is an API key: the secret key of a notification destination begins with "pdl_ntfset_"'
      : tooShort(secret),

  /** Paddle's own SDK (3.10.0) takes no more than 5 s, and of several `h1`, as rolling makes them, the last alone. */
  verify: timeSigned({ header: "Paddle-Signature", between: ";", time: "ts", signature: "h1", joint: ":" }),

  events: (body) => [read(body)],
};

const standings = new Map<string, Standing>([
  ["active", "subscription.resumed"],
  ["trialing", "subscription.resumed"],
  ["past_due", "payment.failed"],
  ["paused", "subscription.paused"],
  ["canceled", "subscription.cancelled"],
]);

const firstPurchase = ["web", "api"];
/** A change of card is a transaction of zero, also while a period is unpaid. */
const paysNoPeriod = ["subscription_charge", "subscription_payment_method_change"];

const maybe = z.nullish(id);
const period = z.nullish(z.object({ starts_at: z.nullish(time), ends_at: time }));

const envelope = z.object({ event_id: id, event_type: z.string(), occurred_at: time, data: z.looseObject({}) });

/** One-off charges have no billing cycle. */
const items = z._default(
  z.array(
    z.object({
      price: z.object({ id, product_id: maybe, billing_cycle: z.nullish(z.looseObject({})) }),
      quantity: z.nullish(countUpTo(1_000_000)),
    }),
  ),
  [],
);

const subscription = z.object({
  id,
  status: z.string(),
  customer_id: maybe,
  items,
  // Null while it is paused and when it is canceled.
  current_billing_period: period,
  scheduled_change: z.nullish(z.object({ action: z.string(), effective_at: time })),
  // In `subscription.created` alone.
  transaction_id: maybe,
});

const line = z.object({
  price_id: maybe,
  proration: z.nullish(z.looseObject({})),
  totals: z.nullish(z.object({ subtotal: z.nullish(z.string()) })),
});

const transaction = z.object({
  id,
  origin: z.nullish(z.string()),
  customer_id: maybe,
  subscription_id: maybe,
  billed_at: z.nullish(time),
  billing_period: period,
  items,
  details: z.nullish(z.object({ line_items: z._default(z.array(line), []) })),
});
type Transaction = z.output<typeof transaction>;

const adjustment = z.object({
  action: z.string(),
  status: z.string(),
  transaction_id: id,
  subscription_id: maybe,
  type: z.nullish(z.string()),
  items: z._default(z.array(z.object({ type: z.nullish(z.string()) })), []),
});

type Head = { id: string; type: string; occurredAt: Instant; test: boolean };

function read(body: unknown): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return unparseable({ id: "", type: "no type" }, problemIn(envelope, parsed.error, body));
  const { event_id, event_type: type, occurred_at: occurredAt, data } = parsed.data;
  // What Paddle's simulator sends is signed as real events are. Nothing tells an event of the sandbox.
  const head: Head = { id: event_id, type, occurredAt, test: event_id.startsWith("ntfsimevt_") };
  const as = <S extends z.core.$ZodType>(schema: S, mean: (part: z.output<S>) => ParsedEvent): ParsedEvent =>
    reading(schema, data, "data", head, mean);
  switch (type) {
    case "subscription.created":
    case "subscription.imported":
    case "subscription.activated":
    case "subscription.trialing":
    case "subscription.updated":
    case "subscription.past_due":
    case "subscription.paused":
    case "subscription.resumed":
    case "subscription.canceled":
      return as(subscription, (object) => subscriptionIs(object, head));
    case "transaction.completed":
      return as(transaction, (object) => paid(object, head));
    case "transaction.payment_failed":
    case "transaction.past_due":
      // A change whose payment fails is not made, and the period stays paid; otherwise `subscription.past_due` tells it.
      return as(transaction, ({ id, origin, subscription_id, customer_id }) =>
        subscription_id && origin === "subscription_recurring"
          ? about({ subscription: subscription_id }, head, [
              { ...factOf(customer_id, head), type: "payment.failed", payment: id },
            ])
          : ignored(head, "no renewal: a first purchase or a change is tried again or given up"),
      );
    case "adjustment.created":
    case "adjustment.updated":
      return as(adjustment, (object) => adjusted(object, head));
    default:
      return changesNothing(head);
  }
}

const about = (subject: Subject, head: Head, events: Event[], links?: Link[]): ParsedEvent => ({
  ...head,
  kind: "facts",
  about: subject,
  events,
  ...(links && { links }),
});

/** No event of a subscription or a transaction tells the e-mail. */
const factOf = (customerId: string | null | undefined, { id, occurredAt }: Head) => {
  const customer: Customer = customerId ? { id: customerId } : {};
  return { id, occurredAt, customer };
};

const recurring = (list: z.output<typeof items>): Item[] =>
  list.flatMap(({ price, quantity }) =>
    price.billing_cycle
      ? [{ names: price.product_id ? [price.id, price.product_id] : [price.id], quantity: quantity ?? 1 }]
      : [],
  );

function subscriptionIs(object: z.output<typeof subscription>, head: Head): ParsedEvent {
  const { scheduled_change: change, current_billing_period: runs, transaction_id: transaction } = object;
  const list = recurring(object.items);
  const holds = {
    ...(list.length > 0 && { items: { asOf: head.occurredAt, list } }),
    // For a first payment that does not tell its period. A renewal is told before it is paid.
    ...(transaction && runs && { renewsAt: runs.ends_at }),
  };
  const standing = head.type === "subscription.canceled" ? "subscription.cancelled" : standings.get(object.status);
  const setToEnd = change?.action === "cancel" && { endsAt: change.effective_at };
  const links = transaction ? [{ reference: transaction, to: { subscription: object.id } }] : undefined;
  const events = whole(factOf(object.customer_id, head), holds, standing, setToEnd);
  return about({ subscription: object.id }, head, events, links);
}

/** `transaction.paid` comes before it, where the subscription and the period may still be missing. */
function paid(object: Transaction, head: Head): ParsedEvent {
  const { subscription_id, billing_period, billed_at } = object;
  const origin = object.origin ?? "";
  const first = firstPurchase.includes(origin);
  const list = recurring(object.items);
  const lines = object.details?.line_items ?? [];
  if (list.length === 0) return ignored(head, "a transaction of nothing that recurs");
  if (paysNoPeriod.includes(origin)) return ignored(head, "it pays no period");
  if (lines.length > 0 && lines.every(({ proration }) => proration)) {
    return ignored(head, "prorations: the change itself is told apart");
  }
  if (!first && !subscription_id) return unparseable(head, "data.subscription_id: missing");
  if (!first && !billing_period) return unparseable(head, "data.billing_period: missing");

  const began = billed_at ?? head.occurredAt;
  const sold = new Set(list.flatMap(({ names }) => names));
  const ofPeriod = lines.filter(({ price_id }) => price_id && sold.has(price_id));
  const event: Event = {
    ...factOf(object.customer_id, head),
    type: "payment.succeeded",
    payment: object.id,
    covers: billing_period
      ? { ...(billing_period.starts_at && { from: billing_period.starts_at }), through: billing_period.ends_at }
      : { periodFrom: began },
    // A full discount leaves the subtotal as it is.
    trial: first && ofPeriod.length > 0 && ofPeriod.every(({ totals }) => totals?.subtotal === "0"),
    // What was bought counts until the subscription tells itself; a renewal's list only where nothing ever told one.
    items: { asOf: first ? began : toInstant(0), list },
  };
  return about(subscription_id ? { subscription: subscription_id } : { reference: object.id }, head, [event]);
}

/** developer.paddle.com/api-reference/adjustments: most refunds wait for Paddle's approval. */
function adjusted(object: z.output<typeof adjustment>, head: Head): ParsedEvent {
  const { action, status, type, subscription_id: sold, transaction_id: payment } = object;
  const told = (reversed: boolean): ParsedEvent =>
    about(sold ? { subscription: sold } : { reference: payment }, head, [
      { id: head.id, occurredAt: head.occurredAt, type: "payment.refunded", payment, reversed },
    ]);
  const isFull = type ? type === "full" : object.items.length > 0 && object.items.every((one) => one.type === "full");
  switch (action) {
    case "refund":
      if (!isFull) return ignored(head, "refunded in part: the payment stands");
      if (status === "approved" || status === "reversed") return told(status === "reversed");
      return ignored(head, "a refund that is not approved: the payment stands");
    case "chargeback":
      return told(status === "reversed");
    case "chargeback_reverse":
      return told(true);
    default:
      return ignored(head, `"${action.slice(0, 60)}" takes no payment back`);
  }
}
