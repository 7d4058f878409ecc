import type { Random } from "./random.ts";
import { addMonths, day, type Fact, iso } from "./shop.ts";

/** What one customer does with one subscription. */
export type Life = {
  storefront: Fact["storefront"];
  subscription: string;
  facts: Fact[];
  /** Nothing but payments for one plan of one license: the months bought can be counted against the months paid. */
  plain: boolean;
  /** For how long it was not paid, before payments that came late. */
  gapDays: number;
};

const minute = 60_000;
const hour = 60 * minute;

type Plan = { name: string; months: number; trial?: boolean; most: number };

/** What the catalog of the simulation sells: see world.ts. */
const plans: readonly [Plan, ...Plan[]] = [
  { name: "vm-monthly", months: 1, most: 4 },
  { name: "vm-prepaid", months: 3, most: 3 },
  { name: "vm-yearly", months: 12, most: 3 },
  { name: "dci-each", months: 1, most: 3 },
  { name: "isp-monthly", months: 1, most: 1 },
  { name: "dci-trial", months: 1, trial: true, most: 1 },
];

/** A random life of one subscription, from `start` on for some months. */
export function lifeOf(subscription: string, random: Random, start: number, end: number): Life {
  return new Customer(subscription, random, start, end).live();
}

class Customer {
  readonly #random: Random;
  readonly #subscription: string;
  readonly #end: number;
  readonly #facts: Fact[] = [];
  readonly #inMonths: boolean;
  readonly #plain: boolean;
  #plan: Plan;
  #quantity: number;
  #extras: number | undefined;
  /** When the paid time began, of the run that goes on, and how many months of it are paid. */
  #since: number;
  #months = 0;
  #ended = false;
  #gapDays = 0;

