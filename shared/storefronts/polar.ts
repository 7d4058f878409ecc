import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { countUpTo, email, id, problemIn, time } from "./fields.ts";
import { changesNothing, ignored, reading, type Standing, unparseable, whole } from "./parse-results.ts";
import { standardSigned, tooShort } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/** Polar: polar.sh/docs/integrate/webhooks/events. */
export const polar: Storefront = {
  name: "polar",
  headers: ["webhook-id"],

  // A merchant may choose it.
  secretProblem: (secret) => tooShort(secret.replace(/^whsec_/, "")),

  /**
   * Standard Webhooks, with two derivations of the key: a secret from before 2026-09-08 is the key as it stands, its
   * prefix included; of one from then on the part after "whsec_" is the key in base64 (github.com/polarsource/polar,
   * pull request 14102). The older ones can begin with "whsec_" too, so both are tried, as Polar's own SDK does.
   */
  verify: standardSigned((secret) => {
    const [, encoded = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
    const key = Buffer.from(encoded, "base64");
    // A key that decodes to next to nothing would verify anybody's guess.
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
// Who the customer is decides nothing.
const customer = z.catch(z.nullish(z.object({ email })), undefined);

const sold = { product_id: maybe, seats: count, units: count };

const subscription = z.object({
  ...sold,
  id,
  status: z.string(),
  customer_id: maybe,
  customer,
  current_period_end: z.nullish(time),
  trial_start: z.nullish(time),
  trial_end: z.nullish(time),
  cancel_at_period_end: z._default(z.boolean(), false),
  ends_at: z.nullish(time),
});
type Subscription = z.output<typeof subscription>;

const order = z.object({
  id,
  created_at: time,
  status: z.string(),
  billing_reason: z.nullish(z.string()),
  customer_id: maybe,
  customer,
  subscription_id: maybe,
  subscription: z.nullish(
    z.object({ ...sold, current_period_start: z.nullish(time), current_period_end: z.nullish(time) }),
  ),
  // Since API version 2026-10 they tell their period.
  items: z._default(
    z.array(
      z.object({
        proration: z._default(z.boolean(), false),
        start_timestamp: z.nullish(time),
        end_timestamp: z.nullish(time),
      }),
    ),
    [],
  ),
});
type Order = z.output<typeof order>;

type Head = { id: string; type: string; occurredAt: Instant };

function read(body: unknown, id: string): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return unparseable({ id, type: "no type" }, problemIn(envelope, parsed.error, body));
  const { type, timestamp: occurredAt, data } = parsed.data;
  const head: Head = { id, type, occurredAt };
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
      return reading(subscription, data, "data", head, (object) => subscriptionIs(object, head));
    case "order.paid":
      return reading(order, data, "data", head, (object) => paid(object, head));
    case "order.refunded":
      return reading(order, data, "data", head, (object) => refunded(object, head));
    case "refund.created":
    case "refund.updated":
      return ignored(head, 'what it takes back of its order is told by "order.refunded"');
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
 * `subscription.canceled` is an intention; `subscription.revoked` is the end, also of one that was never paid in spite
 * of all retries (its status is then "unpaid"). A new period is told before it is paid, so it is no payment.
 */
function subscriptionIs(object: Subscription, head: Head): ParsedEvent {
  const { status, trial_end } = object;
  const fact = factOf(object, head);
  const standing = head.type === "subscription.revoked" ? "subscription.cancelled" : standings.get(status);
  const setToEnd = object.cancel_at_period_end && { endsAt: object.ends_at ?? object.current_period_end };
  const events = whole(fact, itemsOf(object, head.occurredAt), standing, setToEnd).filter(
    // What was revoked as unpaid stays so until it is active again.
    ({ type }) => status !== "unpaid" || type !== "subscription.cancel_withdrawn",
  );
  // A trial makes no order.
  if (status === "trialing" && trial_end) {
    events.push({
      ...fact,
      type: "payment.succeeded",
      payment: `trial of ${object.id}`,
      covers: { ...(object.trial_start && { from: object.trial_start }), through: trial_end },
      trial: true,
    });
  }
  return { ...head, kind: "facts", about: { subscription: object.id }, events };
}

const ofPeriods = ["subscription_create", "subscription_cycle"];

function paid(object: Order, head: Head): ParsedEvent {
  const { subscription_id, subscription: of, billing_reason } = object;
  if (!subscription_id) return ignored(head, "an order of no subscription");
  const covers = periodOf(object);
  if (!covers) {
    return ofPeriods.includes(billing_reason ?? "")
      ? unparseable(head, "data.subscription.current_period_end: missing")
      : ignored(head, "an order without a period ahead (prorations, metered use)");
  }
  const event: Event = {
    ...factOf(object, head),
    type: "payment.succeeded",
    payment: object.id,
    covers,
    trial: false,
    // The order holds the subscription as it was when the event was made.
    ...itemsOf(of, head.occurredAt),
  };
  return { ...head, kind: "facts", about: { subscription: subscription_id }, events: [event] };
}

/** The period of the order's own items; before API version 2026-10 the one that the subscription is in. */
function periodOf({
  items,
  created_at,
  billing_reason,
  subscription: of,
}: Order): { from?: Instant; through: Instant } | undefined {
  // What was metered is billed for the period that is over.
  const ahead = items.filter(({ proration, end_timestamp: end }) => !proration && end && end > created_at);
  const starts = ahead.flatMap(({ start_timestamp }) => start_timestamp ?? []).sort();
  const through = ahead
    .flatMap(({ end_timestamp }) => end_timestamp ?? [])
    .sort()
    .at(-1);
  if (through) return { ...(starts[0] && { from: starts[0] }), through };
  if (!ofPeriods.includes(billing_reason ?? "") || !of?.current_period_end) return undefined;
  return { ...(of.current_period_start && { from: of.current_period_start }), through: of.current_period_end };
}

function refunded({ id: payment, status, subscription_id }: Order, head: Head): ParsedEvent {
  if (!subscription_id) return ignored(head, "an order of no subscription");
  if (status !== "refunded") return ignored(head, "refunded in part: the payment stands");
  const { id, occurredAt } = head;
  const event: Event = { id, occurredAt, type: "payment.refunded", payment, reversed: false };
  return { ...head, kind: "facts", about: { subscription: subscription_id }, events: [event] };
}
