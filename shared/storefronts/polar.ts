import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { type Instant, instantPlus, instantPlusMonths } from "../licensing/time.ts";
import { countUpTo, email, flag, id, listOf, problemIn, time } from "./fields.ts";
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
import { standardSigned, tooShort } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/** Polar: polar.sh/docs/integrate/webhooks/events. */
export const polar: Storefront = {
  name: "polar",
  headers: ["webhook-id"],

  // A merchant may choose it.
  secretProblem: (secret) => tooShort(secret.replace(/^whsec_/, "")),

  /**
   * Standard Webhooks, with two derivations of the key (github.com/polarsource/polar, pull request 14102). A secret
   * from before 2026-09-08 is the key as it stands, including its prefix. In a later one, the part after "whsec_" is
   * the key in base64. Older secrets can begin with "whsec_", too, so both keys are tried, as in Polar's own SDK.
   */
  verify: standardSigned((secret) => {
    const [, encoded = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
    const key = Buffer.from(encoded, "base64");
    // A key of a few bytes can be guessed.
    return key.length >= 16 ? [secret, key] : [secret];
  }),

  events: (body, headers) => [read(body, headers["webhook-id"] ?? "")],
};

const standings = new Map<string, Standing>([
  ["active", "subscription.resumed"],
  ["trialing", "subscription.resumed"],
  ["past_due", "payment.failed"],
  ["unpaid", "payment.failed"],
  ["paused", "subscription.paused"],
  ["canceled", "subscription.cancelled"],
  ["incomplete_expired", "subscription.cancelled"],
]);

const envelope = z.object({ type: z.string(), timestamp: time, data: z.looseObject({}) });

const maybe = z.nullish(id);
const count = z.nullish(countUpTo(1_000_000));
// Nothing depends on who the customer is.
const customer = z.catch(z.nullish(z.object({ email })), undefined);

/** Fields of a subscription, which an order contains as well. */
const state = {
  product_id: maybe,
  seats: count,
  units: count,
  current_period_end: z.nullish(time),
  trial_start: z.nullish(time),
  trial_end: z.nullish(time),
};

const subscription = z.object({
  ...state,
  id,
  status: z.string(),
  customer_id: maybe,
  customer,
  cancel_at_period_end: flag(false),
  ends_at: z.nullish(time),
});
type Subscription = z.output<typeof subscription>;

const order = z.object({
  id,
  created_at: time,
  status: z.nullish(z.string()),
  billing_reason: z.nullish(z.string()),
  discount_id: maybe,
  customer_id: maybe,
  customer,
  subscription_id: maybe,
  subscription: z.nullish(
    z.object({
      ...state,
      status: z.nullish(z.string()),
      current_period_start: z.nullish(time),
      recurring_interval: z.nullish(z.string()),
      recurring_interval_count: z.nullish(countUpTo(1000, 1)),
    }),
  ),
  items: listOf(
    z.object({
      // Before discounts. Negative in a credit.
      amount: z.nullish(z.number()),
      // Since API version 2026-10.
      start_timestamp: z.nullish(time),
      end_timestamp: z.nullish(time),
    }),
  ),
});
type Order = z.output<typeof order>;

const refund = z.object({ order_id: maybe, subscription_id: maybe });

type Head = { id: string; type: string; occurredAt: Instant };

function read(body: unknown, id: string): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return unparseable({ id, type: "no type" }, problemIn(envelope, parsed.error, body));
  const { type, timestamp: occurredAt, data } = parsed.data;
  const head: Head = { id, type, occurredAt };
  const as = <S extends z.core.$ZodType>(
    schema: S,
    interpret: (part: z.output<S>) => ParsedEvent,
    soldIn = "subscription_id",
  ): ParsedEvent => reading(schema, data, "data", head, interpret, soldIn);
  switch (type) {
    case "subscription.created":
    case "subscription.active":
    case "subscription.updated":
    case "subscription.cycled":
    case "subscription.past_due":
    case "subscription.paused":
    case "subscription.resumed":
    case "subscription.canceled":
    case "subscription.uncanceled":
    case "subscription.revoked":
    // Polar takes over the billing of a subscription from another provider (API version 2027-01).
    case "subscription.migrated":
      return as(subscription, (object) => subscriptionIs(object, head), "id");
    case "order.paid":
      return as(order, (object) => paid(object, head));
    case "order.refunded":
      return as(order, (object) => refunded(object, head));
    case "refund.created":
    case "refund.updated":
      return as(refund, ({ order_id, subscription_id }) =>
        ignored(
          head,
          '"order.refunded" states what it takes back',
          subscription_id ? { subscription: subscription_id } : order_id ? { reference: order_id } : undefined,
        ),
      );
    default:
      return changesNothing(head);
  }
}

const factOf = (object: Pick<Order, "customer_id" | "customer">, { id, occurredAt }: Head) => {
  const known: Customer = {};
  if (object.customer_id) known.id = object.customer_id;
  if (object.customer?.email) known.email = object.customer.email;
  return { id, occurredAt, customer: known };
};

const itemsOf = (object: Pick<Subscription, "product_id" | "seats" | "units"> | null | undefined, asOf: Instant) => {
  if (!object?.product_id) return {};
  const list: Item[] = [{ names: [object.product_id], quantity: object.seats ?? object.units ?? 1 }];
  return { items: { asOf, list } };
};

/**
 * `subscription.canceled` is an intention; `subscription.revoked` is the end, also of a subscription that all retries
 * left unpaid (its status is then "unpaid"). Polar sends a new period before it is paid, so that is no payment.
 */
