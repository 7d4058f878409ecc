import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { countUpTo, email, flag, id, problemIn, time } from "./fields.ts";
import { changesNothing, ignored, reading, type Standing, unparseable, whole } from "./parse-results.ts";
import { bodySigned } from "./signatures.ts";
import type { ParsedEvent, Storefront, Subject } from "./storefront.ts";

/** Lemon Squeezy: docs.lemonsqueezy.com/help/webhooks/event-types. */
export const lemonsqueezy: Storefront = {
  name: "lemonsqueezy",

  secretProblem: (secret) =>
    secret.length >= 6 ? undefined : "is too short: Lemon Squeezy takes signing secrets of 6 to 40 characters",

  /** docs.lemonsqueezy.com/help/webhooks/signing-requests. No time is signed, so an old request verifies again. */
  verify: bodySigned("X-Signature", "hex"),

  events: (body) => [read(body)],
};

const standings = new Map<string, Standing>([
  ["active", "subscription.resumed"],
  ["on_trial", "subscription.resumed"],
  ["past_due", "payment.failed"],
  ["unpaid", "payment.failed"],
  ["paused", "subscription.paused"],
  // "cancelled" is an intention: the subscription is valid until `ends_at`.
  ["expired", "subscription.cancelled"],
]);

const maybe = z.nullish(id);

const envelope = z.object({
  meta: z.object({ event_name: z.string(), test_mode: flag(false) }),
  data: z.object({ type: z.string(), id, attributes: z.looseObject({}) }),
});

const subscription = z.object({
  updated_at: time,
  status: z.string(),
  customer_id: maybe,
  user_email: email,
  order_id: maybe,
  product_id: id,
  variant_id: id,
  first_subscription_item: z.nullish(z.object({ quantity: z.nullish(countUpTo(1_000_000)) })),
  trial_ends_at: z.nullish(time),
  renews_at: z.nullish(time),
  ends_at: z.nullish(time),
});

const invoice = z.object({
  created_at: time,
  updated_at: time,
  subscription_id: id,
  customer_id: maybe,
  user_email: email,
  billing_reason: z.string(),
  refunded: flag(false),
  subtotal: z.nullish(z.number()),
});
type Invoice = z.output<typeof invoice>;

const order = z.object({ updated_at: time, refunded: flag(false) });

type Head = { id: string; type: string; test: boolean };

/**
 * Lemon Squeezy gives its events no id, so the digest of the body is the id. An id of name, object, and `updated_at`
 * would be the same for two changes within one second.
 */
function read(body: unknown): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return unparseable({ id: "", type: "no type" }, problemIn(envelope, parsed.error, body));
  const { meta, data } = parsed.data;
  const head: Head = { id: "", type: meta.event_name, test: meta.test_mode };
  const as = <S extends z.core.$ZodType>(schema: S, interpret: (part: z.output<S>) => ParsedEvent): ParsedEvent =>
    reading(schema, data.attributes, "data.attributes", head, interpret);
  // Each event that contains a subscription contains its full state, for any event name.
  if (data.type === "subscriptions") return as(subscription, (object) => subscriptionIs(data.id, object, head));
  switch (meta.event_name) {
    case "subscription_payment_success":
    case "subscription_payment_recovered":
      return as(invoice, (object) => paid(data.id, object, head));
    case "subscription_payment_failed":
      return as(invoice, (object) => failed(data.id, object, head));
    case "subscription_payment_refunded":
      return as(invoice, (object) =>
        takenBack({ subscription: object.subscription_id }, paymentOf(data.id, object), object, head),
      );
    case "order_refunded":
      return as(order, (object) => takenBack({ reference: orderOf(data.id) }, orderOf(data.id), object, head));
    default:
      return changesNothing(head);
  }
}

const fact = (subject: Subject, head: Head, event: Event): ParsedEvent => ({
  ...head,
  occurredAt: event.occurredAt,
  kind: "facts",
  about: subject,
  events: [event],
});

