import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { countUpTo, email, id, time } from "./fields.ts";
import { changesNothing, type Head, ignored, reading, type Standing, unparseable, whole } from "./parse-results.ts";
import { bodySigned, tooShort } from "./signatures.ts";
import type { Link, ParsedEvent, Storefront } from "./storefront.ts";

/**
 * Shopify, for an app that owns its subscription contracts: only that app is sent them and their billing attempts. An
 * order tells what was paid and what for; the contract, its interval and its first order; an attempt, whose order it is.
 */
export const shopify: Storefront = {
  name: "shopify",
  headers: [
    "x-shopify-topic",
    "x-shopify-webhook-id",
    "x-shopify-triggered-at",
    "x-shopify-test",
    "shopify-topic",
    "shopify-webhook-id",
    "shopify-triggered-at",
  ],

  secretProblem: (secret) => tooShort(secret),

  /**
   * Old secrets stay listed: Shopify signs with the oldest one that is not revoked, and was seen to go on for half an
   * hour after that (shopify-app-js#3183). Events, its newer kind, differ in the names of the headers alone.
   */
  verify: (request, secrets, isFresh) =>
    (request.headers["shopify-hmac-sha256"] ? signedEvent : signedWebhook)(request, secrets, isFresh),

  events: (body, headers) => [read(body, headers)],
};

const signedWebhook = bodySigned("X-Shopify-Hmac-Sha256", "base64");
const signedEvent = bodySigned("shopify-hmac-sha256", "base64");

