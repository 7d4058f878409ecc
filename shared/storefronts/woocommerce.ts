import * as z from "zod/mini";
import { digestOf } from "../digest.ts";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { type Instant, instantPlus, instantPlusMonths } from "../licensing/time.ts";
import { countUpTo, email, id, listOf, problemIn, time } from "./fields.ts";
import { changesNothing, type Head, ignored, type Standing, unparseable, whole } from "./parse-results.ts";
import { bodySigned, tooShort } from "./signatures.ts";
import type { Link, ParsedEvent, Storefront, Subject } from "./storefront.ts";

/**
 * WooCommerce with WooCommerce Subscriptions, with webhooks in the shape "WP REST API Integration v3". A webhook
 * contains the object as it is at delivery, not at the change (`WC_Webhook::deliver` builds the payload in a background
 * job). So each is read as the full state.
 */
export const woocommerce: Storefront = {
  name: "woocommerce",
  headers: ["x-wc-webhook-topic"],

  /** WooCommerce sends an unsigned form when a webhook is saved (`WC_Webhook::deliver_ping`). */
  isPing: ({ headers, body }) =>
    headers["x-wc-webhook-signature"] === undefined && /^webhook_id=\d{1,20}$/.test(body.toString("latin1")),

  secretProblem: (secret) => tooShort(secret),

  verify: (request, secrets, isFresh) => signed(request, [...new Set(secrets.flatMap(keysOf))], isFresh),

  events: (body, headers) => read(body, headers["x-wc-webhook-topic"] ?? ""),
};

const signed = bodySigned("X-WC-Webhook-Signature", "base64");

const entities: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#039;": "'",
  "&#39;": "'",
  "&#x27;": "'",
};

/**
 * WooCommerce signs with its secret after `wp_specialchars_decode(…, ENT_QUOTES)`. Its settings show the decoded
 * secret, its database contains it as entered, and either may be listed.
 */
