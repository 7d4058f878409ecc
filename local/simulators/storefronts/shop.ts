/** A simulated storefront, and the webhooks that it sends. */

/** The actions of a customer. */
export type Step = "buy" | "renew" | "grow" | "fail" | "cancel" | "end" | "refund";

/** The customer's subscription in the shop, after the step. Times are whole seconds. */
export type Customer = {
  /** The storefront's id of the subscription. */
  subscription: string;
  /** The id of the sold item, as listed in the catalog for the storefront. */
  sold: string;
  quantity: number;
  months: number;
  began: Date;
  /** The period that is paid or to be paid, counted from 1. */
  period: number;
  /** The start and end of that period. */
  from: Date;
  to: Date;
  email: string;
};

/** A webhook without its signature. `headers` contain data in addition to the body. */
export type UnsignedWebhook = { type: string; body: unknown; headers?: Record<string, string> };

export type Shop = {
  /** Creates a subscription id of the storefront's form. */
  newId: () => string;
  /** The webhooks for each step. A missing step is one that the storefront does not report. */
  webhooks: Partial<Record<Step, (customer: Customer, at: Date) => UnsignedWebhook[]>>;
  sign: (webhook: { text: string; id: string; type: string }, secret: string, at: Date) => Record<string, string>;
};

export type Webhook = { type: string; body: string; headers: Record<string, string> };

/** The signed webhooks of one step, in the order of sending. */
export function signedWebhooks(shop: Shop, step: Step, customer: Customer, secret: string, at: Date): Webhook[] {
  return (shop.webhooks[step]?.(customer, at) ?? []).map(({ type, body, headers }, i) => {
    const text = JSON.stringify(body);
    const id = `msg_${customer.subscription}_${step}_${seconds(at)}_${i}`;
    const signed = shop.sign({ text, id, type }, secret, at);
    return { type, body: text, headers: { "content-type": "application/json", ...signed, ...headers } };
  });
}

/** The customer in the n-th period since the purchase. */
export function inPeriod(customer: Omit<Customer, "period" | "from" | "to">, period: number): Customer {
  const { began, months } = customer;
  const from = monthsAfter(began, (period - 1) * months);
  return { ...customer, period, from, to: monthsAfter(began, period * months) };
}

/** Month ends are clamped: January 31 plus one month is the last day of February. */
export function monthsAfter(date: Date, months: number): Date {
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0)).getUTCDate();
  const later = new Date(date);
  later.setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + months, Math.min(date.getUTCDate(), last));
  return later;
}

export const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** A unique number for the payment of the period. Storefronts number orders across all subscriptions. */
export const numberOf = ({ subscription, period }: Customer): number => Number(subscription) * 1000 + period;

/** Nine digits, as in a shop with a long history. */
export const someNumber = (): string => String(100_000_000 + Math.floor(Math.random() * 900_000_000));

export const someWord = (prefix: string): string => `${prefix}${Math.random().toString(36).slice(2, 12)}`;
