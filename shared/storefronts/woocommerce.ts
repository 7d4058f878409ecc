import * as z from "zod/mini";
import { digestOf } from "../digest.ts";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { type Instant, instantPlus, instantPlusMonths } from "../licensing/time.ts";
import { countUpTo, email, id, problemIn, time } from "./fields.ts";
import { changesNothing, type Head, ignored, type Standing, unparseable, whole } from "./parse-results.ts";
import { bodySigned, tooShort } from "./signatures.ts";
import type { Link, ParsedEvent, Storefront, Subject } from "./storefront.ts";

/**
 * WooCommerce with WooCommerce Subscriptions, its webhooks in the shape "WP REST API Integration v3". What is told is
 * the object as it is when the webhook is delivered, not as it was when something happened to it (`WC_Webhook::deliver`
 * builds the payload in a background job), so each is read as all that it says.
 */
export const woocommerce: Storefront = {
  name: "woocommerce",
  headers: ["x-wc-webhook-topic"],

  /** The ping that is sent when a webhook is saved (`WC_Webhook::deliver_ping`): a form, unsigned. */
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
 * WooCommerce signs by its secret after `wp_specialchars_decode(…, ENT_QUOTES)`. Its settings show the secret decoded,
 * its database holds it as it was entered: either may be listed.
 */
const keysOf = (secret: string): string[] => [
  secret,
  secret.replace(/&(?:amp|lt|gt|quot|#0?39|#x27);/g, (entity) => entities[entity] ?? entity),
];

/** "2027-01-31T10:00:00" without a zone is UTC in the `_gmt` fields; "" is a date that is not set. */
const moment = z.pipe(
  z.nullish(z.union([z.literal(""), z.literal(0), z.literal("0"), time])),
  z.transform((value): Instant | undefined => (value ? (value === "0" ? undefined : value) : undefined)),
);

const metaData = z._default(z.array(z.object({ key: z.string(), value: z.unknown() })), []);

const who = {
  customer_id: z.nullish(z.int()),
  billing: z.catch(z.nullish(z.object({ email })), undefined),
};

const subscription = z.object({
  id,
  status: z.string(),
  parent_id: z._default(z.int(), 0),
  date_created_gmt: time,
  date_modified_gmt: time,
  billing_period: z.enum(["day", "week", "month", "year"]),
  // In text, though its schema says a number.
  billing_interval: countUpTo(999, 1),
  start_date_gmt: moment,
  trial_end_date_gmt: moment,
  next_payment_date_gmt: moment,
  last_payment_date_gmt: moment,
  end_date_gmt: moment,
  line_items: z.array(
    z.object({
      product_id: z.int(),
      variation_id: z._default(z.int(), 0),
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
  // WordPress refuses what the webhook's user may not see, or what is gone, and the refusal is delivered.
  const refusal = z.safeParse(z.object({ code: z.string(), data: z.object({ status: z.number() }) }), body);
  if (refusal.success) return [unparseable(head, `told instead of it: ${refusal.data.code.slice(0, 60)}`)];
  if (resource === "subscription" && event === "deleted") {
    return as(z.object({ id }), (gone) => [
      unparseable(head, `subscription ${gone.id} was deleted, which tells no time: cancel it before`),
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
 * There is no id of an event (`X-WC-Webhook-Delivery-ID` hashes webhook and second: two deliveries can share it). Of two
 * states of one second the one that is paid further has the greater id, and counts.
 */
function subscriptionIs(object: Subscription, { type }: Head): ParsedEvent {
  const occurredAt = object.date_modified_gmt;
  const until = paidUntil(object);
  const read = digestOf(JSON.stringify(object)).slice(0, 16);
  const told = { id: [object.id, object.status, occurredAt, until ?? "", read].join(" "), type, occurredAt };
  if (object.status === "active" && !until) {
    return unparseable(told, "next_payment_date_gmt, end_date_gmt: neither tells how long it is paid");
  }
  const fact: Fact = { id: told.id, occurredAt, customer: customerOf(object) };
  const list = object.line_items.map((line): Item => ({ names: namesOf(line), quantity: line.quantity }));
  const holds = list.length > 0 ? { items: { asOf: occurredAt, list } } : {};
  const end = object.end_date_gmt !== undefined && { endsAt: object.end_date_gmt };
  const events = [...whole(fact, holds, standingOf(object), end), ...paymentOf(object, until, fact)];
  const bought: Link[] =
    object.parent_id > 0 ? [{ reference: String(object.parent_id), to: { subscription: object.id } }] : [];
  return { ...told, kind: "facts", about: { subscription: object.id }, events, links: bought };
}

/** By its variation, its SKU or its product. */
const namesOf = ({ product_id, variation_id, sku }: Subscription["line_items"][number]): string[] => [
  ...(variation_id > 0 ? [String(variation_id)] : []),
  ...(sku ? [`sku:${sku}`] : []),
  String(product_id),
];

/** The last payment of a subscription of limited length has no next one; one that is to be cancelled has its end only. */
const paidUntil = ({ status, next_payment_date_gmt, end_date_gmt }: Subscription): Instant | undefined =>
  status === "active"
    ? (next_payment_date_gmt ?? end_date_gmt)
    : status === "pending-cancel"
      ? end_date_gmt
      : undefined;

/**
 * No topic tells a payment: an active subscription is paid until its next one. The same payment is told by every state
 * of its period, so it is named by its order, and counts once.
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
 * `last_payment_date_gmt` is when the latest order was made, not when it was paid. Where that is no later than the
 * subscription, it is the order with which it was bought, which is known by its id alone.
 */
const paymentNamed = ({ parent_id, date_created_gmt, last_payment_date_gmt }: Subscription): string =>
  last_payment_date_gmt && last_payment_date_gmt > date_created_gmt
    ? renewalOf(last_payment_date_gmt)
    : String(parent_id);

const renewalOf = (orderMade: Instant): string => `renewal of ${orderMade}`;

/** Setting a subscription to be cancelled removes the date and keeps it beside (`WC_Subscription::update_status`). */
function trialBeforeCancelling({ meta_data }: Subscription): Instant | undefined {
  const kept = z.safeParse(moment, meta_data.find(({ key }) => key === "trial_end_pre_cancellation")?.value);
  return kept.success ? kept.data : undefined;
}

/** Put on hold by somebody, or by WooCommerce while a renewal is unpaid: then its payment is due. */
function standingOf({ status, next_payment_date_gmt, date_modified_gmt }: Subscription): Standing | undefined {
  if (["cancelled", "expired", "switched", "trash"].includes(status)) return "subscription.cancelled";
  if (status === "active" || status === "pending-cancel") return "subscription.resumed";
  if (status !== "on-hold") return undefined;
  const due = next_payment_date_gmt !== undefined && next_payment_date_gmt <= date_modified_gmt;
  return due ? "payment.failed" : "subscription.paused";
}

/** Orders tell refunds alone: what a subscription is paid for, it tells itself. */
function orderIs(object: Order, { type }: Head): ParsedEvent[] {
  const occurredAt = object.date_modified_gmt;
  const head = { id: "", type, occurredAt };
  const reversed = ["processing", "completed"].includes(object.status) && object.date_paid_gmt !== undefined;
  if (object.status !== "refunded" && !reversed)
    return [ignored(head, `an order that is ${object.status.slice(0, 30)}`)];
  const related = (key: string) => object.meta_data.flatMap((meta) => (meta.key === key ? [meta.value] : []));
  if (related("_subscription_switch").length > 0) return [ignored(head, "pays for a change, not for a period")];
  const tell = (about: Subject, payment: string): ParsedEvent => {
    const fact: Fact = { id: "", occurredAt, customer: customerOf(object) };
    return { ...head, kind: "facts", about, events: [{ ...fact, type: "payment.refunded", payment, reversed }] };
  };
  const renewed = related("_subscription_renewal").flatMap((value) => z.safeParse(id, value).data ?? []);
  // The order with which a subscription was bought does not name it; the subscription names the order.
  if (renewed.length === 0) return [tell({ reference: object.id }, object.id)];
  return renewed.map((sold) => tell({ subscription: sold }, renewalOf(object.date_created_gmt)));
}
