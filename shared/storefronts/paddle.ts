import * as z from "zod/mini";
import type { Customer, Event, Item, RevocationType } from "../licensing/event.ts";
import { type Instant, toInstant } from "../licensing/time.ts";
import { countUpTo, id, listOf, problemIn, time } from "./fields.ts";
import {
  changesNothing,
  ignored,
  reading,
  type Span,
  type Standing,
  spanOf,
  unparseable,
  whole,
} from "./parse-results.ts";
import { timeSigned, tooShort } from "./signatures.ts";
import type { Link, ParsedEvent, Storefront, Subject } from "./storefront.ts";

/** Paddle Billing, not Paddle Classic: developer.paddle.com/webhooks. */
export const paddle: Storefront = {
  name: "paddle",

  secretProblem: (secret) =>
    /apikey/.test(secret)
      ? 'is an API key: the secret key of a notification destination begins with "pdl_ntfset_"'
      : tooShort(secret),

  /** Paddle's own SDK (3.10.0) accepts 5 s, and of the several `h1` of a rolled secret only the last. */
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
const coversNothing = ["subscription_charge", "subscription_payment_method_change"];

const maybe = z.nullish(id);
const period = z.nullish(z.object({ starts_at: z.nullish(time), ends_at: time }));

const envelope = z.object({ event_id: id, event_type: z.string(), occurred_at: time, data: z.looseObject({}) });

/** One-off charges have no billing cycle. */
const items = listOf(
  z.object({
    price: z.object({ id, product_id: maybe, billing_cycle: z.nullish(z.looseObject({})) }),
    quantity: z.nullish(countUpTo(1_000_000)),
    proration: z.nullish(z.looseObject({})),
  }),
);

const subscription = z.object({
  id,
  status: z.string(),
  customer_id: maybe,
  items,
  // Null while the subscription is paused and after its end.
  current_billing_period: period,
  scheduled_change: z.nullish(z.object({ action: z.string(), effective_at: time })),
  // Only in `subscription.created`.
  transaction_id: maybe,
});

const line = z.object({
  price_id: maybe,
  proration: z.nullish(z.object({ billing_period: period })),
  // Before discounts. Negative in a credit.
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
  details: z.nullish(z.object({ line_items: listOf(line) })),
});
type Transaction = z.output<typeof transaction>;

const adjustment = z.object({
  action: z.string(),
  status: z.string(),
  transaction_id: id,
  subscription_id: maybe,
  type: z.nullish(z.string()),
  items: listOf(z.object({ type: z.nullish(z.string()) })),
});

type Head = { id: string; type: string; occurredAt: Instant; test: boolean };

function read(body: unknown): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return unparseable({ id: "", type: "no type" }, problemIn(envelope, parsed.error, body));
  const { event_id, event_type: type, occurred_at: occurredAt, data } = parsed.data;
  // Paddle's simulator signs as Paddle does. Nothing marks an event of the sandbox.
  const head: Head = { id: event_id, type, occurredAt, test: event_id.startsWith("ntfsimevt_") };
  const as = <S extends z.core.$ZodType>(
    schema: S,
    interpret: (part: z.output<S>) => ParsedEvent,
    soldIn = "subscription_id",
  ): ParsedEvent => reading(schema, data, "data", head, interpret, soldIn);
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
      return as(subscription, (object) => subscriptionIs(object, head), "id");
    case "transaction.completed":
      return as(transaction, (object) => paid(object, head));
    case "transaction.payment_failed":
    case "transaction.past_due":
      return as(transaction, (object) => paymentFailed(object, head));
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

/** Events of subscriptions and transactions omit the e-mail. */
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
    // For a first payment without its period. Later events contain a new period before it is paid.
    ...(transaction && runs && { renewsAt: runs.ends_at }),
  };
  const standing = head.type === "subscription.canceled" ? "subscription.cancelled" : standings.get(object.status);
  const setToEnd = change?.action === "cancel" && { endsAt: change.effective_at };
  const links = transaction ? [{ reference: transaction, to: { subscription: object.id } }] : undefined;
  const events = whole(factOf(object.customer_id, head), holds, standing, setToEnd);
  return about({ subscription: object.id }, head, events, links);
}

