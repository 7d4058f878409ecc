import * as z from "zod/mini";
import type { Customer, Event } from "../licensing/event.ts";
import { suggest } from "../problems.ts";
import { countUpTo, email, id, problemIn, time } from "./fields.ts";
import { ignored, unparseable } from "./parse-results.ts";
import { signedId, standardKey, standardSecretProblem, standardSigned } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/**
 * The generic storefront: any shop that signs by Standard Webhooks 1.0.0
 * (github.com/standard-webhooks/standard-webhooks) and sends the canonical events itself.
 */
export const standard: Storefront = {
  name: "standard",
  headers: ["webhook-id", "svix-id"],
  secretProblem: standardSecretProblem,
  verify: standardSigned((secret) => [standardKey(secret)]),
  events: (body, headers) => [read(body, signedId(headers))],
};

const count = countUpTo(1_000_000);

const name = z.string().check(z.minLength(1), z.maxLength(200));
const item = z.object({ plan: name, quantity: z.nullish(count) });
// PHP sends an empty object as a list. No decision depends on the customer, so nothing is refused for it.
const customer = z.catch(z.nullish(z.object({ id: z.catch(z.nullish(id), undefined), email })), undefined);

const common = {
  subscription: id,
  plan: z.nullish(name),
  quantity: z.nullish(count),
  items: z.nullish(z.array(item).check(z.minLength(1), z.maxLength(100))),
  customer,
};

const of = <T extends string, S extends z.core.$ZodShape>(type: T, shape: S) =>
  z.object({ type: z.literal(type), timestamp: time, data: z.object({ ...common, ...shape }) });

const revocation = { payment: id, reversed: z.nullish(z.boolean()) };

const message = z.discriminatedUnion("type", [
  of("payment.succeeded", {
    payment: id,
    paidThrough: z.nullish(time),
    months: z.nullish(countUpTo(120, 1)),
    trial: z.nullish(z.boolean()),
  }),
  of("payment.failed", { payment: z.nullish(id) }),
  of("payment.refunded", revocation),
  of("payment.disputed", revocation),
  of("payment.voided", revocation),
  of("subscription.changed", {}),
  of("subscription.paused", {}),
  of("subscription.resumed", {}),
  of("subscription.cancel_scheduled", { endsAt: z.nullish(time) }),
  of("subscription.cancel_withdrawn", {}),
  of("subscription.cancelled", {}),
]);
type Message = z.output<typeof message>;

const types = message.def.options.flatMap((option) => option.shape.type.def.values);

function read(body: unknown, id: string): ParsedEvent {
  const head = z.safeParse(z.object({ type: z.string() }), body);
  const type = head.success ? head.data.type.slice(0, 60) : "no type";
  if (head.success && !types.some((known) => known === type)) {
    // A mistyped type was meant to have an effect.
    const result = suggest(type, types, "") ? unparseable : ignored;
    return result({ id, type }, `no such type "${type}"${suggest(type, types)}`);
  }
  const parsed = z.safeParse(message, body);
  if (!parsed.success) return unparseable({ id, type }, problemIn(message, parsed.error, body));
  const parsedHead = { id, type, occurredAt: parsed.data.timestamp };
  const about = { subscription: parsed.data.data.subscription };
  const event = eventOf(parsed.data, id);
  if (typeof event === "string") return unparseable(parsedHead, event, about);
  return { ...parsedHead, kind: "facts", about, events: [event] };
}

/** The canonical fact, or the reason why there is none. */
function eventOf(sent: Message, id: string): Event | string {
  const { data, timestamp: occurredAt } = sent;
  const customer: Customer = {};
  if (data.customer?.id != null) customer.id = data.customer.id;
  if (data.customer?.email != null) customer.email = data.customer.email;
  const sold = data.items ?? (data.plan == null ? undefined : [{ plan: data.plan, quantity: data.quantity }]);
  if (!sold && data.quantity != null) return "data.plan: missing; data.quantity needs it";
  const list = sold?.map(({ plan, quantity }) => ({ names: [plan], ...(quantity != null && { quantity }) }));
  const fact = { id, occurredAt, customer, ...(list && { items: { asOf: occurredAt, list } }) };

  switch (sent.type) {
    case "payment.succeeded": {
      const { payment, paidThrough, months, trial } = sent.data;
      const covers = paidThrough != null ? { through: paidThrough } : months != null ? { months } : undefined;
      if (!covers) return "data.paidThrough or data.months: missing";
      return { ...fact, type: sent.type, payment, covers, trial: trial ?? false };
    }
    case "payment.failed":
      return { ...fact, type: sent.type, ...(sent.data.payment != null && { payment: sent.data.payment }) };
    case "payment.refunded":
    case "payment.disputed":
    case "payment.voided":
      return { ...fact, type: sent.type, payment: sent.data.payment, reversed: sent.data.reversed ?? false };
    case "subscription.cancel_scheduled":
      return { ...fact, type: sent.type, ...(sent.data.endsAt != null && { endsAt: sent.data.endsAt }) };
    case "subscription.changed":
      return list ? { ...fact, type: sent.type } : "data.plan or data.items: missing";
    default:
      return { ...fact, type: sent.type };
  }
}
