import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { type Instant, toInstant } from "../licensing/time.ts";
import { countUpTo, email, id, problemIn, unixTime } from "./fields.ts";
import { changesNothing, ignored, reading, unparseable } from "./parse-results.ts";
import { timeSigned } from "./signatures.ts";
import type { Link, ParsedEvent, Storefront } from "./storefront.ts";

/** Stripe Billing, in the API's shape since 2025-03-31.basil and in the older one where fields moved. */
export const stripe: Storefront = {
  name: "stripe",

  secretProblem: (secret) => (/^whsec_./.test(secret) ? undefined : 'is no signing secret: those begin with "whsec_"'),

  /** docs.stripe.com/webhooks/signature. The whole secret is the key; `v0` belongs to test events. */
  verify: timeSigned({ header: "Stripe-Signature", between: ",", time: "t", signature: "v1", joint: "." }),

  events: (body) => [read(body)],
};

/** An id, or the object that it was expanded to. */
const ref = z.pipe(
  z.union([id, z.object({ id })]),
  z.transform((value) => (typeof value === "string" ? value : value.id)),
);
const maybe = z.nullish(ref);

/** What is metered is billed by the call or the byte. */
const quantity = z.nullish(countUpTo(1_000_000_000_000));

/** A price (or, of old, a plan): its id, or all of it. */
const priced = z.nullish(
  z.pipe(
    z.union([id, z.object({ id, product: maybe })]),
    z.transform((value): { id: string; product?: string | null | undefined } =>
      typeof value === "string" ? { id: value } : value,
    ),
  ),
);

const list = <T extends z.core.$ZodType>(element: T) =>
  z.prefault(z.object({ data: z.array(element), has_more: z._default(z.boolean(), false) }), { data: [] });

const envelope = z.object({
  id,
  type: z.string(),
  created: unixTime,
  livemode: z._default(z.boolean(), true),
  data: z.object({ object: z.looseObject({}) }),
});