const subjectOf = ({ id, subscription_id }: Transaction): Subject =>
  subscription_id ? { subscription: subscription_id } : { reference: id };

/** `transaction.paid` comes before it, where the subscription and the period may still be missing. */
function paid(object: Transaction, head: Head): ParsedEvent {
  const { subscription_id, billing_period, billed_at } = object;
  const origin = object.origin ?? "";
  const first = firstPurchase.includes(origin);
  const subject = subjectOf(object);
  const list = recurring(object.items);
  if (list.length === 0) return ignored(head, "a transaction without a recurring item", subject);
  if (coversNothing.includes(origin)) return ignored(head, "it pays no period", subject);
  if (!first && !subscription_id) return unparseable(head, "data.subscription_id: missing", subject);

  const sold = new Set(list.flatMap(({ names }) => names));
  const lines = (object.details?.line_items ?? []).filter(({ price_id }) => price_id && sold.has(price_id));
  const charged = lines.filter(({ totals }) => !(Number(totals?.subtotal ?? 1) <= 0));
  // A discount leaves the subtotal as it is: where all are zero, it is a trial or a free price.
  const isFree = lines.length > 0 && lines.every(({ totals }) => Number(totals?.subtotal ?? 1) === 0);
  if (lines.length > 0 && charged.length === 0 && (!isFree || lines.some(({ proration }) => proration))) {
    return ignored(head, "a change that charges for no period", subject);
  }
  // Prorations have a period of their own.
  const spans = (charged.length > 0 ? charged : [undefined]).flatMap(
    (one) => one?.proration?.billing_period ?? billing_period ?? [],
  );
  const covers = spanOf(spans.map(asSpan));
  if (!first && !covers) return unparseable(head, "data.billing_period: missing", subject);

  const began = billed_at ?? head.occurredAt;
  const held = recurring(object.items.filter(({ proration }) => !proration));
  const event: Event = {
    ...factOf(object.customer_id, head),
    type: "payment.succeeded",
    payment: object.id,
    covers: covers ?? { periodFrom: began },
    trial: isFree,
    // A purchase's list counts until the subscription's own events; a renewal's list only where there are none.
    ...(held.length > 0 && { items: { asOf: first ? began : toInstant(0), list: held } }),
  };
  return about(subject, head, [event]);
}

const asSpan = ({ starts_at, ends_at }: NonNullable<z.output<typeof period>>): Span => ({
  ...(starts_at && { from: starts_at }),
  through: ends_at,
});

/** Paddle does not make a change whose payment fails, and the period stays paid. */
function paymentFailed(object: Transaction, head: Head): ParsedEvent {
  const subject = subjectOf(object);
  if (!object.subscription_id || object.origin !== "subscription_recurring") {
    return ignored(head, "a transaction that is no renewal: the paid period stays paid", subject);
  }
  return about(subject, head, [{ ...factOf(object.customer_id, head), type: "payment.failed", payment: object.id }]);
}

/** developer.paddle.com/api-reference/adjustments: most refunds wait for Paddle's approval. */
function adjusted(object: z.output<typeof adjustment>, head: Head): ParsedEvent {
  const { action, status, type, subscription_id: sold, transaction_id: payment } = object;
  const subject: Subject = sold ? { subscription: sold } : { reference: payment };
  const revoked = (of: RevocationType, reversed: boolean): ParsedEvent =>
    about(subject, head, [{ id: head.id, occurredAt: head.occurredAt, type: of, payment, reversed }]);
  const isFull = type ? type === "full" : object.items.length > 0 && object.items.every((one) => one.type === "full");
  switch (action) {
    case "refund":
      if (!isFull) return ignored(head, "a partial refund: the payment stands", subject);
      if (status === "approved" || status === "reversed") return revoked("payment.refunded", status === "reversed");
      return ignored(head, "a refund that is not approved: the payment stands", subject);
    case "chargeback":
      return revoked("payment.disputed", status === "reversed");
    case "chargeback_reverse":
      return revoked("payment.disputed", true);
    default:
      return ignored(head, `"${action.slice(0, 60)}" takes no payment back`, subject);
  }
}
