import type { Life } from "./life.ts";
import type { Random } from "./random.ts";
import { addMonths, day, type Fact, type Meaning } from "./shop.ts";

const hour = day / 24;

/** A subscription at Stripe: its payments have explicit periods, and its refunds name a payment that other events link. */
export function stripeLifeOf(subscription: string, random: Random, start: number, end: number): Life {
  return new Subscriber(subscription, random, start, end).live();
}

type Period = { from: number; to: number };

class Subscriber {
  readonly #random: Random;
  readonly #id: string;
  readonly #end: number;
  readonly #facts: Fact[] = [];
  readonly #plan: "vm-monthly" | "dci-each";
  readonly #price: string;
  readonly #since: number;
  readonly #isPlain: boolean;
  /** Days after the due date on which this customer usually pays. */
  readonly #habitDays: number;
  #quantity: number;
  #status = "active";
  #periodEnd: number;
  #cancels = false;
  /** An earlier period that is not paid yet. */
  #owed: Period | undefined;

  constructor(id: string, random: Random, start: number, end: number) {
    this.#id = id;
    this.#random = random;
    this.#end = end;
    this.#isPlain = random.chance(0.4);
    this.#plan = this.#isPlain ? "vm-monthly" : random.pick(["vm-monthly", "dci-each"]);
    this.#price = this.#plan === "vm-monthly" ? "price_vm" : "price_dci";
    this.#quantity = random.int(1, 3);
    this.#habitDays = random.chance(0.3) ? random.int(1, 25) : 0;
    this.#since = wholeSeconds(start + random.between(0, 3 * day));
    this.#periodEnd = this.#since;
  }

