import type { Life } from "./life.ts";
import type { Random } from "./random.ts";
import { addMonths, day, type Fact } from "./shop.ts";

const hour = day / 24;

/** A subscription at Stripe, whose refunds name a payment that other events link to it. */
export function stripeLifeOf(subscription: string, random: Random, start: number, end: number): Life {
  return new Subscriber(subscription, random, start, end).live();
}

class Subscriber {
  readonly #random: Random;
  readonly #id: string;
  readonly #end: number;
  readonly #facts: Fact[] = [];
  readonly #price: string;
  readonly #since: number;
  #quantity: number;
  #status = "active";
  #periodEnd: number;
  #cancels = false;

  constructor(id: string, random: Random, start: number, end: number) {
    this.#id = id;
    this.#random = random;
    this.#end = end;
    this.#price = random.pick(["price_vm", "price_dci"]);
    this.#quantity = random.int(1, 3);
    this.#since = wholeSeconds(start + random.between(0, 3 * day));
    this.#periodEnd = this.#since;
  }

  live(): Life {
    let at = this.#since;
    for (let months = 1; at < this.#end; months++) {
      const from = this.#periodEnd;
      this.#periodEnd = addMonths(this.#since, months);
      this.#tellItself(at, months === 1 ? "created" : "updated");
      const invoice = this.#pay(at, from);
      this.#incidents(at, invoice);
      if (this.#cancels) {
        this.#status = "canceled";
        this.#tellItself(this.#periodEnd, "deleted");
        break;
      }
      const late = this.#random.chance(0.25) ? this.#random.int(hour, 10 * day) : this.#random.int(0, 2 * hour);
      if (late > day) {
        this.#tell(this.#periodEnd, "invoice.payment_failed", {
          id: `in_${this.#id}_late_${months}`,
          ...this.#parent(),
        });
        this.#status = "past_due";
        this.#tellItself(this.#periodEnd, "updated");
        this.#status = "active";
      }
      at = wholeSeconds(this.#periodEnd + late);
    }
    const facts = this.#facts.filter((fact) => fact.at < this.#end);
    return { storefront: "stripe", subscription: this.#id, facts, plain: false, gapDays: 0 };
  }

  #incidents(from: number, invoice: string): void {
    const within = () => wholeSeconds(from + this.#random.between(hour, 25 * day));
    if (this.#random.chance(0.4)) {
      this.#quantity = this.#random.int(1, 3);
      this.#tellItself(within(), "updated");
    }
    if (this.#random.chance(0.3)) {
      const at = within();
      const charge = { id: `ch_${invoice}`, payment_intent: `pi_${invoice}` };
      // Some are told before the invoice is: its link comes later than they.
      this.#tell(this.#random.chance(0.3) ? from : at, "charge.refunded", { ...charge, refunded: true });
      if (this.#random.chance(0.4)) this.#tell(at + hour, "refund.failed", { ...charge, id: `re_${invoice}` });
    }
    if (this.#random.chance(0.2)) {
      this.#cancels = true;
      const at = within();
      this.#tellItself(at, "updated");
      if (this.#random.chance(0.4)) {
        this.#cancels = false;
        this.#tellItself(at + hour, "updated");
      }
    }
  }

  #pay(at: number, from: number): string {
    const id = `in_${this.#id}_${this.#facts.length}`;
    const subscription_item_details = { subscription: this.#id, proration: false };
    const line = {
      amount: 1000,
      quantity: this.#quantity,
      period: { start: seconds(from), end: seconds(this.#periodEnd) },
      parent: { subscription_item_details },
      pricing: { price_details: { price: this.#price } },
    };
    const billing_reason = from === this.#since ? "subscription_create" : "subscription_cycle";
    const invoice = { id, created: seconds(from), billing_reason, payment_intent: `pi_${id}`, lines: { data: [line] } };
    this.#tell(at, "invoice.paid", { ...invoice, ...this.#parent() }, { months: 1, through: this.#periodEnd });
    return id;
  }

  /** Each of its own events tells the whole subscription. */
  #tellItself(at: number, what: "created" | "updated" | "deleted"): void {
    this.#tell(at, `customer.subscription.${what}`, {
      id: this.#id,
      status: this.#status,
      cancel_at_period_end: this.#cancels,
      items: {
        data: [{ price: { id: this.#price }, quantity: this.#quantity, current_period_end: seconds(this.#periodEnd) }],
      },
    });
  }

  #parent = () => ({ parent: { subscription_details: { subscription: this.#id } } });

  #tell(at: number, type: string, data: Record<string, unknown>, pays?: Fact["pays"]): void {
    const id = `evt_${this.#id}_${this.#facts.length}`;
    this.#facts.push({ storefront: "stripe", id, at, type, data, ...(pays && { pays }) });
  }
}

const seconds = (at: number): number => Math.floor(at / 1000);
const wholeSeconds = (at: number): number => seconds(at) * 1000;