const subscription = z.object({
  id,
  status: z._default(z.string(), ""),
  customer: maybe,
  cancel_at_period_end: z._default(z.boolean(), false),
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

const line = z.object({
  amount: z.nullish(z.number()),
  quantity,
  period: z.nullish(z.object({ start: z.nullish(unixTime), end: unixTime })),
  parent: z.nullish(
    z.object({
      subscription_item_details: z.nullish(
        z.object({ proration: z._default(z.boolean(), false), subscription: maybe }),
      ),
    }),
  ),
  pricing: z.nullish(z.object({ price_details: z.nullish(z.object({ price: ref, product: maybe })) })),
  // Before 2025-03-31.basil.
  type: z.nullish(z.string()),
  proration: z.nullish(z.boolean()),
  subscription: maybe,
  price: priced,
  plan: priced,
});

const invoice = z.object({
  id,
  created: z.nullish(unixTime),
  billing_reason: z.nullish(z.string()),
  customer: maybe,
  customer_email: email,
  lines: list(line),
  parent: z.nullish(z.object({ subscription_details: z.nullish(z.object({ subscription: maybe })) })),
  // Before 2025-03-31.basil.
  subscription: maybe,
  payment_intent: maybe,
  charge: maybe,
});
type Invoice = z.output<typeof invoice>;

const invoicePayment = z.object({
  invoice: ref,
  payment: z.object({ payment_intent: maybe, charge: maybe }),
});

/** A charge, a refund or a dispute. */
const takenBack = z.object({
  id,
  payment_intent: maybe,
  charge: maybe,
  invoice: maybe,
  refunded: z.nullish(z.boolean()),
  status: z.nullish(z.string()),
});

type Head = { id: string; type: string; occurredAt: Instant; test: boolean };
type Fact = { id: string; occurredAt: Instant; customer: Customer };

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
  const as = <S extends z.core.$ZodType>(schema: S, then: (object: z.output<S>) => ParsedEvent): ParsedEvent =>
    reading(schema, data.object, "data.object", head, then);
  switch (type) {
    case "invoice.paid":
      return as(invoice, (object) => paid(object, head));
    case "invoice.payment_failed":
      return as(invoice, (object) => paymentFailed(object, head));
    case "customer.subscription.created":
    case "customer.subscription.updated":
    case "customer.subscription.paused":
    case "customer.subscription.resumed":
    case "customer.subscription.deleted":
      return as(subscription, (object) => subscriptionIs(object, head));
    case "invoice_payment.paid":
      return as(invoicePayment, ({ invoice, payment }) =>
        links(
          head,
          [payment.payment_intent, payment.charge].flatMap((reference) =>
            reference ? [{ reference, to: { reference: invoice } }] : [],
          ),
        ),
      );
    case "charge.refunded":
      return as(takenBack, (charge) =>
        charge.refunded
          ? refunded(charge.invoice ?? charge.payment_intent ?? charge.id, false, head)
          : ignored(head, "refunded in part: the payment stands"),
      );
    case "refund.failed":
      return as(takenBack, (refund) => refunded(refund.payment_intent ?? refund.charge ?? refund.id, true, head));
    case "charge.dispute.created":
    case "charge.dispute.closed":
    case "charge.dispute.funds_withdrawn":
    case "charge.dispute.funds_reinstated":
      return as(takenBack, (dispute) => disputed(dispute, head));
    default:
      return changesNothing(head);
  }
}

/** `invoice.paid` alone, not `invoice.payment_succeeded` beside it, which misses invoices marked as paid by hand. */
function paid(object: Invoice, head: Head): ParsedEvent {
  const sold = subscriptionOf(object);
  if (!sold) return ignored(head, "an invoice of no subscription");
  const lines = object.lines.data.filter((one) => isPeriod(one, sold));
  // What was metered is billed for the period that is over.
  const made = object.created ?? head.occurredAt;
  const periods = lines.flatMap(({ period }) => (period && period.end > made ? [period] : []));
  const [from] = periods.flatMap(({ start }) => start ?? []).sort();
  const [through, ...otherEnds] = new Set(periods.map(({ end }) => end));
  if (otherEnds.length > 0)
    return unparseable(head, "its lines are paid to different ends: items of several intervals");
  if (through === undefined) {
    return object.lines.has_more || object.lines.data.length === 0
      ? unparseable(head, "its period is on a line that the event does not list")
      : ignored(head, "an invoice without a period ahead (prorations): the change itself is told apart");
  }

  // The invoice's own period_end is not the period's end: of a first invoice it is the moment of its creation.
  const event: Event = {
    ...factOf(object, head),
    type: "payment.succeeded",
    payment: object.id,
    covers: { ...(from && { from }), through },
    // A full discount leaves the lines their amounts.
    trial: lines.every(({ amount }) => amount === 0),
    ...itemsOf(object, lines, made),
  };
  const links: Link[] = [object.id, object.payment_intent, object.charge].flatMap((reference, i) =>
    reference ? [{ reference, to: i === 0 ? { subscription: sold } : { reference: object.id } }] : [],
  );
  return { ...head, kind: "facts", about: { subscription: sold }, events: [event], links };
}

function paymentFailed(object: Invoice, head: Head): ParsedEvent {
  const sold = subscriptionOf(object);
  if (!sold) return ignored(head, "an invoice of no subscription");
  const event: Event = { ...factOf(object, head), type: "payment.failed", payment: object.id };
  return { ...head, kind: "facts", about: { subscription: sold }, events: [event] };
}

const subscriptionOf = (object: Invoice): string | undefined =>
  object.parent?.subscription_details?.subscription ?? object.subscription ?? undefined;

/** A line that pays a period of this subscription. */
function isPeriod(one: z.output<typeof line>, sold: string): boolean {
  const details = one.parent?.subscription_item_details;
  const of = details?.subscription ?? one.subscription;
  const proration = details ? details.proration : one.proration === true || one.type === "invoiceitem";
  return (details != null || one.parent == null) && !proration && (of == null || of === sold);
}

/**
 * The first invoice lists all that was bought. A later one lists what is billed this time (items can have intervals of
 * their own), so it serves only where the subscription itself has never been told: its facts are older than any other.
 */
function itemsOf(object: Invoice, lines: z.output<typeof line>[], made: Instant): Pick<Event, "items"> {
  const { billing_reason, lines: all } = object;
  if (all.has_more || !["subscription_create", "subscription_cycle"].includes(billing_reason ?? "")) return {};
  const sold = new Map<string, Item>();
  for (const { pricing, price, plan, quantity } of lines) {
    const named = pricing?.price_details
      ? { id: pricing.price_details.price, ...pricing.price_details }
      : (price ?? plan);
    if (!named) continue;
    // Graduated tiers have a line each, of one price.
    const before = sold.get(named.id)?.quantity ?? 0;
    sold.set(named.id, { names: namesOf(named), quantity: before + (quantity ?? 1) });
  }
  // What the subscription tells of itself in the same second counts before what its first invoice lists.
  const told = billing_reason === "subscription_create" ? Date.parse(made) - 1 : 0;
  return sold.size > 0 ? { items: { asOf: toInstant(told), list: [...sold.values()] } } : {};
}

/** An item can be sold in the catalog by its price or by its product. */
const namesOf = (price: { id: string; product?: string | null | undefined }): string[] =>
  price.product ? [price.id, price.product] : [price.id];

function factOf(object: Pick<Invoice, "customer" | "customer_email">, { id, occurredAt }: Head): Fact {
  const customer: Customer = {};
  if (object.customer) customer.id = object.customer;
  if (object.customer_email) customer.email = object.customer_email;
  return { id, occurredAt, customer };
}

/** Each event tells the whole subscription, so each is read as all that it kind: what an earlier one told may be lost. */
function subscriptionIs(object: z.output<typeof subscription>, head: Head): ParsedEvent {
  const fact: Fact = {
    id: head.id,
    occurredAt: head.occurredAt,
    customer: object.customer ? { id: object.customer } : {},
  };
  if (object.items.has_more) return unparseable(head, "more items than the event lists");
  const items = object.items.data.flatMap(({ price, plan, quantity }): Item[] => {
    const named = price ?? plan;
    return named ? [{ names: namesOf(named), quantity: quantity ?? 1 }] : [];
  });
  const changed: Event = {
    ...fact,
    type: "subscription.changed",
    ...(items.length > 0 && { items: { asOf: head.occurredAt, list: items } }),
  };
  return {
    ...head,
    kind: "facts",
    about: { subscription: object.id },
    events: [changed, ...standingOf(object, head, fact), ...endOf(object, head, fact)],
  };
}

/** `status` says paused only of a trial that ran out of payment method; paused collection shows beside it. */
function standingOf({ status, pause_collection }: z.output<typeof subscription>, head: Head, fact: Fact): Event[] {
  if (head.type === "customer.subscription.deleted") return [];
  if (status === "paused" || pause_collection) return [{ ...fact, type: "subscription.paused" }];
  if (status === "past_due" || status === "unpaid") return [{ ...fact, type: "payment.failed" }];
  if (status === "active" || status === "trialing") return [{ ...fact, type: "subscription.resumed" }];
  return [];
}

function endOf(object: z.output<typeof subscription>, head: Head, fact: Fact): Event[] {
  const { status, cancel_at, cancel_at_period_end, current_period_end, items } = object;
  if (head.type === "customer.subscription.deleted" || ["canceled", "incomplete_expired"].includes(status)) {
    return [{ ...fact, type: "subscription.cancelled" }];
  }
  const periodEnds = [current_period_end, ...items.data.map((item) => item.current_period_end)];
  const periodEnd = periodEnds
    .filter((end) => end != null)
    .sort()
    .at(-1);
  const endsAt = cancel_at ?? (cancel_at_period_end ? periodEnd : undefined);
  if (!cancel_at && !cancel_at_period_end) return [{ ...fact, type: "subscription.cancel_withdrawn" }];
  return [{ ...fact, type: "subscription.cancel_scheduled", ...(endsAt && { endsAt }) }];
}

/** Since 2025-03-31.basil a charge names no invoice: the way to its subscription is what `invoice_payment.paid` told. */
function refunded(reference: string, reversed: boolean, head: Head): ParsedEvent {
  const { id, occurredAt } = head;
  const event: Event = { id, occurredAt, type: "payment.refunded", payment: reference, reversed };
  return { ...head, kind: "facts", about: { reference }, events: [event] };
}

function disputed(dispute: z.output<typeof takenBack>, head: Head): ParsedEvent {
  const status = dispute.status ?? "";
  const reference = dispute.payment_intent ?? dispute.charge ?? dispute.id;
  if (status === "won" || head.type.endsWith("reinstated")) return refunded(reference, true, head);
  // Its end takes nothing back either: the usual end of an inquiry is a refund.
  if (status.startsWith("warning_")) return ignored(head, "an inquiry: no money has been taken back");
  return refunded(reference, false, head);
}

const links = (head: Head, found: Link[]): ParsedEvent => {
  const [first] = found;
  if (!first) return ignored(head, "names no payment");
  return { ...head, kind: "facts", about: { reference: first.reference }, events: [], links: found };
};
