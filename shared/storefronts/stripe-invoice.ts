import * as z from "zod/mini";
import type { Event, Item } from "../licensing/event.ts";
import { type Instant, toInstant } from "../licensing/time.ts";
import { email, flag, id, unixTime } from "./fields.ts";
import { ignored, type Span, spanOf, unparseable } from "./parse-results.ts";
import type { Link, ParsedEvent } from "./storefront.ts";
import { factOf, type Head, linksTo, list, maybe, namesOf, partsOf, priced, quantity } from "./stripe-objects.ts";

/** Invoices of Stripe Billing: the period that a paid one pays for, and the failure of a renewal. */

const soldBy = z.nullish(z.object({ proration: flag(false), subscription: maybe }));

const line = z.object({
  amount: z.nullish(z.number()),
  quantity,
  period: z.nullish(z.object({ start: z.nullish(unixTime), end: unixTime })),
  parent: z.nullish(z.object({ subscription_item_details: soldBy, invoice_item_details: soldBy })),
  pricing: z.nullish(z.object({ price_details: z.nullish(z.object({ price: maybe, product: maybe })) })),
  // Before 2025-03-31.basil.
  type: z.nullish(z.string()),
  proration: z.nullish(z.boolean()),
  subscription: maybe,
  price: priced,
  plan: priced,
});

export const invoice = z.object({
  id,
  created: z.nullish(unixTime),
  billing_reason: z.nullish(z.string()),
  customer: maybe,
  customer_email: email,
  total: z.nullish(z.number()),
  amount_paid: z.nullish(z.number()),
  pre_payment_credit_notes_amount: z.nullish(z.number()),
  lines: list(line),
  parent: z.nullish(z.object({ subscription_details: z.nullish(z.object({ subscription: maybe })) })),
  // Before 2025-03-31.basil.
  subscription: maybe,
  payment_intent: maybe,
  charge: maybe,
});
type Invoice = z.output<typeof invoice>;

/** Only `invoice.paid`: `invoice.payment_succeeded` is not sent for an invoice that is marked as paid by hand. */
export function paid(object: Invoice, head: Head): ParsedEvent {
  const sold = subscriptionOf(object);
  if (!sold) return ignored(head, "an invoice of no subscription");
  const about = { subscription: sold };
  if (isCreditedAway(object)) return ignored(head, "a credit note settled the invoice: nothing was paid", about);
  const made = object.created ?? head.occurredAt;
  const lines = linesAhead(object, sold, made);
  const charged = lines.filter(({ amount }) => amount == null || amount > 0);
  // A discount leaves the lines their amounts: where all are zero, it is a trial or a free price.
  const paying = charged.length > 0 ? withoutCredited(charged, lines) : lines.filter(({ amount }) => amount === 0);
  const covers = spanOf(paying);
  const isCut = object.lines == null || object.lines.has_more;
  if (!covers) {
    return isCut
      ? unparseable(head, "its period is on a line that the event does not list", about)
      : ignored(head, "an invoice that charges for no period ahead", about);
  }
  if (!areOfOneInterval(paying)) {
    return unparseable(head, "its lines are paid to different ends: items of several intervals", about);
  }
  if (isCut && paying.some(({ through }) => through !== covers.through)) {
    return unparseable(head, "its lines pay several periods, and the event does not list all of them", about);
  }

  const fact = factOf(object, head);
  const events: Event[] = [
    {
      ...fact,
      type: "payment.succeeded",
      payment: object.id,
      covers,
      trial: charged.length === 0,
      ...(!isCut && itemsOf(object, lines, covers, made)),
    },
  ];
  const links: Link[] = [{ reference: object.id, to: about }, ...linksTo(object.id, object)];
  // Before 2025-03-31.basil the invoice itself names its payment.
  const [part] = partsOf(object);
  if (part) events.push({ ...fact, type: "payment.part", payment: object.id, part });
  return { ...head, kind: "facts", about, events, links };
}

