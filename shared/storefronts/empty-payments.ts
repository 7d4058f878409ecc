import type { Customer, Event } from "../licensing/event.ts";
import { unparseable } from "./parse-results.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/** The storefront, with an attention item for each payment of quantity 0. */
export const reportEmptyPayments = (storefront: Storefront): Storefront => ({
  ...storefront,
  events: (body, headers) => storefront.events(body, headers).flatMap(withEmptyPayments),
});

/** The customer paid, and no license follows. The payment itself still counts, for a quantity that is stated later. */
function withEmptyPayments(parsed: ParsedEvent): ParsedEvent[] {
  if (parsed.kind !== "facts") return [parsed];
  const { id, type, occurredAt, test, about } = parsed;
  const head = { id, type, ...(occurredAt && { occurredAt }), ...(test && { test }) };
  const reasons = parsed.events.flatMap((event) => emptyPaymentIn(event) ?? []);
  return [parsed, ...reasons.map((reason) => unparseable(head, reason, about))];
}

function emptyPaymentIn(event: Event): string | undefined {
  const list = event.items?.list ?? [];
  if (event.type !== "payment.succeeded" || event.trial || list.length === 0) return undefined;
  if (list.some(({ quantity }) => quantity !== 0)) return undefined;
  const sold = list.map(({ names }) => names[0] ?? "an item without a name").join(", ");
  return `payment ${event.payment}${buyerIn(event.customer)} is for quantity 0 of ${sold}: no license follows from it`;
}

/** " of customer 77, jo@example.com", as far as the event contains it. */
export function buyerIn({ id, email }: Customer = {}): string {
  const known = [...(id === undefined ? [] : [`customer ${id}`]), ...(email === undefined ? [] : [email])];
  return known.length === 0 ? "" : ` of ${known.join(", ")}`;
}
