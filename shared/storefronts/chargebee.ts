import { createHash, timingSafeEqual } from "node:crypto";
import * as z from "zod/mini";
import type { Customer, Event, Item } from "../licensing/event.ts";
import { type Instant, toInstant } from "../licensing/time.ts";
import { countUpTo, email, id, listOf, problemIn, unixTime } from "./fields.ts";
import { changesNothing, ignored, type Standing, spanOf, unparseable, whole } from "./parse-results.ts";
import type { ParsedEvent, Storefront, Subject } from "./storefront.ts";

/**
 * Chargebee, Product Catalog 2.0 (item prices) and 1.0 (plans and addons). Chargebee does not sign its webhooks: it
 * sends a user and a password in the header Authorization (its own SDK, chargebee-node 3.33.0, checks nothing else).
 */
export const chargebee: Storefront = {
  name: "chargebee",

  secretProblem(secret) {
    const [user, ...password] = secret.split(":");
    return user && password.length > 0 ? undefined : 'is not "user:password", as entered in the webhook\'s settings';
  },

  verify({ headers }, secrets) {
    const [, encoded] = /^basic +([a-z0-9+/=]+)$/i.exec(headers.authorization ?? "") ?? [];
    if (!encoded) return "needs the header Authorization with the webhook's user and password (Basic)";
    const given = digest(Buffer.from(encoded, "base64"));
    // Every secret is compared, as digests of one length, so the time of the answer reveals nothing.
    const matching = secrets.filter((secret) => timingSafeEqual(digest(Buffer.from(secret)), given));
    if (matching.length > 0) return undefined;
    return `user and password match ${secrets.length === 1 ? "not the secret" : `none of the ${secrets.length} secrets`}`;
  },

  events: (body) => read(body),
};

const digest = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();

const ms = z.nullish(z.int().check(z.gte(Date.UTC(2000, 0)), z.lt(Date.UTC(2200, 0))));
const moment = z.nullish(unixTime);
const money = z._default(z.nullish(z.number()), 0);

const envelope = z.object({ id, event_type: z.string(), occurred_at: unixTime, content: z.looseObject({}) });

/** Sites that sell parts of units send quantities as text with decimals ("3.0000"). */
const sold = {
  quantity: z.nullish(countUpTo(1_000_000)),
  quantity_in_decimal: z.nullish(
    z.pipe(
      z.string().check(z.regex(/^\d{1,7}(\.0*)?$/)),
      z.transform((text) => Number(text)),
    ),
  ),
};

const subscription = z.object({
  id,
  customer_id: z.nullish(id),
  status: z.string(),
  trial_start: moment,
  trial_end: moment,
  current_term_start: moment,
  current_term_end: moment,
  cancelled_at: moment,
  due_invoices_count: money,
  resource_version: ms,
  deleted: z.nullish(z.boolean()),
  subscription_items: z.nullish(z.array(z.object({ item_price_id: id, item_type: z.nullish(z.string()), ...sold }))),
  // Product Catalog 1.0.
  plan_id: z.nullish(id),
  plan_quantity: sold.quantity,
  plan_quantity_in_decimal: sold.quantity_in_decimal,
  addons: z.nullish(z.array(z.object({ id, ...sold }))),
});
type Subscription = z.output<typeof subscription>;

const invoice = z.object({
  id,
  subscription_id: z.nullish(id),
  status: z.string(),
  date: moment,
  paid_at: moment,
  total: money,
  amount_paid: money,
  credits_applied: money,
  resource_version: ms,
  line_items: listOf(
    z.object({
      subscription_id: z.nullish(id),
      entity_type: z.nullish(z.string()),
      // Before discounts.
      amount: z.nullish(z.number()),
      date_from: moment,
      date_to: moment,
    }),
  ),
  issued_credit_notes: listOf(z.object({ cn_id: id, cn_status: z.nullish(z.string()), cn_total: money })),
});
type Invoice = z.output<typeof invoice>;

const creditNote = z.object({ id, status: z.nullish(z.string()), total: money });

const content = z.object({
  subscription: z.nullish(subscription),
  invoice: z.nullish(invoice),
  credit_note: z.nullish(creditNote),
  customer: z.catch(z.nullish(z.object({ id, email })), undefined),
});
type Content = z.output<typeof content>;

type Head = { id: string; type: string; occurredAt: Instant };
type Fact = { id: string; occurredAt: Instant; customer: Customer };