  live(): Life {
    let anchor = this.#since;
    let months = 0;
    for (let due = this.#since; due < this.#end; due = this.#periodEnd) {
      months++;
      const period = { from: due, to: addMonths(anchor, months) };
      this.#periodEnd = period.to;
      const late = due === this.#since ? 0 : this.#lateness();
      this.#postItself(due, due === this.#since ? "created" : "updated");
      if (late > day) this.#fail(due);
      if (late > 0 && this.#random.chance(0.15) && !this.#owed) {
        // The customer pays it after the next one.
        this.#owed = period;
        continue;
      }
      const at = wholeSeconds(due + late);
      const invoice = this.#pay(at, period);
      if (late > day) this.#postItself(at, "updated");
      this.#payOwed(at);
      if (!this.#isPlain) this.#incidents(at, invoice);
      if (this.#cancels) {
        this.#status = "canceled";
        this.#postItself(this.#periodEnd, "deleted");
        break;
      }
      if (this.#random.chance(0.05)) {
        // The billing cycle starts again within the paid time.
        anchor = wholeSeconds(at + this.#random.between(2 * day, 20 * day));
        months = 0;
        if (anchor < this.#periodEnd) this.#periodEnd = anchor;
        else anchor = this.#periodEnd;
      }
    }
    const facts = this.#facts.filter((fact) => fact.at < this.#end);
    return { storefront: "stripe", subscription: this.#id, facts, isPlain: this.#isPlain };
  }

  #lateness(): number {
    if (this.#habitDays > 0 && this.#random.chance(0.8)) {
      return this.#habitDays * day + this.#random.int(-hour, hour);
    }
    if (this.#random.chance(0.7)) return this.#random.int(0, 2 * hour);
    return this.#random.int(hour, this.#random.chance(0.8) ? 10 * day : 27 * day);
  }

  #fail(at: number): void {
    const invoice = { id: `in_${this.#short}_late_${this.#facts.length}`, ...this.#parent() };
    this.#post(at, "invoice.payment_failed", invoice, [{ kind: "failed" }]);
    this.#status = "past_due";
    this.#postItself(at, "updated");
    this.#status = "active";
  }

  #payOwed(at: number): void {
    const owed = this.#owed;
    if (!owed) return;
    this.#owed = undefined;
    if (this.#random.chance(0.85)) this.#pay(wholeSeconds(at + this.#random.int(60_000, 3 * day)), owed);
  }

  #incidents(from: number, invoice: string): void {
    const within = () => wholeSeconds(from + this.#random.between(hour, 25 * day));
    if (this.#random.chance(0.4)) {
      this.#quantity = this.#random.int(1, 3);
      this.#postItself(within(), "updated");
    }
    if (this.#random.chance(0.3)) {
      const at = within();
      const charge = { id: `ch_${invoice}`, payment_intent: `pi_${invoice}` };
      // Some refunds arrive before the invoice, and so before the link.
      this.#post(this.#random.chance(0.3) ? from : at, "charge.refunded", { ...charge, refunded: true }, [
        { kind: "taken_back", payment: invoice },
      ]);
      if (this.#random.chance(0.4)) {
        const means: Meaning = { kind: "taken_back", payment: invoice, isReturned: true };
        this.#post(at + hour, "refund.failed", { ...charge, id: `re_${invoice}` }, [means]);
      }
    }
    if (this.#random.chance(0.2)) {
      this.#cancels = true;
      const at = within();
      this.#postItself(at, "updated");
      if (this.#random.chance(0.4)) {
        this.#cancels = false;
        this.#postItself(at + hour, "updated");
      }
    }
  }

  #pay(at: number, { from, to }: Period): string {
    const id = `in_${this.#short}_${this.#facts.length}`;
    const subscription_item_details = { subscription: this.#id, proration: false };
    const line = {
      amount: 1000,
      quantity: this.#quantity,
      period: { start: seconds(from), end: seconds(to) },
      parent: { subscription_item_details },
      pricing: { price_details: { price: this.#price } },
    };
    const isFirst = from === this.#since;
    const billing_reason = isFirst ? "subscription_create" : "subscription_cycle";
    const invoice = { id, created: seconds(from), billing_reason, payment_intent: `pi_${id}`, lines: { data: [line] } };
    const data = { ...invoice, ...this.#parent() };
    const items = [{ plan: this.#plan, quantity: this.#quantity }];
    const means: Meaning[] = [
      { kind: "paid", payment: id, from, to },
      { kind: "sells", items, asOf: isFirst ? from - 1 : 0 },
    ];
    this.#post(at, "invoice.paid", data, means);
    // Stripe sends it again after days or months, with a later time.
    if (this.#random.chance(0.1)) {
      this.#post(wholeSeconds(at + this.#random.between(hour, 150 * day)), "invoice.paid", data, means);
    }
    return id;
  }

  /** Each of its own events contains the whole subscription. */
  #postItself(at: number, what: "created" | "updated" | "deleted"): void {
    const data = {
      id: this.#id,
      status: this.#status,
      cancel_at_period_end: this.#cancels,
      items: {
        data: [{ price: { id: this.#price }, quantity: this.#quantity, current_period_end: seconds(this.#periodEnd) }],
      },
    };
    const sells: Meaning = { kind: "sells", items: [{ plan: this.#plan, quantity: this.#quantity }], asOf: at };
    const standing: Meaning[] =
      what === "deleted"
        ? [{ kind: "ended" }]
        : [
            { kind: this.#status === "past_due" ? "failed" : "resumed" },
            this.#cancels ? { kind: "ends", at: this.#periodEnd } : { kind: "continues" },
          ];
    this.#post(at, `customer.subscription.${what}`, data, [sells, ...standing]);
  }

  get #short(): string {
    return this.#id.slice(0, 60);
  }

  #parent = () => ({ parent: { subscription_details: { subscription: this.#id } } });

  #post(at: number, type: string, data: Record<string, unknown>, means: Meaning[]): void {
    const id = `evt_${this.#short}_${this.#facts.length}`;
    this.#facts.push({ storefront: "stripe", id, at, type, data, means });
  }
}

const seconds = (at: number): number => Math.floor(at / 1000);
const wholeSeconds = (at: number): number => seconds(at) * 1000;