const factOf = (object: Pick<Invoice, "updated_at" | "customer_id" | "user_email">) => {
  const customer: Customer = {};
  if (object.customer_id) customer.id = object.customer_id;
  if (object.user_email) customer.email = object.user_email;
  return { id: "", occurredAt: object.updated_at, customer };
};

/** An order names the first invoice too, and an invoice does not name its order. So the first one is named by its subscription. */
const paymentOf = (invoiceId: string, { billing_reason, subscription_id }: Invoice): string =>
  billing_reason === "initial" ? firstOf(subscription_id) : invoiceId;
const firstOf = (subscriptionId: string): string => `first invoice of ${subscriptionId}`;
const orderOf = (orderId: string): string => `order ${orderId}`;

function subscriptionIs(id: string, object: z.output<typeof subscription>, head: Head): ParsedEvent {
  const { status, variant_id, product_id, trial_ends_at, order_id, updated_at: occurredAt } = object;
  const common = factOf(object);
  // Both are numbers, so the catalog needs the prefixes. The item is null in trials.
  const item: Item = { names: [`variant:${variant_id}`, `product:${product_id}`] };
  const quantity = object.first_subscription_item?.quantity;
  if (quantity != null) item.quantity = quantity;
  // In "past_due", `renews_at` is the next attempt of the payment. In a trial, it is the trial's end.
  const renewsAt = status === "active" ? object.renews_at : status === "on_trial" ? trial_ends_at : undefined;
  const holds = { items: { asOf: occurredAt, list: [item] }, ...(renewsAt && { renewsAt }) };
  const setToEnd = status === "cancelled" && { endsAt: object.ends_at };
  const events = whole(common, holds, standings.get(status), setToEnd);
  if (status === "on_trial" && trial_ends_at) {
    events.push({
      ...common,
      type: "payment.succeeded",
      payment: `trial of ${id}`,
      covers: { through: trial_ends_at },
      trial: true,
    });
  }
  const links = [
    { reference: orderOf(order_id ?? ""), to: { reference: firstOf(id) } },
    { reference: firstOf(id), to: { subscription: id } },
  ];
  const isLinked = head.type === "subscription_created" && order_id != null;
  return { ...head, occurredAt, kind: "facts", about: { subscription: id }, events, ...(isLinked && { links }) };
}

/** An invoice contains no period: it pays the one that begins with it, to the renewal that the subscription contains. */
function paid(invoiceId: string, object: Invoice, head: Head): ParsedEvent {
  if (object.billing_reason !== "initial" && object.billing_reason !== "renewal") {
    return ignored(
      { ...head, occurredAt: object.updated_at },
      "an invoice of a change: the subscription itself states the change and a moved renewal",
      { subscription: object.subscription_id },
    );
  }
  const event: Event = {
    ...factOf(object),
    type: "payment.succeeded",
    payment: paymentOf(invoiceId, object),
    covers: { periodFrom: object.created_at },
    // A full discount leaves the subtotal unchanged.
    trial: object.subtotal === 0,
  };
  return fact({ subscription: object.subscription_id }, head, event);
}

/** An upgrade can fail as well, and then the period stays paid (github.com/lmsqueezy/lemonsqueezy.js, issue 120). */
function failed(invoiceId: string, object: Invoice, head: Head): ParsedEvent {
  const subject = { subscription: object.subscription_id };
  if (object.billing_reason !== "renewal") {
    const reason = `a failed invoice for "${object.billing_reason.slice(0, 30)}": only a failed renewal ends paid time`;
    return ignored({ ...head, occurredAt: object.updated_at }, reason, subject);
  }
  return fact(subject, head, { ...factOf(object), type: "payment.failed", payment: paymentOf(invoiceId, object) });
}

function takenBack(
  subject: Subject,
  payment: string,
  { refunded, updated_at: occurredAt }: { refunded: boolean; updated_at: Instant },
  head: Head,
): ParsedEvent {
  if (!refunded) return ignored({ ...head, occurredAt }, "refunded in part: the payment stands", subject);
  return fact(subject, head, { id: "", occurredAt, type: "payment.refunded", payment, reversed: false });
}