/** Events that contain the whole subscription, an invoice, or both. */
const ofSubscription = /^subscription_(?!ramp_|entitlements_)/;
const ofInvoice = [
  "payment_succeeded",
  "payment_failed",
  "payment_refunded",
  "invoice_generated",
  "invoice_updated",
  "invoice_deleted",
];

function read(body: unknown): ParsedEvent[] {
  const parsed = z.safeParse(envelope, body);
  if (!parsed.success) return [unparseable({ id: "", type: "no type" }, problemIn(envelope, parsed.error, body))];
  const head: Head = { id: parsed.data.id, type: parsed.data.event_type, occurredAt: parsed.data.occurred_at };
  const { type } = head;
  if (!ofSubscription.test(type) && !ofInvoice.includes(type)) return [changesNothing(head)];
  const read = z.safeParse(content, parsed.data.content);
  if (!read.success) {
    const known = z.safeParse(z.object({ subscription: z.object({ id }) }), parsed.data.content);
    const about = known.success ? { subscription: known.data.subscription.id } : undefined;
    return [unparseable(head, `content.${problemIn(content, read.error, parsed.data.content)}`, about)];
  }
  if (ofSubscription.test(type) && !read.data.subscription) return [unparseable(head, "content.subscription: missing")];
  if (ofInvoice.includes(type) && !read.data.invoice) return [ignored(head, "about no invoice", subjectOf(read.data))];
  return factsOf(read.data, head);
}

const subjectOf = ({ subscription, invoice }: Content): Subject | undefined => {
  const [sold] = [subscription?.id, ...(invoice ? subscriptionsOf(invoice) : [])].filter((one) => one !== undefined);
  return sold === undefined ? undefined : { subscription: sold };
};

/** One for each subscription: a consolidated invoice bills several. */
function factsOf(contained: Content, head: Head): ParsedEvent[] {
  const { subscription, invoice } = contained;
  const facts = new Map<string, Event[]>();
  const add = (sold: string, events: Event[]) => facts.set(sold, [...(facts.get(sold) ?? []), ...events]);
  if (subscription) add(subscription.id, subscriptionIs(subscription, contained, head));
  for (const sold of invoice ? subscriptionsOf(invoice) : []) {
    if (invoice) add(sold, invoiceIs(invoice, sold, contained, head));
  }
  const all = [...facts].flatMap(([sold, events]): ParsedEvent[] =>
    events.length > 0 ? [{ ...head, kind: "facts", about: { subscription: sold }, events }] : [],
  );
  return all.length > 0 ? all : [ignored(head, "an invoice that pays no period ahead", subjectOf(contained))];
}

const subscriptionsOf = (object: Invoice): Set<string> =>
  new Set(
    [object.subscription_id, ...object.line_items.map((line) => line.subscription_id)].filter((one) => one != null),
  );

/**
 * `resource_version` is in milliseconds, `occurred_at` in seconds, and the version is the object's own: of two events,
 * the one with the greater version contains the later state, in any order of arrival.
 */
const versionOf = (object: { resource_version?: number | null | undefined }, { occurredAt }: Head): Instant =>
  object.resource_version == null ? occurredAt : toInstant(object.resource_version);

function factAt(at: Instant, { customer }: Content, { id }: Head): Fact {
  return {
    id,
    occurredAt: at,
    customer: { ...(customer && { id: customer.id }), ...(customer?.email && { email: customer.email }) },
  };
}

function subscriptionIs(object: Subscription, contained: Content, head: Head): Event[] {
  const fact = factAt(versionOf(object, head), contained, head);
  const list = itemsOf(object);
  const holds = list.length > 0 ? { items: { asOf: fact.occurredAt, list } } : {};
  const standing = standingOf(object, head);
  // An invoice can be paid after the end, and that payment counts: only the event of the end states the end's time.
  if (standing === "subscription.cancelled" && ofInvoice.includes(head.type)) {
    return [{ ...fact, ...holds, type: "subscription.changed" }];
  }
  return [...whole(fact, holds, standing, endOf(object)), ...trialOf(object, fact)];
}

function itemsOf({ subscription_items, addons, ...object }: Subscription): Item[] {
  const item = (name: string, quantity: number | null | undefined): Item => ({
    names: [name],
    ...(quantity != null && { quantity }),
  });
  // Charges are billed once and are no part of the subscription.
  const held = (subscription_items ?? []).filter(({ item_type }) => item_type !== "charge");
  if (subscription_items) return held.map((one) => item(one.item_price_id, one.quantity ?? one.quantity_in_decimal));
  const { plan_id, plan_quantity, plan_quantity_in_decimal } = object;
  const plan = plan_id == null ? [] : [item(plan_id, plan_quantity ?? plan_quantity_in_decimal)];
  return [...plan, ...(addons ?? []).map((one) => item(one.id, one.quantity ?? one.quantity_in_decimal))];
}