function subscriptionIs(object: Subscription, head: Head): ParsedEvent {
  const { status } = object;
  const fact = factOf(object, head);
  const standing = head.type === "subscription.revoked" ? "subscription.cancelled" : standings.get(status);
  const setToEnd = object.cancel_at_period_end && { endsAt: object.ends_at ?? object.current_period_end };
  const events = whole(fact, itemsOf(object, head.occurredAt), standing, setToEnd).filter(
    // A subscription that was revoked as unpaid stays so until it is active again.
    ({ type }) => status !== "unpaid" || type !== "subscription.cancel_withdrawn",
  );
  if (status === "trialing") events.push(...trialOf(object, object.id, fact));
  return { ...head, kind: "facts", about: { subscription: object.id }, events };
}

type Trial = Pick<Subscription, "trial_start" | "trial_end">;

/** One payment, stated by each event of the trial. */
const trialOf = ({ trial_start, trial_end }: Trial, sold: string, fact: ReturnType<typeof factOf>): Event[] => {
  if (!trial_end) return [];
  const covers = { ...(trial_start && { from: trial_start }), through: trial_end };
  return [{ ...fact, type: "payment.succeeded", payment: `trial of ${sold}`, covers, trial: true }];
};

function paid(object: Order, head: Head): ParsedEvent {
  const { subscription_id: sold, subscription: of, items } = object;
  if (!sold) return ignored(head, "an order of no subscription");
  const about = { subscription: sold };
  const fact = { ...factOf(object, head), ...itemsOf(of, head.occurredAt) };
  // A trial begins with an order of zero, which Polar immediately marks as paid (order/service.py, create_trial_order).
  if (of && isFree(items) && (of.status === "trialing" || (of.trial_end && of.trial_end > object.created_at))) {
    const events = trialOf(of, sold, fact);
    return events.length > 0
      ? { ...head, kind: "facts", about, events }
      : ignored(head, "an order of zero for a trial without an end", about);
  }
  const paying = payingOf(object);
  const covers = spanOf(paying.spans);
  if (!covers) {
    return ofPeriods.includes(object.billing_reason ?? "")
      ? unparseable(head, "data.subscription: contains no period that the order can pay for", about)
      : ignored(head, "an order that charges for no period ahead", about);
  }
  const trial = paying.isFree && !object.discount_id;
  const event: Event = { ...fact, type: "payment.succeeded", payment: object.id, covers, trial };
  return { ...head, kind: "facts", about, events: [event] };
}

const ofPeriods = ["subscription_create", "subscription_cycle"];

const isFree = (items: Order["items"]): boolean => items.length > 0 && items.every(({ amount }) => amount === 0);

/**
 * The periods that the order pays for. A proration counts as well: a change of interval consists of nothing else
 * (subscription/update.py), and one within the paid period extends nothing. Metered usage is billed afterwards.
 */
function payingOf({ items, created_at, billing_reason, subscription: of }: Order): { spans: Span[]; isFree: boolean } {
  const spansOf = (some: Order["items"]) =>
    some.flatMap(({ start_timestamp: from, end_timestamp: through }): Span[] =>
      through && through > created_at ? [{ ...(from && { from }), through }] : [],
    );
  const charged = items.filter(({ amount }) => amount == null || amount > 0);
  const chargedSpans = spansOf(charged);
  if (chargedSpans.length > 0) return { spans: chargedSpans, isFree: false };
  const freeSpans = spansOf(items.filter(({ amount }) => amount === 0));
  if (freeSpans.length > 0) return { spans: freeSpans, isFree: true };
  // Before API version 2026-10 the items have no period.
  const isChange = billing_reason === "subscription_update" && charged.length > 0;
  const paysPeriod = isChange ? !items.some((item) => item.end_timestamp) : ofPeriods.includes(billing_reason ?? "");
  return { spans: of && paysPeriod ? periodsAt(created_at, of) : [], isFree: isFree(items) };
}

/**
 * The subscription's period at that time. An order of a renewal can contain the subscription as it was before
 * (github.com/polarsource/polar, issue 6134): the order then pays the next period.
 */
function periodsAt(made: Instant, of: NonNullable<Order["subscription"]>): Span[] {
  const { current_period_start: from, current_period_end: through } = of;
  if (!through) return [];
  // An hour, because the two are times of different clocks. No period is as short.
  if (through > instantPlus(made, { seconds: 3600 })) return [{ ...(from && { from }), through }];
  const next = nextEnd(through, of.recurring_interval ?? "", of.recurring_interval_count ?? 1);
  return next && next > made ? [{ from: through, through: next }] : [];
}

function nextEnd(end: Instant, interval: string, count: number): Instant | undefined {
  switch (interval) {
    case "day":
      return instantPlus(end, { days: count });
    case "week":
      return instantPlus(end, { days: 7 * count });
    case "month":
      return instantPlusMonths(end, count);
    case "year":
      return instantPlusMonths(end, 12 * count);
    default:
      return undefined;
  }
}

function refunded({ id: payment, status, subscription_id }: Order, head: Head): ParsedEvent {
  if (!subscription_id) return ignored(head, "an order of no subscription");
  const about = { subscription: subscription_id };
  if (status !== "refunded") return ignored(head, "a partial refund: the payment stands", about);
  const { id, occurredAt } = head;
  const event: Event = { id, occurredAt, type: "payment.refunded", payment, reversed: false };
  return { ...head, kind: "facts", about, events: [event] };
}