/** A failed change or one-off invoice leaves the paid period paid. */
export function paymentFailed(object: Invoice, head: Head): ParsedEvent {
  const sold = subscriptionOf(object);
  if (!sold) return ignored(head, "an invoice of no subscription");
  const about = { subscription: sold };
  if (object.billing_reason !== "subscription_cycle") {
    return ignored(head, "the invoice is no renewal: the paid period stays paid", about);
  }
  const event: Event = { ...factOf(object, head), type: "payment.failed", payment: object.id };
  return { ...head, kind: "facts", about, events: [event] };
}

const subscriptionOf = (object: Invoice): string | undefined =>
  object.parent?.subscription_details?.subscription ?? object.subscription ?? undefined;

/** Stripe calls an open invoice paid, too, when credit notes lower its remaining amount to zero. */
const isCreditedAway = ({ total, amount_paid, pre_payment_credit_notes_amount: credited }: Invoice): boolean =>
  credited != null && credited > 0 && credited >= (total ?? 0) && !amount_paid;

type Line = Required<Span> & { amount: number | null | undefined; isProration: boolean; item?: Item };

/** The lines for periods of this subscription that are not over: metered usage is billed afterwards. */
function linesAhead({ lines }: Invoice, sold: string, made: Instant): Line[] {
  return (lines?.data ?? []).flatMap((one): Line[] => {
    const { parent, amount, period, pricing, quantity } = one;
    const details = parent ? (parent.subscription_item_details ?? parent.invoice_item_details) : one;
    const isProration = details?.proration === true;
    // An invoice item is a one-off charge, unless Stripe made it of a proration.
    const isRecurring = parent ? parent.subscription_item_details != null : one.type !== "invoiceitem";
    if (!period || period.end <= made || !(isRecurring || isProration)) return [];
    if ((details?.subscription ?? sold) !== sold) return [];
    const { price: priceId, product } = pricing?.price_details ?? {};
    const named = priceId ? { id: priceId, product } : (one.price ?? one.plan);
    const item = named && { names: namesOf(named), quantity: quantity ?? 1 };
    return [{ from: period.start ?? made, through: period.end, amount, isProration, ...(item && { item }) }];
  });
}

/** A credit for the rest of a charged period ends that charge where the credit begins. */
function withoutCredited(charged: readonly Line[], lines: readonly Line[]): Line[] {
  const credits = lines.filter(({ amount }) => amount != null && amount < 0);
  return charged.map((line) => {
    const [credited] = credits
      .filter(
        ({ item, from, through }) =>
          item?.names[0] === line.item?.names[0] && through === line.through && from > line.from,
      )
      .map(({ from }) => from)
      .sort();
    return credited ? { ...line, through: credited } : line;
  });
}

/** Lines follow each other or end together. Otherwise the event does not say which item is paid to which end. */
function areOfOneInterval(lines: readonly Span[]): boolean {
  const inOrder = lines.toSorted((a, b) => ((a.from ?? "") < (b.from ?? "") ? -1 : 1));
  return inOrder.every(({ from = "", through }, i) => {
    const before = inOrder[i - 1]?.through;
    return before === undefined || before <= from || before === through;
  });
}

/**
 * The first invoice lists everything that was bought. A later one lists what is billed this time (items can have
 * intervals of their own), so it counts only where no event has stated the subscription itself: its items are the
 * oldest.
 */
function itemsOf(
  { billing_reason }: Invoice,
  lines: readonly Line[],
  covers: Span,
  made: Instant,
): Pick<Event, "items"> {
  if (!["subscription_create", "subscription_cycle"].includes(billing_reason ?? "")) return {};
  const sold = new Map<string, Item>();
  // The lines of one period: several periods of an item do not add up.
  for (const { item, isProration, through } of lines) {
    if (!item || isProration || through !== covers.through) continue;
    const [name = ""] = item.names;
    // Graduated tiers have a line each, of one price.
    const before = sold.get(name)?.quantity ?? 0;
    sold.set(name, { ...item, quantity: before + (item.quantity ?? 1) });
  }
  // The subscription's own event of the same second counts before the list of its first invoice.
  const asOf = billing_reason === "subscription_create" ? Date.parse(made) - 1 : 0;
  return sold.size > 0 ? { items: { asOf: toInstant(asOf), list: [...sold.values()] } } : {};
}
