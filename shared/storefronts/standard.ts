import * as z from "zod/mini";
import type { Customer, Event } from "../licensing/event.ts";
import { suggest } from "../problems.ts";
import { countUpTo, email, id, problemIn, time } from "./fields.ts";
import { standardSigned } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/**
 * The generic door: any shop that signs by Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks) and
 * speaks the canonical events itself.
 */
export const standard: Storefront = {
  name: "standard",
  headers: ["webhook-id"],

  secretProblem(secret) {
    if (secret.startsWith("v1,"))
      return 'begins with "v1,", which belongs to signatures; the secret is what follows it';
    const encoded = encodedKey(secret);
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return 'is not "whsec_" and base64';
    // A key that decodes to next to nothing would verify anybody's guess.
    return keyOf(secret).length < 8 ? "is too short: Standard Webhooks asks for 24 to 64 bytes in base64" : undefined;
  },

  verify: standardSigned((secret) => [keyOf(secret)]),

  events(body, headers) {
    return [read(body, headers["webhook-id"] ?? "")];
  },
};

const encodedKey = (secret: string): string => (secret.startsWith("whsec_") ? secret.slice(6) : secret);
const keyOf = (secret: string): Buffer => Buffer.from(encodedKey(secret), "base64");

const count = countUpTo(1_000_000);

const name = z.string().check(z.minLength(1), z.maxLength(200));
const item = z.object({ plan: name, quantity: z.nullish(count) });
// PHP sends an empty object as a list, and who the customer is decides nothing.
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

const message = z.discriminatedUnion("type", [
  of("payment.succeeded", {
    payment: id,
    paidThrough: z.nullish(time),
    months: z.nullish(countUpTo(120, 1)),
    trial: z.nullish(z.boolean()),
  }),
  of("payment.failed", { payment: z.nullish(id) }),
  of("payment.refunded", { payment: id, reversed: z.nullish(z.boolean()) }),
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
    // A mistyped one was to mean something.
    const near = suggest(type, types, "");
    return {
      id,
      type,
      kind: near ? "unparseable" : "ignored",
      reason: `no such type "${type}"${suggest(type, types)}`,
    };
  }
  const parsed = z.safeParse(message, body);
  if (!parsed.success) {
    return { id, type, kind: "unparseable", reason: problemIn(message, parsed.error, body) };
  }
  const told = { id, type, occurredAt: parsed.data.timestamp };
  const { data } = parsed.data;
  const event = eventOf(parsed.data, id);
  if (typeof event === "string") return { ...told, kind: "unparseable", reason: event };
  return { ...told, kind: "facts", about: { subscription: data.subscription }, events: [event] };
}

function eventOf(told: Message, id: string): Event | string {
  const { data, timestamp: occurredAt } = told;
  const customer: Customer = {};
  if (data.customer?.id != null) customer.id = data.customer.id;
  if (data.customer?.email != null) customer.email = data.customer.email;
  const sold = data.items ?? (data.plan == null ? undefined : [{ plan: data.plan, quantity: data.quantity }]);
  if (!sold && data.quantity != null) return "data.plan: missing beside data.quantity";
  const list = sold?.map(({ plan, quantity }) => ({ names: [plan], ...(quantity != null && { quantity }) }));
  const fact = { id, occurredAt, customer, ...(list && { items: { asOf: occurredAt, list } }) };

  switch (told.type) {
    case "payment.succeeded": {
      const { payment, paidThrough, months, trial } = told.data;
      const covers = paidThrough != null ? { through: paidThrough } : months != null ? { months } : undefined;
      if (!covers) return "data.paidThrough or data.months: missing";
      return { ...fact, type: told.type, payment, covers, trial: trial ?? false };
    }
    case "payment.failed":
      return { ...fact, type: told.type, ...(told.data.payment != null && { payment: told.data.payment }) };
    case "payment.refunded":
      return { ...fact, type: told.type, payment: told.data.payment, reversed: told.data.reversed ?? false };
    case "subscription.cancel_scheduled":
      return { ...fact, type: told.type, ...(told.data.endsAt != null && { endsAt: told.data.endsAt }) };
    case "subscription.changed":
      return list ? { ...fact, type: told.type } : "data.plan or data.items: missing";
    default:
      return { ...fact, type: told.type };
  }
}
