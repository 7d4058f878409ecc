import * as z from "zod/mini";
import { digestOf } from "../digest.ts";
import type { Customer, Event, Item } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { countUpTo, email, id, time } from "./fields.ts";
import { changesNothing, type Head, ignored, reading, type Standing, unparseable, whole } from "./parse-results.ts";
import { monthsOf, shopifyId, soldNames } from "./shopify-fields.ts";
import { bodySigned, tooShort } from "./signatures.ts";
import type { Link, ParsedEvent, SignedRequest, Storefront } from "./storefront.ts";

/**
 * Shopify, for an app that owns its subscription contracts: only that app receives them and their billing attempts. An
 * order states what was paid and for which items; a contract, its interval and its first order; an attempt, its order
 * and its contract.
 */
export const shopify: Storefront = {
  name: "shopify",
  headers: ["x-shopify-topic", "x-shopify-triggered-at", "x-shopify-test", "shopify-topic", "shopify-triggered-at"],

  secretProblem: (secret) => tooShort(secret),

  /**
   * Shopify signs with the oldest secret that is not revoked, and was seen to do so for half an hour after that
   * (shopify-app-js#3183), so old secrets stay listed. Shopify's newer Events differ only in the names of the headers.
   */
  verify: (request, secrets, isFresh) =>
    (request.headers["shopify-hmac-sha256"] ? signedEvent : signedWebhook)(request, secrets, isFresh),

  events: (body, headers) => [read(body, headers)],
};

const signedWebhook = bodySigned("X-Shopify-Hmac-Sha256", "base64");
const signedEvent = bodySigned("shopify-hmac-sha256", "base64");

const maybe = z.nullish(shopifyId);
const count = countUpTo(1_000_000);

