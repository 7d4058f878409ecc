import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { countUpTo, email, flag, id, listOf, problemIn, unixTimeMs } from "./fields.ts";
import { changesNothing, ignored, reading, unparseable } from "./parse-results.ts";
import { bodySigned, tooShort } from "./signatures.ts";
import type { Link, ParsedEvent, Storefront, Subject } from "./storefront.ts";

/** FastSpring: developer.fastspring.com/docs/webhooks-overview. */
export const fastspring: Storefront = {
  name: "fastspring",

  // The seller chooses it. Without one, FastSpring signs nothing, and unsigned requests are refused.
  secretProblem: (secret) => tooShort(secret),

  /** developer.fastspring.com/docs/message-security: one signature over all events of a POST. */
  verify: bodySigned("X-FS-Signature", "base64"),

  events(body) {
    const parsed = z.safeParse(batch, body);
    if (!parsed.success) return [unparseable({ id: "", type: "no type" }, problemIn(batch, parsed.error, body))];
    const { events } = parsed.data;
    // More than the intake accepts is not read: 350,000 empty events in one body took 20 s.
    if (events.length > 0) return events.slice(0, maxEventsRead).map(read);
    return [ignored({ id: "", type: "no event" }, "it contains no events")];
  },
};

/** One above the intake's limit for a body, so that it still sees that there are too many. */
const maxEventsRead = 101;

const batch = z.object({ events: z.array(z.unknown()) });

const envelope = z.object({
  id,
  type: z.string(),
  created: unixTimeMs,
  live: flag(true),
  data: z.looseObject({}),
});

/** The full object with webhook expansion, only the id without it. */
const ref = z.pipe(
  z.union([id, z.object({ id })]),
  z.transform((value) => (typeof value === "string" ? value : value.id)),
);

const account = z.pipe(
  z.union([id, z.object({ id, contact: z.nullish(z.object({ email })) })]),
  z.transform((value): Customer => {
    if (typeof value === "string") return { id: value };
    return { id: value.id, ...(value.contact?.email != null && { email: value.contact.email }) };
  }),
);

/** A product is known by its path. */
const product = z.pipe(
  z.union([id, z.object({ product: id })]),
  z.transform((value) => (typeof value === "string" ? value : value.product)),
);

const sold = { product, sku: z.nullish(z.string()), quantity: z.nullish(countUpTo(1_000_000)) };

const subscription = z.object({
  id,
  state: z.string(),
  account: z.nullish(account),
  ...sold,
  addons: z.nullish(z.array(z.object(sold))),
  begin: z.nullish(unixTimeMs),
  /** When it is charged next, which is how long it is paid. */
  next: z.nullish(unixTimeMs),
  deactivationDate: z.nullish(unixTimeMs),
});
type Subscription = z.output<typeof subscription>;

const charge = z.object({ order: ref, subscription: z.union([id, subscription]) });
const failedCharge = z.object({ subscription: z.union([id, subscription]) });

const order = z.object({ id, items: listOf(z.object({ subscription: z.nullish(ref) })) });

const amount = z.number();
const refund = z.object({
  completed: flag(true),
  totalReturn: amount,
  original: z.object({ id, total: amount }),
});

type Head = { id: string; type: string; occurredAt: Instant; test: boolean };

function read(body: unknown): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) {
    return unparseable({ id: "", type: "no type" }, `an event's ${problemIn(envelope, parsed.error, body)}`);
  }
  const { id: eventId, type, created, live, data } = parsed.data;
  const head: Head = { id: eventId, type, occurredAt: created, test: !live };
  const as = <S extends z.core.$ZodType>(schema: S, interpret: (object: z.output<S>) => ParsedEvent): ParsedEvent =>
    reading(schema, data, "data", head, interpret);
  switch (type) {
    case "subscription.activated":
      return as(subscription, (object) => activated(object, head));
    case "subscription.updated":
    case "subscription.paused":
    case "subscription.resumed":
    case "subscription.canceled":
    case "subscription.uncanceled":
    case "subscription.deactivated":
      return as(subscription, (object) => facts(head, object.id, stateOf(object, head)));
    case "subscription.charge.completed":
      return as(charge, (object) => charged(object, head));
    case "subscription.charge.failed":
      return as(failedCharge, (object) => chargeFailed(object, head));
    case "subscription.payment.overdue":
      return as(z.object({ id }), (object) => failed(object.id, head));
    case "order.completed":
      return as(order, (object) => ordered(object, head));
    case "return.created":
      return as(refund, (object) => returned(object, head));
    // The documentation has both names.
    case "chargeback.created":
    case "order.chargeback":
      return as(z.object({ order: ref }), (object) => takenBack("payment.disputed", object.order, head));
    default:
      return changesNothing(head);
  }
}

const facts = (head: Head, about: string, events: Event[]): ParsedEvent & { kind: "facts" } => ({
  ...head,
  kind: "facts",
  about: { subscription: about },
  events,
});

/** No event contains both the order and the period of a first payment, so the order is linked to this name. */
const firstPaymentOf = (subscription: string): string => `first payment of ${subscription}`;

