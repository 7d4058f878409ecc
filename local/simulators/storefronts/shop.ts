/** What a customer of any storefront does. */
export type Step = "buy" | "renew" | "grow" | "fail" | "cancel" | "end" | "refund";

/** The customer's subscription as a shop has it after the step. Times are whole seconds. */
export type Customer = {
  /** The storefront's id of it. */
  subscription: string;
  /** What was sold, as the catalog lists it for the storefront. */
  sold: string;
  quantity: number;
  months: number;
  began: Date;
  /** Which period is paid for, or to be paid, counted from 1. */
  period: number;
  /** Where that period begins and ends. */
  from: Date;
  to: Date;
  email: string;
};

/** One webhook before it is signed. `headers`: what it tells beside its body. */
export type Told = { type: string; body: unknown; headers?: Record<string, string> };

/** How one storefront tells of its customers. A step without an answer is one that it does not tell. */
export type Shop = {
  /** An id of a subscription, as the storefront makes them. */
  newId: () => string;
  tell: Partial<Record<Step, (customer: Customer, at: Date) => Told[]>>;
  sign: (told: { text: string; id: string; type: string }, secret: string, at: Date) => Record<string, string>;
};

export type Webhook = { type: string; body: string; headers: Record<string, string> };

/** The signed webhooks of one step, in the order in which they are sent. */
export function webhooksOf(shop: Shop, step: Step, customer: Customer, secret: string, at: Date): Webhook[] {
  return (shop.tell[step]?.(customer, at) ?? []).map(({ type, body, headers }, i) => {
    const text = JSON.stringify(body);
    const id = `msg_${customer.subscription}_${step}_${seconds(at)}_${i}`;
    const signed = shop.sign({ text, id, type }, secret, at);
    return { type, body: text, headers: { "content-type": "application/json", ...signed, ...headers } };
  });
}

/** A customer in the n-th period since they bought. */
export function inPeriod(customer: Omit<Customer, "period" | "from" | "to">, period: number): Customer {
  const { began, months } = customer;
  const from = monthsAfter(began, (period - 1) * months);
  return { ...customer, period, from, to: monthsAfter(began, period * months) };
}

/** Month ends are kept within the month. */
export function monthsAfter(date: Date, months: number): Date {
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months + 1, 0)).getUTCDate();
  const later = new Date(date);
  later.setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + months, Math.min(date.getUTCDate(), last));
  return later;
}

export const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** A number of the payment for the period, no other one's: storefronts number orders through all subscriptions. */
export const numberOf = ({ subscription, period }: Customer): number => Number(subscription) * 1000 + period;

/** Nine digits, as of a shop that is no longer new. */
export const someNumber = (): string => String(100_000_000 + Math.floor(Math.random() * 900_000_000));

export const someWord = (prefix: string): string => `${prefix}${Math.random().toString(36).slice(2, 12)}`;