const order = z.object({
  id: shopifyId,
  created_at: time,
  updated_at: z.nullish(time),
  cancelled_at: z.nullish(time),
  financial_status: z.nullish(z.string()),
  test: z.nullish(z.boolean()),
  email,
  customer: z.catch(z.nullish(z.object({ id: shopifyId, email })), undefined),
  line_items: z.array(
    z.object({
      variant_id: maybe,
      product_id: maybe,
      sku: z.nullish(z.string()),
      quantity: count,
      // The rest of `quantity` after edits and refunds.
      current_quantity: z.nullish(count),
      // Since API version 2026-10. Null for a line that is not part of a subscription.
      selling_plan_id: maybe,
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
  error_code: z.nullish(z.string()),
});
type Attempt = z.output<typeof attempt>;

const dispute = z.object({
  order_id: maybe,
  type: z.nullish(z.string()),
  status: z.nullish(z.string()),
  initiated_at: z.nullish(time),
  finalized_on: z.nullish(time),
});
type Dispute = z.output<typeof dispute>;

/** Shopify signs only the body. So no header orders facts where the body contains a time or a revision. */
type Unsigned = { triggeredAt?: Instant };

const kinds = ["order", "contract", "attempt", "dispute"] as const;
type Kind = (typeof kinds)[number];

const kindOfTopic: Readonly<Record<string, Kind>> = {
  "orders/create": "order",
  "orders/paid": "order",
  "orders/updated": "order",
  "orders/cancelled": "order",
  "subscription_contracts/create": "contract",
  "subscription_contracts/update": "contract",
  "subscription_contracts/activate": "contract",
  "subscription_contracts/pause": "contract",
  "subscription_contracts/cancel": "contract",
  "subscription_contracts/expire": "contract",
  "subscription_contracts/fail": "contract",
  "subscription_billing_attempts/success": "attempt",
  "subscription_billing_attempts/failure": "attempt",
  "disputes/create": "dispute",
  "disputes/update": "dispute",
};

const kindOfResource: Readonly<Record<string, Kind>> = {
  Order: "order",
  SubscriptionContract: "contract",
  SubscriptionBillingAttempt: "attempt",
};

const named = z.object({ admin_graphql_api_id: z.string() });

/** The topic is not signed, so the body's own name for itself counts more. */
function kindOf(body: unknown, topic: string): Kind | undefined {
  const ofTopic = Object.hasOwn(kindOfTopic, topic) ? kindOfTopic[topic] : undefined;
  const [, resource = ""] =
    /^gid:\/\/shopify\/(\w+)\//.exec(z.safeParse(named, body).data?.admin_graphql_api_id ?? "") ?? [];
  return ofTopic && (Object.hasOwn(kindOfResource, resource) ? kindOfResource[resource] : ofTopic);
}

function read(body: unknown, headers: SignedRequest["headers"]): ParsedEvent {
  const given = (name: string) => headers[`x-shopify-${name}`] ?? headers[`shopify-${name}`];
  const topic = given("topic") ?? "";
  const triggeredAt = z.safeParse(time, given("triggered-at")).data;
  const unsigned: Unsigned = triggeredAt ? { triggeredAt } : {};
  const head: Head = {
    id: "",
    type: topic.slice(0, 60) || "no topic",
    ...(triggeredAt && { occurredAt: triggeredAt }),
    test: given("test") === "true",
  };
  const as = <S extends z.core.$ZodType>(schema: S, interpret: (object: z.output<S>) => ParsedEvent): ParsedEvent =>
    reading(schema, body, "", head, interpret);
  switch (kindOf(body, topic)) {
    case "order":
      return as(order, (object) => orderIs(object, head));
    case "contract":
      return as(contract, (object) => contractIs(object, head, unsigned));
    case "attempt":
      return as(attempt, (object) => attempted(object, head));
    case "dispute":
      return as(dispute, (object) => disputed(object, head, unsigned));
    default:
      return changesNothing(head);
  }
}

const digestIn = (object: Order | Contract): string => digestOf(JSON.stringify(object)).slice(0, 16);

/**
 * About the order itself: the link to its contract comes before it or after it, and an order of other goods has none.
 * Fields that the customer can write (attributes, line item properties) are not read.
 */
function orderIs(object: Order, head: Head): ParsedEvent {
  const changedAt = object.updated_at ?? object.created_at;
  // All states of an order count from its creation; of two states, the later one has the greater id, and counts.
  const known = {
    ...head,
    id: `${changedAt} ${object.id} ${digestIn(object)}`,
    occurredAt: changedAt,
    test: head.test || object.test === true,
  };
  const customer: Customer = {};
  if (object.customer) customer.id = object.customer.id;
  const address = object.customer?.email ?? object.email;
  if (address) customer.email = address;
  const payment = object.id;
  const about = { reference: payment };
  const fact = { id: known.id, occurredAt: changedAt, customer };
  const facts = (...events: Event[]): ParsedEvent => ({ ...known, kind: "facts", about, events });

  const { line_items } = object;
  const isEmptied = line_items.length > 0 && line_items.every(({ current_quantity }) => current_quantity === 0);
  const status = object.financial_status ?? "";
  if (object.cancelled_at || status === "voided")
    return facts({ ...fact, type: "payment.voided", payment, reversed: false });
  if (status === "refunded" || isEmptied) return facts({ ...fact, type: "payment.refunded", payment, reversed: false });
  if (status !== "paid" && status !== "partially_refunded") {
    return ignored(known, `an order that is ${status.slice(0, 30) || "not paid"}`, about);
  }
  return facts(
    {
      ...fact,
      // An order changes for many reasons after it was paid. A renewal's order is created by the attempt that pays it.
      occurredAt: object.created_at,
      type: "payment.succeeded",
      payment,
      covers: { intervals: 1 },
      trial: false,
      items: { asOf: object.created_at, list: line_items.map(itemOf) },
    },
    // An edit can bring lines back.
    { ...fact, type: "payment.refunded", payment, reversed: true },
  );
}

const itemOf = (line: Order["line_items"][number]): Item => ({
  names: soldNames({
    variant: line.variant_id,
    sellingPlan: line.selling_plan_id,
    sku: line.sku,
    product: line.product_id,
  }),
  quantity: line.current_quantity ?? line.quantity,
});

function contractIs(object: Contract, head: Head, { triggeredAt }: Unsigned): ParsedEvent {
  const subscription = object.id ?? object.admin_graphql_api_id;
  if (!subscription) return unparseable(head, "id: missing");
  const about = { subscription };
  const occurredAt = object.updated_at ?? triggeredAt;
  if (!occurredAt) return unparseable(head, "updated_at and the header X-Shopify-Triggered-At: missing", about);
  // Of two states of one moment, the later revision has the greater id, and counts. A pause and its end can have one
  // revision, and then two equal bodies are two events.
  const eventId = `${(object.revision_id ?? "").padStart(20, "0")} ${occurredAt} ${digestIn(object)}`;
  const buyer = object.customer_id ?? object.admin_graphql_api_customer_id;
  const fact = { id: eventId, occurredAt, customer: buyer ? { id: buyer } : {} };
  const { billing_policy } = object;
  const interval = billing_policy && monthsOf(billing_policy.interval, billing_policy.interval_count);
  const first = object.origin_order_id ?? object.admin_graphql_api_origin_order_id;
  // One checkout makes a contract for each of its billing policies, and all of them have the same first order.
  const links: Link[] = first
    ? [{ reference: first, to: about, shared: true, ...(interval && { months: interval }) }]
    : [];
  const status = object.status?.toLowerCase() ?? "";
  const events = whole(fact, interval ? { interval } : {}, standings.get(status), ended.includes(status) && paidToEnd);
  return { ...head, id: eventId, occurredAt, kind: "facts", about, events, links };
}

/** "failed" is no fact: what was paid stays paid, and the contract pays nothing more. */
const standings = new Map<string, Standing>([
  ["active", "subscription.resumed"],
  ["paused", "subscription.paused"],
]);

/** The statuses without further billing. Shopify sends no end of a period, so the paid time is kept to its end. */
const ended = ["cancelled", "expired"];
const paidToEnd = { endsAt: undefined };

/** The body of an attempt says whether it failed; its topic is not signed. */
function attempted(object: Attempt, head: Head): ParsedEvent {
  const subscription = object.subscription_contract_id ?? object.admin_graphql_api_subscription_contract_id;
  if (!subscription) return unparseable(head, "subscription_contract_id: missing");
  const about = { subscription };
  const { error_code } = object;
  // No time in the body dates a failure, and an upgrade's charge fails as well. Unpaid time begins where paid time ends.
  if (error_code || head.type.endsWith("failure")) {
    return ignored(
      head,
      `a billing attempt failed (${error_code?.slice(0, 60) ?? "no error code"}): nothing more is paid`,
      about,
    );
  }
  const paid = object.order_id ?? object.admin_graphql_api_order_id;
  if (!paid) return ignored(head, "a billing attempt without an order yet", about);
  return { ...head, kind: "facts", about: { reference: paid }, events: [], links: [{ reference: paid, to: about }] };
}

/** An inquiry takes no money. */
function disputed(object: Dispute, head: Head, { triggeredAt }: Unsigned): ParsedEvent {
  const { order_id, type, status, initiated_at, finalized_on } = object;
  if (!order_id) return ignored(head, "a dispute of no order");
  const about = { reference: order_id };
  if (type === "inquiry") return ignored(head, "an inquiry: no money was taken", about);
  const reversed = status === "won";
  const occurredAt = (reversed ? finalized_on : initiated_at) ?? triggeredAt;
  if (!occurredAt) return unparseable(head, "initiated_at, finalized_on: missing", about);
  const event: Event = { id: head.id, occurredAt, type: "payment.disputed", payment: order_id, reversed };
  return { ...head, occurredAt, kind: "facts", about, events: [event] };
}