  constructor(subscription: string, random: Random, start: number, end: number) {
    this.#subscription = subscription;
    this.#random = random;
    this.#end = end;
    this.#plain = random.chance(0.3);
    this.#inMonths = random.chance(0.3);
    this.#plan = random.pick(plans);
    if (this.#plain && (this.#plan.trial || this.#plan.name === "dci-each")) this.#plan = plans[0];
    this.#quantity = random.int(1, this.#plan.most);
    this.#since = start + Math.floor(random.between(0, 3 * day));
  }

  live(): Life {
    let at = this.#since;
    if (!this.#plain && this.#plan.trial && this.#random.chance(0.7)) {
      const through = at + 14 * day;
      this.#pay(at, { trial: true, paidThrough: iso(through) });
      at = through + (this.#random.chance(0.7) ? 0 : this.#random.int(-2 * day, 6 * day));
      this.#since = at;
    }
    while (at < this.#end && !this.#ended) {
      if (this.#facts.length === 0 && this.#random.chance(0.3))
        this.#tell(at - minute, "subscription.changed", this.#sold());
      this.#months += this.#plan.months;
      const through = addMonths(this.#since, this.#months);
      const payment = this.#pay(at, this.#inMonths ? { months: this.#plan.months } : { paidThrough: iso(through) });
      if (!this.#plain) this.#incidents(at, through, payment);
      if (this.#ended && this.#random.chance(0.3)) this.#comeBack(through);
      at = this.#nextPayment(through);
      if (at > through && at < this.#end) this.#gapDays += (at - through) / day;
    }
    const facts = this.#facts.filter((fact) => fact.at < this.#end);
    return {
      storefront: "standard",
      subscription: this.#subscription,
      facts,
      plain: this.#plain,
      gapDays: this.#gapDays,
    };
  }

  /** On time, before it, after some failed tries, or never again. */
  #nextPayment(through: number): number {
    switch (
      this.#random.weighted([
        ["on time", 6],
        ["early", 1],
        ["late", 2],
        ["never", 0.5],
      ] as const)
    ) {
      case "on time":
        return through + this.#random.int(-hour, hour);
      case "early":
        return through - this.#random.int(hour, 3 * day);
      case "late": {
        if (this.#random.chance(0.8)) this.#tell(through, "payment.failed", {});
        const at = through + this.#random.int(hour, 12 * day);
        // After a gap a shop counts anew.
        if (at - through > 2 * day) {
          this.#since = at;
          this.#months = 0;
        }
        return at;
      }
      case "never":
        if (this.#random.chance(0.7)) this.#tell(through, "payment.failed", {});
        return Number.POSITIVE_INFINITY;
    }
  }

  /** Whatever else befalls a subscription while it is paid. */
  #incidents(from: number, through: number, payment: string): void {
    const within = () => from + Math.floor(this.#random.between(minute, Math.min(through - from, 30 * day)));
    while (this.#random.chance(0.6)) {
      const at = within();
      switch (
        this.#random.weighted([
          ["quantity", 4],
          ["plan", 2],
          ["extra", 1],
          ["pause", 1],
          ["refund", 1],
          ["cancel", 2],
          ["nonsense", 0.5],
        ] as const)
      ) {
        case "quantity":
          this.#quantity = this.#random.int(1, this.#plan.most);
          this.#tell(at, "subscription.changed", this.#sold());
          break;
        case "plan":
          this.#plan = this.#random.pick(plans);
          this.#quantity = this.#random.int(1, this.#plan.most);
          this.#extras = undefined;
          // Now and then it is sold before it is in the catalog, and mended in the shop.
          if (this.#random.chance(0.1)) this.#tell(at - minute, "subscription.changed", { plan: "not-sold-here" });
          this.#tell(at, "subscription.changed", this.#sold());
          break;
        case "extra":
          this.#extras = this.#random.int(0, 2);
          this.#tell(at, "subscription.changed", this.#sold());
          break;
        case "pause":
          this.#tell(at, "subscription.paused", {});
          if (this.#random.chance(0.8)) this.#tell(at + this.#random.int(minute, 5 * day), "subscription.resumed", {});
          break;
        case "refund":
          this.#tell(at, "payment.refunded", { payment });
          if (this.#random.chance(0.4)) {
            this.#tell(at + this.#random.int(hour, 9 * day), "payment.refunded", { payment, reversed: true });
          }
          break;
        case "cancel":
          this.#cancel(at, through);
          return;
        case "nonsense":
          this.#tell(at, this.#random.pick(["customer.greeted", "payment.succeeded"]), { payment: "" });
      }
    }
  }

  #cancel(at: number, through: number): void {
    if (this.#random.chance(0.3)) {
      this.#tell(at, "subscription.cancelled", {});
      this.#ended = true;
      return;
    }
    this.#tell(at, "subscription.cancel_scheduled", this.#random.chance(0.5) ? { endsAt: iso(through) } : {});
    if (this.#random.chance(0.4)) {
      this.#tell(at + this.#random.int(minute, through - at), "subscription.cancel_withdrawn", {});
      return;
    }
    if (this.#random.chance(0.8)) this.#tell(through, "subscription.cancelled", {});
    this.#ended = true;
  }

  #comeBack(through: number): void {
    this.#ended = false;
    this.#since = through + this.#random.int(hour, 20 * day);
    this.#months = 0;
  }

  #pay(at: number, covers: { trial?: true } & ({ months: number } | { paidThrough: string })): string {
    const payment = `p-${this.#subscription}-${this.#facts.length}`;
    const through = "paidThrough" in covers && { through: Date.parse(covers.paidThrough) };
    this.#tell(
      at,
      "payment.succeeded",
      { payment, ...covers, ...this.#sold() },
      { months: this.#plan.months, ...through },
    );
    return payment;
  }

  #sold(): Record<string, unknown> {
    const { name } = this.#plan;
    if (this.#extras === undefined || !name.startsWith("vm")) return { plan: name, quantity: this.#quantity };
    const items = [
      { plan: name, quantity: this.#quantity },
      { plan: "vm-node", quantity: this.#extras },
      { plan: "support", quantity: 1 },
    ];
    return { items };
  }

  #tell(at: number, type: string, data: Record<string, unknown>, pays?: Fact["pays"]): void {
    const id = `e-${this.#subscription}-${this.#facts.length}`;
    const told = { type, data: { subscription: this.#subscription, ...data }, ...(pays && { pays }) };
    this.#facts.push({ storefront: "standard", id, at: Math.floor(at), ...told });
  }
}