function activated(object: Subscription, head: Head): ParsedEvent {
  const about = { subscription: object.id };
  if (!object.next) return unparseable(head, "data.next: missing, and only it states how long is paid", about);
  const payment = firstPaymentOf(object.id);
  const paid: Event = {
    ...factOf(object, head),
    type: "payment.succeeded",
    payment,
    covers: { ...(object.begin && { from: object.begin }), through: object.next },
    trial: object.state === "trial",
  };
  const links: Link[] = [{ reference: payment, to: about }];
  return { ...facts(head, object.id, [paid, ...stateOf(object, head)]), links };
}

function charged({ order, subscription: object }: z.output<typeof charge>, head: Head): ParsedEvent {
  if (typeof object === "string") {
    const reason = "only webhook expansion contains the period of this charge: switch it on in FastSpring";
    return unparseable(head, reason, { subscription: object });
  }
  const about = { subscription: object.id };
  if (!object.next) {
    return unparseable(head, "data.subscription.next: missing, and only it states how long is paid", about);
  }
  const paid: Event = {
    ...factOf(object, head),
    type: "payment.succeeded",
    payment: order,
    covers: { through: object.next },
    trial: false,
  };
  return { ...facts(head, object.id, [paid]), links: [{ reference: order, to: about }] };
}

/** A failed proration leaves the period paid. Without expansion the documentation's word counts: a rebill failed. */
function chargeFailed({ subscription: object }: z.output<typeof failedCharge>, head: Head): ParsedEvent {
  if (typeof object === "string") return failed(object, head);
  const paidUntil = object.next ?? object.deactivationDate;
  if (object.state === "overdue" || !paidUntil || paidUntil <= head.occurredAt) return failed(object.id, head);
  return ignored(head, `a charge failed, and the subscription is paid until ${paidUntil}`, { subscription: object.id });
}

const failed = (about: string, head: Head): ParsedEvent =>
  facts(head, about, [{ id: head.id, occurredAt: head.occurredAt, type: "payment.failed" }]);

/** Rebills send no order.completed, so this order paid the first period of each of its subscriptions. */
function ordered({ id: reference, items }: z.output<typeof order>, head: Head): ParsedEvent {
  const sold = new Set(items.flatMap(({ subscription }) => subscription ?? []));
  if (sold.size === 0) return ignored(head, "an order of no subscription", { reference });
  const links = [...sold].map((one): Link => ({ reference, to: { reference: firstPaymentOf(one) }, shared: true }));
  return { ...head, kind: "facts", about: { reference }, events: [], links };
}

/** A return has the currency of its order. */
function returned({ completed, totalReturn, original }: z.output<typeof refund>, head: Head): ParsedEvent {
  const about: Subject = { reference: original.id };
  if (!completed) return ignored(head, "a return that has not been completed", about);
  if (totalReturn < original.total) return ignored(head, "returned in part: the payment stands", about);
  return takenBack("payment.refunded", original.id, head);
}

function takenBack(type: "payment.refunded" | "payment.disputed", reference: string, head: Head): ParsedEvent {
  const event: Event = { id: head.id, occurredAt: head.occurredAt, type, payment: reference, reversed: false };
  return { ...head, kind: "facts", about: { reference }, events: [event] };
}

function factOf(object: Subscription, { id, occurredAt }: Head) {
  const list: Item[] = [object, ...(object.addons ?? [])].map(({ product, sku, quantity }) => ({
    names: [product, ...(sku ? [`sku:${sku}`] : [])],
    quantity: quantity ?? 1,
  }));
  return { id, occurredAt, ...(object.account && { customer: object.account }), items: { asOf: occurredAt, list } };
}

/** Each event contains the full subscription, and an earlier event may be lost. So each is read as the full state. */
function stateOf(object: Subscription, head: Head): Event[] {
  const fact = factOf(object, head);
  return [{ ...fact, type: "subscription.changed" }, ...standingOf(object, fact), endOf(object, head, fact)];
}

/** A pause is sent when it is scheduled, and begins when the next charge would be due. Only then the state says so. */
function standingOf({ state }: Subscription, fact: ReturnType<typeof factOf>): Event[] {
  if (state === "paused") return [{ ...fact, type: "subscription.paused" }];
  if (state === "overdue") return [{ ...fact, type: "payment.failed" }];
  return state === "active" || state === "trial" ? [{ ...fact, type: "subscription.resumed" }] : [];
}

/** `canceled` is the intention, `deactivated` the end. */
function endOf({ state, deactivationDate }: Subscription, { type }: Head, fact: ReturnType<typeof factOf>): Event {
  if (type === "subscription.deactivated" || state === "deactivated") {
    return { ...fact, type: "subscription.cancelled" };
  }
  if (type === "subscription.canceled" || state === "canceled") {
    return { ...fact, type: "subscription.cancel_scheduled", ...(deactivationDate && { endsAt: deactivationDate }) };
  }
  return { ...fact, type: "subscription.cancel_withdrawn" };
}
