import * as z from "zod/mini";
import type { Event, Item, RevocationType } from "../licensing/event.ts";
import { type Instant, toInstant } from "../licensing/time.ts";
import { flag, id, problemIn, unixTime } from "./fields.ts";
import { changesNothing, ignored, reading, unparseable } from "./parse-results.ts";
import { timeSigned } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";
import { invoice, paid, paymentFailed } from "./stripe-invoice.ts";
import {
  type Fact,
  factOf,
  type Head,
  linksTo,
  list,
  maybe,
  namesOf,
  partsOf,
  priced,
  quantity,
  ref,
} from "./stripe-objects.ts";

/** Stripe Billing, in the shape of the API since 2025-03-31.basil and in the older one, where fields had other places. */
export const stripe: Storefront = {
  name: "stripe",

  secretProblem: (secret) => (/^whsec_./.test(secret) ? undefined : 'is no signing secret: those begin with "whsec_"'),

  /** docs.stripe.com/webhooks/signature. The key is the whole secret; `v0` belongs to test events. */
  verify: timeSigned({ header: "Stripe-Signature", between: ",", time: "t", signature: "v1", joint: "." }),

  events: (body) => [read(body)],
};

const envelope = z.object({
  id,
  type: z.string(),
  created: unixTime,
  livemode: flag(true),
  data: z.object({
    object: z.looseObject({}),
    previous_attributes: z.nullish(
      z.looseObject({ cancel_at: z.optional(z.unknown()), cancel_at_period_end: z.optional(z.unknown()) }),
    ),
  }),
});

const subscription = z.object({
  id,
  status: z.nullish(z.string()),
  customer: maybe,
  cancel_at_period_end: flag(false),
  cancel_at: z.nullish(unixTime),
  pause_collection: z.nullish(z.looseObject({})),
  current_period_end: z.nullish(unixTime),
  items: list(
    z.object({
      price: priced,
      plan: priced,
      quantity,
      current_period_end: z.nullish(unixTime),
    }),
  ),
});

type Subscription = z.output<typeof subscription>;

const invoicePayment = z.object({
  invoice: ref,
  payment: z.object({ payment_intent: maybe, charge: maybe }),
});

/** A charge, a refund, or a dispute. */
const takenBack = z.object({
  id,
  payment_intent: maybe,
  charge: maybe,
  invoice: maybe,
  refunded: z.nullish(z.boolean()),
  status: z.nullish(z.string()),
});

function read(body: unknown): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) {
    const thin = z.safeParse(z.object({ id, type: z.string(), object: z.literal("v2.core.event") }), body);
    if (thin.success) {
      return { ...thin.data, kind: "unparseable", reason: "a thin event: choose the snapshot payload style" };
    }
    return { id: "", type: "no type", kind: "unparseable", reason: problemIn(envelope, parsed.error, body) };
  }
  const { id: eventId, type, created, livemode, data } = parsed.data;
  const head: Head = { id: eventId, type, occurredAt: created, test: !livemode };
  const as = <S extends z.core.$ZodType>(
    schema: S,
    interpret: (object: z.output<S>) => ParsedEvent,
    soldIn?: string,
  ): ParsedEvent => reading(schema, data.object, "data.object", head, interpret, soldIn);
  switch (type) {
    case "invoice.paid":
      return as(invoice, (object) => paid(object, head));
    case "invoice.payment_failed":
      return as(invoice, (object) => paymentFailed(object, head));
    case "customer.subscription.created":
    case "customer.subscription.updated":
    case "customer.subscription.paused":
    case "customer.subscription.resumed":
    case "customer.subscription.deleted": {
      const { cancel_at, cancel_at_period_end } = data.previous_attributes ?? {};
      return as(
        subscription,
        (object) => subscriptionIs(object, head, Boolean(cancel_at || cancel_at_period_end)),
        "id",
      );
    }
    case "invoice_payment.paid":
      return as(invoicePayment, (object) => partPaid(object, head));
    case "charge.refunded":
      return as(takenBack, (charge) => refunded(charge, head));
    case "refund.failed":
      return as(takenBack, (refund) => takeBack("payment.refunded", refund, true, head));
    case "charge.dispute.created":
    case "charge.dispute.closed":
    case "charge.dispute.funds_withdrawn":
    case "charge.dispute.funds_reinstated":
      return as(takenBack, (dispute) => disputed(dispute, head));
    default:
      return changesNothing(head);
  }
}