const keysOf = (secret: string): string[] => [
  secret,
  secret.replace(/&(?:amp|lt|gt|quot|#0?39|#x27);/g, (entity) => entities[entity] ?? entity),
];

/** Fields in `_gmt` are UTC without a zone, such as "2027-01-31T10:00:00". A date that is not set is "", 0, or "0". */
const moment = z.pipe(
  z.nullish(z.union([z.literal(""), z.literal(0), z.literal("0"), time])),
  z.transform((value): Instant | undefined => (value ? (value === "0" ? undefined : value) : undefined)),
);

const usedMeta = [
  "_subscription_renewal",
  "_subscription_renewal_early",
  "_subscription_switch",
  "trial_end_pre_cancellation",
];

/** Plugins store values of any shape and depth here, so only the entries in use are kept. */
const metaData = z.pipe(
  listOf(z.catch(z.object({ key: z.string(), value: z.unknown() }), { key: "", value: "" })),
  z.transform((list) =>
    list.flatMap(({ key, value }) =>
      usedMeta.includes(key) ? [{ key, value: typeof value === "number" ? value : String(value ?? "") }] : [],
    ),
  ),
);

const orZero = z.pipe(
  z.nullish(z.int()),
  z.transform((value) => value ?? 0),
);

const who = {
  customer_id: z.nullish(z.int()),
  billing: z.catch(z.nullish(z.object({ email })), undefined),
};

const subscription = z.object({
  id,
  status: z.string(),
  parent_id: orZero,
  date_created_gmt: time,
  date_modified_gmt: time,
  billing_period: z.enum(["day", "week", "month", "year"]),
  // Text, although its schema says a number.
  billing_interval: countUpTo(999, 1),
  start_date_gmt: moment,
  trial_end_date_gmt: moment,
  next_payment_date_gmt: moment,
  last_payment_date_gmt: moment,
  end_date_gmt: moment,
  /** Of the subscription or its latest order (`WC_Subscription::needs_payment`). Older versions omit it. */
  needs_payment: z.nullish(z.boolean()),
  line_items: z.array(
    z.object({
      product_id: z.int(),
      variation_id: orZero,
      sku: z.nullish(z.string()),
      quantity: countUpTo(1_000_000),
    }),
  ),
  meta_data: metaData,
  ...who,
});
type Subscription = z.output<typeof subscription>;

const order = z.object({
  id,
  status: z.string(),
  date_created_gmt: time,
  date_modified_gmt: time,
  date_paid_gmt: moment,
  meta_data: metaData,
  ...who,
});
type Order = z.output<typeof order>;

function read(body: unknown, topic: string): ParsedEvent[] {
  const [resource = "", event = ""] = topic.split(".");
  const head: Head = { id: "", type: topic.slice(0, 60) || "no topic" };
  const as = <S extends z.core.$ZodType>(schema: S, then: (object: z.output<S>) => ParsedEvent[]): ParsedEvent[] => {
    const parsed = z.safeParse(schema, body);
    return parsed.success ? then(parsed.data) : [unparseable(head, problemIn(schema, parsed.error, body))];
  };
  // WordPress refuses objects that are gone or that the webhook's user may not see, and WooCommerce delivers the refusal.
  const refusal = z.safeParse(z.object({ code: z.string(), data: z.object({ status: z.number() }) }), body);
  if (refusal.success) return [unparseable(head, `WordPress refused the object: ${refusal.data.code.slice(0, 60)}`)];
  if (resource === "subscription" && event === "deleted") {
    return as(z.object({ id }), (gone) => [
      unparseable(head, `subscription ${gone.id} was deleted, and the event has no time: cancel it first`, {
        subscription: gone.id,
      }),
    ]);
  }
  if (resource === "subscription") return as(subscription, (object) => [subscriptionIs(object, head)]);
  if (resource === "order" && event !== "deleted") return as(order, (object) => orderIs(object, head));
  return [changesNothing(head)];
}

function customerOf({ customer_id, billing }: Pick<Order, "customer_id" | "billing">): Customer {
  // 0 is a guest.
  return { ...(customer_id && { id: String(customer_id) }), ...(billing?.email && { email: billing.email }) };
}

type Fact = { id: string; occurredAt: Instant; customer: Customer };

/**
 * WooCommerce has no event id: `X-WC-Webhook-Delivery-ID` hashes webhook and second, so two deliveries can share it. Of
 * two states of one second, the one that is paid further has the greater id, and counts.
 */
function subscriptionIs(object: Subscription, { type }: Head): ParsedEvent {
  const occurredAt = object.date_modified_gmt;
  const until = paidUntil(object);
  const id = [object.id, object.status, occurredAt, until ?? "", digestIn(object)].join(" ");
  const head = { id, type, occurredAt };
  const about = { subscription: object.id };
  if (object.status === "active" && !object.needs_payment && !until) {
    const reason = "next_payment_date_gmt, end_date_gmt: one of them must state how long the subscription is paid";
    return unparseable(head, reason, about);
  }
  const fact: Fact = { id, occurredAt, customer: customerOf(object) };
  const list = object.line_items.map((line): Item => ({ names: namesOf(line), quantity: line.quantity }));
  const interval = monthsOf(object);
  const holds = { ...(list.length > 0 && { items: { asOf: occurredAt, list } }), ...(interval && { interval }) };
  const end = object.end_date_gmt !== undefined && { endsAt: object.end_date_gmt };
  const events = [...whole(fact, holds, standingOf(object), end), ...paymentOf(object, until, fact)];
  // One order can buy several subscriptions.
  const links: Link[] = object.parent_id > 0 ? [{ reference: String(object.parent_id), to: about, shared: true }] : [];
  return { ...head, kind: "facts", about, events, links };
}

const digestIn = (object: Subscription | Order): string => digestOf(JSON.stringify(object)).slice(0, 16);

const monthsIn = new Map([
  ["month", 1],
  ["year", 12],
]);

/** Undefined for days and weeks. */
function monthsOf({ billing_period, billing_interval }: Subscription): number | undefined {
  const months = monthsIn.get(billing_period);
  return months && months * billing_interval;
}

/** By its variation, its SKU or its product. */
const namesOf = ({ product_id, variation_id, sku }: Subscription["line_items"][number]): string[] => [
  ...(variation_id > 0 ? [String(variation_id)] : []),
  ...(sku ? [`sku:${sku}`] : []),
  String(product_id),
];

/**
 * The last payment of a limited subscription has no next one, and one that is set to be cancelled has only its end. An
 * active subscription whose latest order is unpaid was activated by hand, or by a gateway that does not wait for SEPA.
 */
function paidUntil({ status, needs_payment, next_payment_date_gmt, end_date_gmt }: Subscription): Instant | undefined {
  if (status === "pending-cancel") return end_date_gmt;
  return status === "active" && !needs_payment ? (next_payment_date_gmt ?? end_date_gmt) : undefined;
}

/**
 * No topic is about a payment: an active subscription is paid until its next one. Each state of a period states the
 * same payment, so its order names it, and it counts once.
 */
function paymentOf(object: Subscription, through: Instant | undefined, fact: Fact): Event[] {
  if (!through) return [];
  const { billing_period, billing_interval, start_date_gmt } = object;
  const period = {
    day: () => instantPlus(through, { days: -billing_interval }),
    week: () => instantPlus(through, { days: -7 * billing_interval }),
    month: () => instantPlusMonths(through, -billing_interval),
    year: () => instantPlusMonths(through, -12 * billing_interval),
  }[billing_period]();
  const from = start_date_gmt && start_date_gmt > period ? start_date_gmt : period;
  const trialEnd = object.trial_end_date_gmt ?? trialBeforeCancelling(object);
  return [
    {
      ...fact,
      type: "payment.succeeded",
      payment: paymentNamed(object),
      covers: { from, through },
      trial: trialEnd !== undefined && through <= trialEnd,
    },
  ];
}

/**
 * `last_payment_date_gmt` is when the latest order was created, not when it was paid. If that is not after the
 * subscription's creation, it is the order that bought the subscription, which only has an id.
 */
const paymentNamed = ({ parent_id, date_created_gmt, last_payment_date_gmt }: Subscription): string =>
  last_payment_date_gmt && last_payment_date_gmt > date_created_gmt
    ? renewalOf(last_payment_date_gmt)
    : String(parent_id);

const renewalOf = (orderCreatedAt: Instant): string => `renewal of ${orderCreatedAt}`;

/** Setting a subscription to be cancelled moves the date into the meta data (`WC_Subscription::update_status`). */
function trialBeforeCancelling({ meta_data }: Subscription): Instant | undefined {
  const kept = z.safeParse(moment, meta_data.find(({ key }) => key === "trial_end_pre_cancellation")?.value);
  return kept.success ? kept.data : undefined;
}

/**
 * If a subscription is put on hold before its payment is due, a person did it. After the due date WooCommerce does it,
 * both while a payment is in progress (SEPA takes 5 to 14 days) and after it failed. Only the renewal's order differs.
 */
function standingOf({ status, next_payment_date_gmt, date_modified_gmt }: Subscription): Standing | undefined {
  if (["cancelled", "expired", "switched", "trash"].includes(status)) return "subscription.cancelled";
  if (status === "active" || status === "pending-cancel") return "subscription.resumed";
  const isDue = next_payment_date_gmt !== undefined && next_payment_date_gmt <= date_modified_gmt;
  return status === "on-hold" && !isDue ? "subscription.paused" : undefined;
}

/** An order states whether it is paid, failed, or refunded. For how long it pays, the subscription states. */
function orderIs(object: Order, { type }: Head): ParsedEvent[] {
  const { status, date_paid_gmt: paidAt, date_modified_gmt: occurredAt } = object;
  // Less than any subscription's event id: of two statements of one second, the subscription's has the dates.
  const head = { id: `0 order ${object.id} ${status} ${occurredAt} ${digestIn(object)}`, type, occurredAt };
  const valuesOf = (key: string) => object.meta_data.flatMap((meta) => (meta.key === key ? [meta.value] : []));
  const renewed = valuesOf("_subscription_renewal").flatMap((value) => z.safeParse(id, value).data ?? []);
  // The order that bought a subscription does not name it; the subscription names the order.
  const subjects: Subject[] =
    renewed.length > 0 ? renewed.map((subscription) => ({ subscription })) : [{ reference: object.id }];
  const payment = renewed.length > 0 ? renewalOf(object.date_created_gmt) : object.id;
  const fact: Fact = { id: head.id, occurredAt, customer: customerOf(object) };

  if (valuesOf("_subscription_switch").length > 0) {
    return subjects.map((about) => ignored(head, "pays for a change, not for a period", about));
  }
  const facts = (...events: Event[]): ParsedEvent[] =>
    subjects.map((about) => ({ ...head, kind: "facts", about, events }));
  if (status === "refunded") return facts({ ...fact, type: "payment.refunded", payment, reversed: false });
  if (["processing", "completed"].includes(status) && paidAt) {
    // WooCommerce creates the order when its period begins, also if it is paid later.
    const paid: Event = {
      ...fact,
      occurredAt: object.date_created_gmt,
      type: "payment.succeeded",
      payment,
      ...oneInterval,
    };
    return facts(...(renewed.length > 0 ? [paid] : []), { ...fact, type: "payment.refunded", payment, reversed: true });
  }
  // An order that the customer made early can fail, or a paid one after a dispute: the period stays paid.
  const isDue = renewed.length > 0 && !paidAt && valuesOf("_subscription_renewal_early").length === 0;
  if (status === "failed" && isDue) return facts({ ...fact, type: "payment.failed", payment });
  return subjects.map((about) => ignored(head, `an order that is ${status.slice(0, 30)}`, about));
}

/** Until the subscription states its dates. */
const oneInterval = { covers: { intervals: 1 }, trial: false };