/** A number, or the whole name that GraphQL gives it ("gid://shopify/Order/1"). */
const ref = z.pipe(
  id,
  z.transform((text) => text.replace(/^gid:\/\/shopify\/\w+\//, "")),
);
const maybe = z.nullish(ref);

const order = z.object({
  id: ref,
  created_at: time,
  updated_at: z.nullish(time),
  cancelled_at: z.nullish(time),
  financial_status: z.nullish(z.string()),
  test: z.nullish(z.boolean()),
  email,
  customer: z.catch(z.nullish(z.object({ id: ref, email })), undefined),
  line_items: z.array(
    z.object({
      variant_id: maybe,
      product_id: maybe,
      sku: z.nullish(z.string()),
      quantity: countUpTo(1_000_000),
    }),
  ),
});
type Order = z.output<typeof order>;

const contract = z.object({
  id: maybe,
  admin_graphql_api_id: maybe,
  origin_order_id: maybe,
  admin_graphql_api_origin_order_id: maybe,
  customer_id: maybe,
  admin_graphql_api_customer_id: maybe,
  status: z.nullish(z.string()),
  updated_at: z.nullish(time),
  revision_id: z.nullish(id),
  billing_policy: z.nullish(z.object({ interval: z.string(), interval_count: countUpTo(120, 1) })),
});
type Contract = z.output<typeof contract>;

const attempt = z.object({
  subscription_contract_id: maybe,
  admin_graphql_api_subscription_contract_id: maybe,
  order_id: maybe,
  admin_graphql_api_order_id: maybe,
});
type Attempt = z.output<typeof attempt>;

const dispute = z.object({ order_id: maybe, type: z.nullish(z.string()), status: z.nullish(z.string()) });
type Dispute = z.output<typeof dispute>;

type Known = Head & { occurredAt: Instant; test: boolean };

function read(body: unknown, headers: Parameters<Storefront["events"]>[1]): ParsedEvent {
  const given = (name: string) => headers[`x-shopify-${name}`] ?? headers[`shopify-${name}`];
  const topic = given("topic") ?? "";
  const told = { id: given("webhook-id") ?? "", type: topic.slice(0, 60) || "no topic" };
  // No body tells when an attempt failed or a dispute was opened; the same at each delivery.
  const triggered = z.safeParse(time, given("triggered-at"));
  if (!triggered.success) {
    return unparseable(told, "the header X-Shopify-Triggered-At tells no time");
  }
  const head: Known = { ...told, occurredAt: triggered.data, test: given("test") === "true" };
  const as = <S extends z.core.$ZodType>(schema: S, then: (object: z.output<S>) => ParsedEvent): ParsedEvent =>
    reading(schema, body, "", head, then);
  switch (topic) {
    case "orders/create":
    case "orders/paid":
    case "orders/updated":
    case "orders/cancelled":
      return as(order, (object) => orderIs(object, head));
    case "subscription_contracts/create":
    case "subscription_contracts/update":
    case "subscription_contracts/activate":
    case "subscription_contracts/pause":
    case "subscription_contracts/cancel":
    case "subscription_contracts/expire":
    case "subscription_contracts/fail":
      return as(contract, (object) => contractIs(object, head));
    case "subscription_billing_attempts/success":
    case "subscription_billing_attempts/failure":
      return as(attempt, (object) => attempted(object, head));
    case "disputes/create":
    case "disputes/update":
      return as(dispute, (object) => disputed(object, head));
    default:
      return changesNothing(head);
  }
}

/**
 * About the order itself: what links it to a contract comes before it or after it, and nothing links an order of other
 * goods. Nothing that the customer can write is read (attributes, line item properties).
 */
function orderIs(object: Order, head: Known): ParsedEvent {
  const changedAt = object.updated_at ?? head.occurredAt;
  const told = { ...head, occurredAt: changedAt, test: head.test || object.test === true };
  const customer: Customer = {};
  if (object.customer) customer.id = object.customer.id;
  const address = object.customer?.email ?? object.email;
  if (address) customer.email = address;
  const status = object.financial_status ?? "";
  const about = (event: Event): ParsedEvent => ({
    ...told,
    kind: "facts",
    about: { reference: object.id },
    events: [event],
  });
  if (object.cancelled_at || status === "refunded" || status === "voided") {
    const fact = { id: head.id, occurredAt: changedAt, customer };
    return about({ ...fact, type: "payment.refunded", payment: object.id, reversed: false });
  }
  if (status !== "paid" && status !== "partially_refunded") {
    return ignored(told, `an order that is ${status.slice(0, 30) || "not paid"}`);
  }
  return about({
    id: head.id,
    // An order is changed for many reasons after it was paid; a renewal's is made by the attempt that is paid.
    occurredAt: object.created_at,
    customer,
    type: "payment.succeeded",
    payment: object.id,
    covers: { intervals: 1 },
    trial: false,
    items: { asOf: object.created_at, list: itemsOf(object) },
  });
}

/** By variant, SKU or product. */
const itemsOf = ({ line_items }: Order): Item[] =>
  line_items.map(({ variant_id, sku, product_id, quantity }) => ({
    names: [...(variant_id ? [variant_id] : []), ...(sku ? [`sku:${sku}`] : []), ...(product_id ? [product_id] : [])],
    quantity,
  }));

function contractIs(object: Contract, head: Known): ParsedEvent {
  const sold = object.id ?? object.admin_graphql_api_id;
  if (!sold) return unparseable(head, "id: missing");
  const occurredAt = object.updated_at ?? head.occurredAt;
  // Of two states of one moment the one of the later revision has the greater id, and counts.
  const told = { ...head, occurredAt, id: `${(object.revision_id ?? "").padStart(20, "0")} ${head.id}` };
  const buyer = object.customer_id ?? object.admin_graphql_api_customer_id;
  const fact = { id: told.id, occurredAt, customer: buyer ? { id: buyer } : {} };
  const interval = monthsOf(object);
  const first = object.origin_order_id ?? object.admin_graphql_api_origin_order_id;
  const links: Link[] = first ? [{ reference: first, to: { subscription: sold } }] : [];
  const status = object.status?.toLowerCase() ?? "";
  const events = whole(fact, interval ? { interval } : {}, standings.get(status), ended.includes(status) && paidToEnd);
  return { ...told, kind: "facts", about: { subscription: sold }, events, links };
}

/** By days and weeks no license is sold; where one is paid for like that, a person is told. */
function monthsOf({ billing_policy }: Contract): number | undefined {
  const months = monthsIn.get(billing_policy?.interval.toLowerCase() ?? "");
  return billing_policy && months ? months * billing_policy.interval_count : undefined;
}

const monthsIn = new Map([
  ["month", 1],
  ["year", 12],
]);

const standings = new Map<string, Standing>([
  ["active", "subscription.resumed"],
  ["paused", "subscription.paused"],
  ["failed", "payment.failed"],
]);

/** Billed no more. Shopify knows no end of a period, so what has been paid is served to its end. */
const ended = ["cancelled", "expired"];
const paidToEnd = { endsAt: undefined };

function attempted(object: Attempt, head: Known): ParsedEvent {
  const sold = object.subscription_contract_id ?? object.admin_graphql_api_subscription_contract_id;
  if (!sold) return unparseable(head, "subscription_contract_id: missing");
  const about = { subscription: sold };
  if (head.type.endsWith("failure")) {
    const event: Event = { id: head.id, occurredAt: head.occurredAt, type: "payment.failed" };
    return { ...head, kind: "facts", about, events: [event] };
  }
  const paid = object.order_id ?? object.admin_graphql_api_order_id;
  if (!paid) return unparseable(head, "order_id: missing");
  return { ...head, kind: "facts", about: { reference: paid }, events: [], links: [{ reference: paid, to: about }] };
}

/** An inquiry takes no money. */
function disputed({ order_id, type, status }: Dispute, head: Known): ParsedEvent {
  if (!order_id) return ignored(head, "a dispute of no order");
  if (type === "inquiry") return ignored(head, "an inquiry: no money has been taken back");
  const event: Event = {
    id: head.id,
    occurredAt: head.occurredAt,
    type: "payment.refunded",
    payment: order_id,
    reversed: status === "won",
  };
  return { ...head, kind: "facts", about: { reference: order_id }, events: [event] };
}
