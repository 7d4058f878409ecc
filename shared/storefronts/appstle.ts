import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { type Instant, toInstant } from "../licensing/time.ts";
import { countUpTo, email, listOf, problemIn, time } from "./fields.ts";
import { changesNothing, type Head, ignored, reading, type Standing, unparseable, whole } from "./parse-results.ts";
import { monthsOf, shopifyId, soldNames } from "./shopify-fields.ts";
import {
  secondsIn,
  signedId,
  signedTimestamp,
  standardKey,
  standardSecretProblem,
  standardSigned,
} from "./signatures.ts";
import type { ParsedEvent, SignedRequest, Storefront } from "./storefront.ts";

/**
 * Appstle Subscriptions, an app on Shopify (developers.subscription.appstle.com/webhooks). Svix sends its webhooks. A
 * contract contains its items, its interval, and its first order; a billing attempt, a later order that was paid.
 */
export const appstle: Storefront = {
  name: "appstle",
  headers: ["svix-id", "svix-timestamp", "webhook-id", "webhook-timestamp"],
  secretProblem: standardSecretProblem,
  verify: standardSigned((secret) => [standardKey(secret)]),
  events: (body, headers) => [read(body, headers)],
};

const envelope = z.object({ type: z.string(), data: z.looseObject({}) });

const contract = z.object({
  id: shopifyId,
  status: z.nullish(z.string()),
  createdAt: z.nullish(time),
  updatedAt: z.nullish(time),
  billingPolicy: z.nullish(z.object({ interval: z.string(), intervalCount: countUpTo(120, 1) })),
  customer: z.catch(z.nullish(z.object({ id: z.nullish(shopifyId), email })), undefined),
  originOrder: z.nullish(z.object({ id: shopifyId })),
  lines: z.nullish(
    z.object({
      nodes: listOf(
        z.object({
          variantId: z.nullish(shopifyId),
          productId: z.nullish(shopifyId),
          sku: z.nullish(z.string()),
          quantity: z.nullish(countUpTo(1_000_000)),
        }),
      ),
    }),
  ),
});
type Contract = z.output<typeof contract>;

const attempt = z.object({
  contractId: shopifyId,
  orderId: z.nullish(shopifyId),
  graphOrderId: z.nullish(shopifyId),
  status: z.nullish(z.string()),
  attemptTime: z.nullish(time),
});
type Attempt = z.output<typeof attempt>;

type Known = Head & { occurredAt: Instant };

function read(body: unknown, headers: SignedRequest["headers"]): ParsedEvent {
  const id = signedId(headers);
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return unparseable({ id, type: "no type" }, problemIn(envelope, parsed.error, body));
  const { type, data } = parsed.data;
  // The signature's time serves where the data has none. A repeated delivery has a later one.
  const sentAt = secondsIn(signedTimestamp(headers));
  if (sentAt === undefined) return unparseable({ id, type }, "the header svix-timestamp is missing");
  const head: Known = { id, type, occurredAt: toInstant(sentAt * 1000) };
  const as = <S extends z.core.$ZodType>(schema: S, interpret: (object: z.output<S>) => ParsedEvent): ParsedEvent =>
    reading(schema, data, "data", head, interpret);
  switch (type) {
    case "subscription.created":
    case "subscription.updated":
    case "subscription.activated":
    case "subscription.paused":
    case "subscription.cancelled":
    case "subscription.next-order-date-changed":
    case "subscription.billing-interval-changed":
      return as(contract, (object) => contractIs(object, head));
    case "subscription.billing-success":
      return as(attempt, (object) => paid(object, head));
    case "subscription.billing-failure":
    case "subscription.billing-skipped":
      return as(attempt, ({ contractId }) =>
        ignored(head, "a billing attempt failed or was skipped: nothing more is paid", { subscription: contractId }),
      );
    default:
      return changesNothing(head);
  }
}

const standings = new Map<string, Standing>([
  ["active", "subscription.resumed"],
  ["paused", "subscription.paused"],
]);

/** The statuses without further billing. The paid time is kept to its end. */
const ended = ["cancelled", "expired"];
const paidToEnd = { endsAt: undefined };

/** Each event contains the full contract, and an earlier event may be lost. So each is read as the full state. */
function contractIs(object: Contract, head: Known): ParsedEvent {
  const about = { subscription: object.id };
  const occurredAt = object.updatedAt ?? head.occurredAt;
  const customer: Customer = {};
  if (object.customer?.id != null) customer.id = object.customer.id;
  if (object.customer?.email != null) customer.email = object.customer.email;
  const fact = { id: head.id, occurredAt, customer };
  const list = (object.lines?.nodes ?? []).map(
    ({ variantId, sku, productId, quantity }): Item => ({
      names: soldNames({ variant: variantId, sku, product: productId }),
      quantity: quantity ?? 1,
    }),
  );
  const { billingPolicy } = object;
  const interval = billingPolicy && monthsOf(billingPolicy.interval, billingPolicy.intervalCount);
  const holds = { ...(list.length > 0 && { items: { asOf: occurredAt, list } }), ...(interval && { interval }) };
  const status = object.status?.toLowerCase() ?? "";
  const events = whole(fact, holds, standings.get(status), ended.includes(status) && paidToEnd);
  // No billing attempt pays the first period: the checkout's order does, when it makes the contract.
  if (object.originOrder && object.createdAt) {
    events.push(paymentOf(object.originOrder.id, { ...fact, occurredAt: object.createdAt }));
  }
  return { ...head, occurredAt, kind: "facts", about, events };
}

/** `nextBillingDate` is no end of a paid period: customers move it, and skip a charge by that. */
function paid(object: Attempt, head: Known): ParsedEvent {
  const about = { subscription: object.contractId };
  const order = object.orderId ?? object.graphOrderId;
  if (!order) return unparseable(head, "data.orderId: missing", about);
  if (object.status != null && object.status.toUpperCase() !== "SUCCESS") {
    return ignored(head, `a billing attempt that is ${object.status.slice(0, 30)}`, about);
  }
  const occurredAt = object.attemptTime ?? head.occurredAt;
  return { ...head, occurredAt, kind: "facts", about, events: [paymentOf(order, { id: head.id, occurredAt })] };
}

const paymentOf = (payment: string, fact: Pick<Event, "id" | "occurredAt" | "customer">): Event => ({
  ...fact,
  type: "payment.succeeded",
  payment,
  covers: { intervals: 1 },
  trial: false,
});
