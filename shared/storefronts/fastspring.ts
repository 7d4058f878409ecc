import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";
import { countUpTo, email, id, problemIn, unixTimeMs } from "./fields.ts";
import { bodySigned, tooShort } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/** FastSpring: developer.fastspring.com/docs/webhooks-overview. */
export const fastspring: Storefront = {
  name: "fastspring",

  // The seller chooses it. Where none is set FastSpring signs nothing, and what is unsigned is refused.
  secretProblem: (secret) => tooShort(secret),

  /** developer.fastspring.com/docs/message-security: one signature over all events of a POST. */
  verify: bodySigned("X-FS-Signature", "base64"),

  events(body) {
    const parsed = z.safeParse(batch, body);
    if (parsed.success && parsed.data.events.length > 0) return parsed.data.events.map(read);
    if (parsed.success) return [{ id: "", type: "no event", kind: "ignored", reason: "it holds no events" }];
    return [{ id: "", type: "no type", kind: "unparseable", reason: problemIn(batch, parsed.error, body) }];
  },
};

const batch = z.object({ events: z.array(z.unknown()) });

const envelope = z.object({
  id,
  type: z.string(),
  created: unixTimeMs,
  live: z._default(z.boolean(), true),
  data: z.looseObject({}),
});

/** With webhook expansion the whole object, without it the id alone. */
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
  /** When it is charged next: to then it is paid. */
  next: z.nullish(unixTimeMs),
  deactivationDate: z.nullish(unixTimeMs),
});
type Subscription = z.output<typeof subscription>;

const charge = z.object({ order: ref, subscription: z.union([id, subscription]) });

const order = z.object({ id, items: z._default(z.array(z.object({ subscription: z.nullish(ref) })), []) });

const amount = z.number();
const refund = z.object({
  completed: z._default(z.boolean(), true),
  totalReturn: amount,
  original: z.object({ id, total: amount }),
});

type Head = { id: string; type: string; occurredAt: Instant; test: boolean };

function read(body: unknown): ParsedEvent {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) {
    return {
      id: "",
      type: "no type",
      kind: "unparseable",
      reason: `an event's ${problemIn(envelope, parsed.error, body)}`,
    };
  }
  const { id: eventId, type, created, live, data } = parsed.data;
  const head: Head = { id: eventId, type, occurredAt: created, test: !live };
  const as = <S extends z.core.$ZodType>(schema: S, then: (object: z.output<S>) => ParsedEvent): ParsedEvent => {
    const object = z.safeParse(schema, data);
    return object.success ? then(object.data) : unparseable(head, `data.${problemIn(schema, object.error, data)}`);
  };
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
      return as(z.object({ subscription: ref }), (object) => failed(object.subscription, head));
    case "subscription.payment.overdue":
      return as(z.object({ id }), (object) => failed(object.id, head));
    case "order.completed":
      return as(order, (object) => ordered(object, head));
    case "return.created":
      return as(refund, (object) => returned(object, head));
    // The documentation has both names.
    case "chargeback.created":
    case "order.chargeback":
      return as(z.object({ order: ref }), (object) => takenBack(object.order, head));
    default:
      return ignored(head, `"${type.slice(0, 60)}" changes no license`);
  }
}

const ignored = (head: Head, reason: string): ParsedEvent => ({ ...head, kind: "ignored", reason });
const unparseable = (head: Head, reason: string): ParsedEvent => ({ ...head, kind: "unparseable", reason });
const facts = (head: Head, about: string, events: Event[]): ParsedEvent & { kind: "facts" } => ({
  ...head,
  kind: "facts",
  about: { subscription: about },
  events,
});

/** Of a first payment no event tells both the order and the period; the order is linked to this. */
const firstPaymentOf = (subscription: string): string => `first payment of ${subscription}`;

function activated(object: Subscription, head: Head): ParsedEvent {
  if (!object.next) return unparseable(head, "data.next: missing, so it is not told how long is paid");
  const payment = firstPaymentOf(object.id);
  const paid: Event = {
    ...factOf(object, head),
    type: "payment.succeeded",
    payment,
    covers: { ...(object.begin && { from: object.begin }), through: object.next },
    trial: object.state === "trial",
  };
  const links = [{ reference: payment, to: { subscription: object.id } }];
  return { ...facts(head, object.id, [paid, ...stateOf(object, head)]), links };
}

function charged({ order, subscription: object }: z.output<typeof charge>, head: Head): ParsedEvent {
  if (typeof object === "string") {
    return unparseable(
      head,
      "the period of this charge is told only with webhook expansion: switch it on in FastSpring",
    );
  }
  if (!object.next) return unparseable(head, "data.subscription.next: missing, so it is not told how long is paid");
  const paid: Event = {
    ...factOf(object, head),
    type: "payment.succeeded",
    payment: order,
    covers: { through: object.next },
    trial: false,
  };
  return { ...facts(head, object.id, [paid]), links: [{ reference: order, to: { subscription: object.id } }] };
}

const failed = (about: string, head: Head): ParsedEvent =>
  facts(head, about, [{ id: head.id, occurredAt: head.occurredAt, type: "payment.failed" }]);

/** What its first period costs is told apart; here it is told which order paid that. */
function ordered({ id: reference, items }: z.output<typeof order>, head: Head): ParsedEvent {
  const [first] = items.flatMap(({ subscription }) => subscription ?? []);
  if (!first) return ignored(head, "an order of no subscription");
  const links = [{ reference, to: { reference: firstPaymentOf(first) } }];
  return { ...head, kind: "facts", about: { reference }, events: [], links };
}

/** The return's currency is the order's. */
function returned({ completed, totalReturn, original }: z.output<typeof refund>, head: Head): ParsedEvent {
  if (!completed) return ignored(head, "a return that has not been completed");
  if (totalReturn < original.total) return ignored(head, "returned in part: the payment stands");
  return takenBack(original.id, head);
}

function takenBack(reference: string, head: Head): ParsedEvent {
  const { id, occurredAt } = head;
  const event: Event = { id, occurredAt, type: "payment.refunded", payment: reference, reversed: false };
  return { ...head, kind: "facts", about: { reference }, events: [event] };
}

function factOf(object: Subscription, { id, occurredAt }: Head) {
  const list: Item[] = [object, ...(object.addons ?? [])].map(({ product, sku, quantity }) => ({
    names: [product, ...(sku ? [`sku:${sku}`] : [])],
    quantity: quantity ?? 1,
  }));
  return { id, occurredAt, ...(object.account && { customer: object.account }), items: { asOf: occurredAt, list } };
}

/** Each event tells the whole subscription, so each is read as all that it kind: what an earlier one told may be lost. */
function stateOf(object: Subscription, head: Head): Event[] {
  const fact = factOf(object, head);
  return [{ ...fact, type: "subscription.changed" }, ...standingOf(object, fact), endOf(object, head, fact)];
}

/** A pause is told when it is scheduled and takes effect when the next charge would be due: only then is the state so. */
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