/** A trial has no invoice. */
function trialOf({ status, trial_start, trial_end }: Subscription, fact: Fact): Event[] {
  if (status !== "in_trial" || !trial_end) return [];
  const covers = { ...(trial_start && { from: trial_start }), through: trial_end };
  return [{ ...fact, type: "payment.succeeded", payment: "trial", covers, trial: true }];
}

/** While invoices are due, the status "active" means nothing: Chargebee keeps it through its dunning. */
function standingOf({ status, deleted, due_invoices_count }: Subscription, { type }: Head): Standing | undefined {
  if (deleted || type === "subscription_deleted") return "subscription.cancelled";
  if (["cancelled", "transferred"].includes(status)) return "subscription.cancelled";
  if (status === "paused") return "subscription.paused";
  if (!["in_trial", "active", "non_renewing"].includes(status)) return undefined;
  const resumed = !due_invoices_count || type === "subscription_resumed" || type === "subscription_reactivated";
  return resumed ? "subscription.resumed" : undefined;
}

/** `cancelled_at` of a subscription that does not renew is in the future: the day of its end. */
const endOf = ({ status, cancelled_at, current_term_end }: Subscription) =>
  status === "non_renewing" && { endsAt: cancelled_at ?? current_term_end };

function invoiceIs(object: Invoice, sold: string, contained: Content, head: Head): Event[] {
  const fact = factAt(versionOf(object, head), contained, head);
  if (head.type === "payment_failed") {
    return isRenewal(object, sold, contained) ? [{ ...fact, type: "payment.failed", payment: object.id }] : [];
  }
  if (object.status === "voided" || head.type === "invoice_deleted") {
    return [{ ...fact, type: "payment.voided", payment: object.id, reversed: false }];
  }
  if (head.type === "payment_refunded") {
    return isRefundedWhole(object, contained)
      ? [{ ...fact, type: "payment.refunded", payment: object.id, reversed: false }]
      : [];
  }
  return paid(object, sold, contained, head);
}

const plansOf = ({ line_items, subscription_id }: Invoice, sold: string) =>
  line_items.filter(
    (line) =>
      ["plan_item_price", "plan"].includes(line.entity_type ?? "") &&
      (line.subscription_id ?? subscription_id) === sold,
  );

/** A renewal's invoice bills the plan from the term's start; a change bills it later, and a one-off charge not at all. */
function isRenewal(object: Invoice, sold: string, { subscription }: Content): boolean {
  const start = subscription?.id === sold ? subscription.current_term_start : undefined;
  return plansOf(object, sold).some(({ date_from: from }) => !start || !from || from <= start);
}

/** Several partial refunds can add up to the whole. */
function isRefundedWhole({ issued_credit_notes, total }: Invoice, { credit_note }: Content): boolean {
  const notes = new Map(
    issued_credit_notes.map((note) => [note.cn_id, { status: note.cn_status, total: note.cn_total }]),
  );
  if (credit_note) notes.set(credit_note.id, { status: credit_note.status, total: credit_note.total });
  const refunded = [...notes.values()].flatMap((note) => (note.status === "refunded" ? (note.total ?? 0) : []));
  const sum = refunded.reduce((one, other) => one + other, 0);
  return sum > 0 && sum >= (total ?? 0);
}

function paid(object: Invoice, sold: string, contained: Content, head: Head): Event[] {
  const { status, total, amount_paid, credits_applied, date, paid_at } = object;
  // Chargebee also calls an invoice paid that was written off or adjusted away.
  if (status !== "paid" || (total && !amount_paid && !credits_applied)) return [];
  const made = date ?? head.occurredAt;
  const plans = plansOf(object, sold).flatMap(({ amount, date_from: from, date_to: through }) =>
    through != null && through > made ? [{ amount, ...(from && { from }), through }] : [],
  );
  // A subscription has one plan; a plan that is charged for several terms in advance has a line for each.
  const covers = spanOf(plans);
  if (!covers) return [];
  // Not the time of the event: Chargebee sends an invoice again when a credit note changes it, also after an end.
  const fact = factAt(paid_at ?? made, contained, head);
  // A discount leaves the line its amount: zero is a free plan.
  const trial = plans.every(({ amount }) => amount === 0);
  return [{ ...fact, type: "payment.succeeded", payment: object.id, covers, trial }];
}