/** Each event contains the whole subscription, and all of it counts: an earlier event may be lost. */
function subscriptionIs(object: Subscription, head: Head, isWithdrawn: boolean): ParsedEvent {
  const about = { subscription: object.id };
  const fact = factOf({ customer: object.customer }, head);
  const { data, has_more } = object.items ?? { data: [], has_more: false };
  // An end is applied also where the items are unknown.
  if (has_more && !isOver(object, head)) return unparseable(head, "more items than the event lists", about);
  const list = data.flatMap(({ price, plan, quantity }): Item[] => {
    const named = price ?? plan;
    return named ? [{ names: namesOf(named), quantity: quantity ?? 1 }] : [];
  });
  const changed: Event = {
    ...fact,
    type: "subscription.changed",
    ...(list.length > 0 && !has_more && { items: { asOf: head.occurredAt, list } }),
  };
  const events = [changed, ...standingOf(object, head, fact), endOf(object, head, fact, isWithdrawn)];
  return { ...head, kind: "facts", about, events };
}

/** `status` is paused only for a trial without a payment method; paused collection has a separate field. */
function standingOf({ status, pause_collection }: Subscription, head: Head, fact: Fact): Event[] {
  if (head.type === "customer.subscription.deleted") return [];
  if (status === "paused" || pause_collection) return [{ ...fact, type: "subscription.paused" }];
  if (status === "past_due" || status === "unpaid") return [{ ...fact, type: "payment.failed" }];
  if (status === "active" || status === "trialing") return [{ ...fact, type: "subscription.resumed" }];
  return [];
}

const isOver = ({ status }: Subscription, head: Head): boolean =>
  head.type === "customer.subscription.deleted" || status === "canceled" || status === "incomplete_expired";

/**
 * `created` is in seconds. Within one second, the end is later than a withdrawal of the cancellation
 * (`previous_attributes` contains the cancellation), and that is later than the cancellation.
 */
function endOf(object: Subscription, head: Head, fact: Fact, isWithdrawn: boolean): Event {
  const { cancel_at, cancel_at_period_end, current_period_end, items } = object;
  if (isOver(object, head)) return { ...fact, occurredAt: plusMs(fact.occurredAt, 2), type: "subscription.cancelled" };
  if (!cancel_at && !cancel_at_period_end) {
    const occurredAt = plusMs(fact.occurredAt, isWithdrawn ? 1 : 0);
    return { ...fact, occurredAt, type: "subscription.cancel_withdrawn" };
  }
  const periodEnds = [current_period_end, ...(items?.data ?? []).map((item) => item.current_period_end)];
  const periodEnd = periodEnds
    .filter((end) => end != null)
    .sort()
    .at(-1);
  const endsAt = cancel_at ?? periodEnd;
  return { ...fact, type: "subscription.cancel_scheduled", ...(endsAt && { endsAt }) };
}

const plusMs = (at: Instant, ms: number): Instant => toInstant(Date.parse(at) + ms);

/** Since 2025-03-31.basil only this event links a payment to its invoice. An invoice can have several payments. */
function partPaid({ invoice: payment, payment: by }: z.output<typeof invoicePayment>, head: Head): ParsedEvent {
  const about = { reference: payment };
  const [part] = partsOf(by);
  if (!part) return ignored(head, "an invoice payment without a payment intent or a charge", about);
  const { id, occurredAt } = head;
  const event: Event = { id, occurredAt, type: "payment.part", payment, part };
  return { ...head, kind: "facts", about, events: [event], links: linksTo(payment, by) };
}

type TakenBack = z.output<typeof takenBack>;

/** Only charges before 2025-03-31.basil name their invoice. `invoice_payment.paid` links all others to it. */
function takeBack(type: RevocationType, object: TakenBack, reversed: boolean, head: Head): ParsedEvent {
  const [part = object.id] = partsOf(object);
  const reference = object.invoice ?? part;
  const { id, occurredAt } = head;
  const event: Event = { id, occurredAt, type, payment: reference, part, reversed };
  return { ...head, kind: "facts", about: { reference }, events: [event] };
}

function refunded(charge: TakenBack, head: Head): ParsedEvent {
  if (charge.refunded) return takeBack("payment.refunded", charge, false, head);
  const [part = charge.id] = partsOf(charge);
  return ignored(head, "a partial refund: the payment stands", { reference: charge.invoice ?? part });
}

function disputed(dispute: TakenBack, head: Head): ParsedEvent {
  const status = dispute.status ?? "";
  const isWon = status === "won" || head.type.endsWith("reinstated");
  // The end of an inquiry reverses nothing: it usually ends with a refund.
  if (!isWon && status.startsWith("warning_")) {
    const [part = dispute.id] = partsOf(dispute);
    return ignored(head, "an inquiry: no money was taken back", { reference: part });
  }
  return takeBack("payment.disputed", dispute, isWon, head);
}
