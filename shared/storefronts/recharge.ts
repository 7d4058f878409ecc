import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { countUpTo, email, id, listOf, problemIn, time } from "./fields.ts";
import { changesNothing, type Head, ignored, reading, type Standing, unparseable, whole } from "./parse-results.ts";
import { monthsOf, soldNames } from "./shopify-fields.ts";
import { isHashed, noneMatches, timeSigned, tooShort } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/**
 * Recharge Subscriptions, an app on Shopify (developer.rechargepayments.com/2021-11/webhooks_endpoints). No header
 * names the topic. The body contains the object under its kind, and is read as its full state. API versions 2021-01 and
 * 2021-11 differ in names.
 */
export const recharge: Storefront = {
  name: "recharge",

  // The API client secret of the token that registered the webhooks.
  secretProblem: (secret) => tooShort(secret),

  verify: (request, secrets, isFresh) =>
    (request.headers["x-recharge-webhook-signature"] ? signedWithTime : hashed)(request, secrets, isFresh),

  events: (body) => read(body),
};

/** Recharge repeats a delivery for 48 hours, and documents the same window for the signature's time. */
const signedWithTime = timeSigned({
  header: "X-Recharge-Webhook-Signature",
  between: ",",
  time: "t",
  signature: "v1",
  joint: ".",
  toleranceSeconds: 48 * 3600,
});

/** The older header. In spite of its name, it is SHA-256 of the secret and the body, in hex. */
const hashed: Storefront["verify"] = ({ headers, body }, secrets) => {
  const digest = headers["x-recharge-hmac-sha256"];
  if (!digest) return "needs the header X-Recharge-Webhook-Signature or X-Recharge-Hmac-Sha256";
  return isHashed(secrets, body, digest) ? undefined : noneMatches(secrets);
};

const maybe = z.nullish(id);
const ecommerceId = z.catch(z.nullish(z.object({ ecommerce: maybe })), undefined);

const sold = {
  external_variant_id: ecommerceId,
  external_product_id: ecommerceId,
  shopify_variant_id: maybe,
  shopify_product_id: maybe,
  sku: z.nullish(z.string()),
  quantity: z.nullish(countUpTo(1_000_000)),
};
type Sold = z.output<z.ZodMiniObject<typeof sold>>;

const subscription = z.object({
  id,
  customer_id: maybe,
  email,
  status: z.string(),
  updated_at: time,
  order_interval_unit: z.nullish(z.string()),
  // Units between two charges, as a number or as text. A prepaid subscription is charged less often than it ships.
  charge_interval_frequency: z.nullish(countUpTo(1000, 1)),
  ...sold,
});
type Subscription = z.output<typeof subscription>;

const charge = z.object({
  id,
  status: z.string(),
  updated_at: time,
  processed_at: z.nullish(time),
  customer: z.catch(z.nullish(z.object({ id: maybe, email })), undefined),
  customer_id: maybe,
  email,
  line_items: listOf(
    z.object({ purchase_item_type: z.nullish(z.string()), purchase_item_id: maybe, subscription_id: maybe }),
  ),
});
type Charge = z.output<typeof charge>;

const envelope = z.record(z.string(), z.unknown());

function read(body: unknown): ParsedEvent[] {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return [unparseable({ id: "", type: "no type" }, problemIn(envelope, parsed.error, body))];
  const objects = parsed.data;
  if (Object.hasOwn(objects, "charge")) {
    const head = headOf("charge", objects.charge);
    const object = z.safeParse(charge, objects.charge);
    if (object.success) return charged(object.data, head);
    return [unparseable(head, `charge.${problemIn(charge, object.error, objects.charge)}`)];
  }
  if (!Object.hasOwn(objects, "subscription")) {
    return [changesNothing({ id: "", type: Object.keys(objects)[0]?.slice(0, 60) ?? "no type" })];
  }
  const head = headOf("subscription", objects.subscription);
  return [reading(subscription, objects.subscription, "subscription", head, (object) => subscriptionIs(object, head))];
}

/** Stands in for the topic, which no header contains: "charge success". Without an event id, the body's digest is the id. */
function headOf(kind: string, object: unknown): Head {
  const { status } = z.safeParse(z.object({ status: z.string() }), object).data ?? {};
  return { id: "", type: status === undefined ? kind : `${kind} ${status.slice(0, 30).toLowerCase()}` };
}

const standings = new Map<string, Standing>([["active", "subscription.resumed"]]);

/** The statuses without further charges. The paid time is kept to its end. */
const ended = ["cancelled", "expired"];
const paidToEnd = { endsAt: undefined };

function subscriptionIs(object: Subscription, head: Head): ParsedEvent {
  const about = { subscription: object.id };
  const { updated_at: occurredAt, customer_id, email } = object;
  const customer: Customer = { ...(customer_id && { id: customer_id }), ...(email && { email }) };
  const interval = monthsOf(object.order_interval_unit, object.charge_interval_frequency ?? 1);
  const holds = { items: { asOf: occurredAt, list: [itemOf(object)] }, ...(interval && { interval }) };
  const status = object.status.toLowerCase();
  const fact = { id: head.id, occurredAt, customer };
  const events = whole(fact, holds, standings.get(status), ended.includes(status) && paidToEnd);
  return { ...head, occurredAt, kind: "facts", about, events };
}

const itemOf = (object: Sold): Item => ({
  names: soldNames({
    variant: object.external_variant_id?.ecommerce ?? object.shopify_variant_id,
    sku: object.sku,
    product: object.external_product_id?.ecommerce ?? object.shopify_product_id,
  }),
  quantity: object.quantity ?? 1,
});

/** One charge can pay several subscriptions of a customer, and goods that are bought once. */
function charged(object: Charge, head: Head): ParsedEvent[] {
  const { id: payment, updated_at: occurredAt, customer: buyer, customer_id, email } = object;
  const known = { ...head, occurredAt };
  const paid = new Set(
    object.line_items.flatMap(({ purchase_item_type, purchase_item_id, subscription_id }) =>
      purchase_item_type === "onetime" ? [] : (purchase_item_id ?? subscription_id ?? []),
    ),
  );
  if (paid.size === 0) return [ignored(known, "a charge of no subscription")];
  const subjects = [...paid].map((subscription) => ({ subscription }));
  const buyerId = buyer?.id ?? customer_id;
  const address = buyer?.email ?? email;
  const customer: Customer = { ...(buyerId && { id: buyerId }), ...(address && { email: address }) };
  const fact = { id: head.id, occurredAt, customer };
  const facts = (...events: Event[]): ParsedEvent[] =>
    subjects.map((about) => ({ ...known, kind: "facts", about, events }));

  const status = object.status.toLowerCase();
  if (status === "refunded") return facts({ ...fact, type: "payment.refunded", payment, reversed: false });
  if (status !== "success" && status !== "partially_refunded") {
    return subjects.map((about) =>
      ignored(known, `a charge that is "${status.slice(0, 30)}": nothing more is paid`, about),
    );
  }
  return facts(
    {
      ...fact,
      occurredAt: object.processed_at ?? occurredAt,
      type: "payment.succeeded",
      payment,
      covers: { intervals: 1 },
      trial: false,
    },
    { ...fact, type: "payment.refunded", payment, reversed: true },
  );
}
