import type { Random } from "./random.ts";
import { addMonths, day, type Fact, iso, type Meaning, type Sold } from "./shop.ts";

/** Everything that one customer does with one subscription. */
export type Life = {
  storefront: Fact["storefront"];
  subscription: string;
  facts: Fact[];
  /** Contains only payments for one plan with one license, so bought periods can be compared with paid ones. */
  isPlain: boolean;
};

const minute = 60_000;
const hour = 60 * minute;

type Plan = { name: string; months: number; trial?: boolean; most: number };

/** The plans of the simulated catalog: see setup.ts. */
const plans: readonly [Plan, ...Plan[]] = [
  { name: "vm-monthly", months: 1, most: 4 },
  { name: "vm-prepaid", months: 3, most: 3 },
  { name: "vm-yearly", months: 12, most: 3 },
  { name: "dci-each", months: 1, most: 3 },
  { name: "isp-monthly", months: 1, most: 1 },
  { name: "dci-trial", months: 1, trial: true, most: 1 },
];

/** Creates a random life of one subscription that begins soon after `start`. */
export function lifeOf(subscription: string, random: Random, start: number, end: number): Life {
  return new Customer(subscription, random, start, end).live();
}

class Customer {
  readonly #random: Random;
  readonly #subscription: string;
  readonly #end: number;
  readonly #facts: Fact[] = [];
  readonly #countsMonths: boolean;
  readonly #isPlain: boolean;
  /** Whether a late payment moves the due dates of the shop. */
  readonly #movesDueDates: boolean;
  /** Days after the due date on which this customer usually pays. */
  readonly #habitDays: number;
  readonly #customer: { id: string; email: string } | undefined;
  #plan: Plan;
  #quantity: number;
  #extras: number | undefined;
  /** The start of the paid time from which due dates are counted, and the number of paid months. */
  #since: number;
  #months = 0;
  #hasEnded = false;

  constructor(subscription: string, random: Random, start: number, end: number) {
    this.#subscription = subscription;
    this.#random = random;
    this.#end = end;
    this.#isPlain = random.chance(0.4);
    this.#countsMonths = random.chance(0.3);
    this.#movesDueDates = random.chance(0.5);
    this.#habitDays = random.chance(0.3) ? random.int(1, 40) : 0;
    if (random.chance(0.1)) this.#customer = { id: random.text(200), email: `${random.text(280)}@shop.example` };
    this.#plan = random.pick(plans);
    if (this.#isPlain && (this.#plan.trial || this.#plan.name === "dci-each")) this.#plan = plans[0];
    this.#quantity = random.int(1, this.#plan.most);
    if (this.#plan.name === "dci-each" && random.chance(0.02)) this.#quantity = random.int(60, 90);
    this.#since = start + Math.floor(random.between(0, 3 * day));
  }

  live(): Life {
    let at = this.#since;
    if (!this.#isPlain && this.#plan.trial && this.#random.chance(0.7)) at = this.#tryFirst(at);
    while (at < this.#end && !this.#hasEnded) {
      if (this.#facts.length === 0 && this.#random.chance(0.3))
        this.#post(at - minute, "subscription.changed", ...this.#sold(at - minute));
      const from = addMonths(this.#since, this.#months);
      this.#months += this.#plan.months;
      const through = addMonths(this.#since, this.#months);
      const payment = this.#pay(at, from, through);
      if (!this.#isPlain) this.#incidents(at, through, payment);
      if (this.#hasEnded && this.#random.chance(0.3)) this.#comeBack(through);
      at = this.#nextPayment(through);
    }
    const facts = this.#facts.filter((fact) => fact.at < this.#end);
    return { storefront: "standard", subscription: this.#subscription, facts, isPlain: this.#isPlain };
  }

  #tryFirst(at: number): number {
    const through = at + 14 * day;
    const payment = this.#paymentId();
    const [sold, sells] = this.#sold(at);
    const data = { payment, trial: true, paidThrough: iso(through), ...sold };
    this.#post(at, "payment.succeeded", data, { kind: "paid", payment, trial: true, from: at, to: through }, sells);
    this.#since = through + (this.#random.chance(0.7) ? 0 : this.#random.int(-2 * day, 6 * day));
    return this.#since;
  }

  /** Draws when the customer pays next: on time, early, late after a failed payment, or never. */
  #nextPayment(through: number): number {
    switch (
      this.#random.weighted([
        ["on time", 6],
        ["early", 1],
        ["late", 2],
        ["never", 0.3],
      ] as const)
    ) {
      case "on time":
        if (this.#habitDays > 0) return this.#payLate(through, this.#habitDays * day + this.#random.int(-hour, hour));
        return through + this.#random.int(-hour, hour);
      case "early":
        return through - this.#random.int(hour, 3 * day);
      case "late":
        return this.#payLate(
          through,
          this.#random.chance(0.8) ? this.#random.int(hour, 12 * day) : this.#random.int(12 * day, 45 * day),
        );
      case "never":
        if (this.#random.chance(0.7)) this.#post(through, "payment.failed", {}, { kind: "failed" });
        return Number.POSITIVE_INFINITY;
    }
  }

  #payLate(through: number, late: number): number {
    if (this.#random.chance(0.8)) this.#post(through, "payment.failed", {}, { kind: "failed" });
    const at = through + late;
    // Nobody pays for a period that is already over. The paid time then starts again.
    const isOver = at >= addMonths(this.#since, this.#months + this.#plan.months);
    if (isOver || (this.#movesDueDates && late > 2 * day)) {
      this.#since = at;
      this.#months = 0;
    }
    return at;
  }

  /** Other events of a subscription while it is paid. */
  #incidents(from: number, through: number, payment: string): void {
    const within = () => from + Math.floor(this.#random.between(minute, Math.min(through - from, 30 * day)));
    while (this.#random.chance(0.6)) {
      const at = within();
      switch (
        this.#random.weighted([
          ["quantity", 4],
          ["plan", 2],
          ["unknown", 0.5],
          ["extra", 1],
          ["pause", 1],
          ["refund", 1],
          ["cancel", 2],
          ["nonsense", 0.5],
        ] as const)
      ) {
        case "quantity":
          this.#quantity = this.#random.int(1, this.#plan.most);
          this.#sell(at);
          break;
        case "plan":
          this.#plan = this.#random.pick(plans);
          this.#quantity = this.#random.int(1, this.#plan.most);
          this.#extras = undefined;
          this.#sell(at);
          break;
        case "unknown":
          this.#sellUnknown(at);
          break;
        case "extra":
          this.#extras = this.#random.int(0, 2);
          this.#sell(at);
          break;
        case "pause":
          this.#post(at, "subscription.paused", {}, { kind: "paused" });
          if (this.#random.chance(0.8)) {
            const until = at + this.#random.int(minute, this.#random.chance(0.8) ? 5 * day : 60 * day);
            this.#post(until, "subscription.resumed", {}, { kind: "resumed" });
          }
          break;
        case "refund":
          this.#post(at, "payment.refunded", { payment }, { kind: "taken_back", payment });
          if (this.#random.chance(0.4)) {
            const data = { payment, reversed: true };
            const means = { kind: "taken_back", payment, isReturned: true } as const;
            this.#post(at + this.#random.int(hour, 9 * day), "payment.refunded", data, means);
          }
          break;
        case "cancel":
          this.#cancel(at, through);
          return;
        case "nonsense":
          this.#post(at, this.#random.pick(["customer.greeted", "payment.succeeded"]), { payment: "" });
      }
    }
  }

  #sell(at: number): void {
    this.#post(at, "subscription.changed", ...this.#sold(at));
  }

  /** Sells an item that the catalog omits, in addition or instead. The shop corrects it soon, late, or never. */
  #sellUnknown(at: number): void {
    const items = [{ plan: "not-sold-here", quantity: 1 }, ...(this.#random.chance(0.5) ? this.#items() : [])];
    this.#post(at, "subscription.changed", { items }, { kind: "sells", items, asOf: at });
    const after = this.#random.weighted([
      [minute, 4],
      [this.#random.int(hour, 30 * day), 3],
      [undefined, 1],
    ] as const);
    if (after !== undefined) this.#sell(at + after);
  }

  #cancel(at: number, through: number): void {
    if (this.#random.chance(0.3)) {
      this.#post(at, "subscription.cancelled", {}, { kind: "ended" });
      this.#hasEnded = true;
      return;
    }
    const isStated = this.#random.chance(0.5);
    const means: Meaning = isStated ? { kind: "ends", at: through } : { kind: "ends" };
    this.#post(at, "subscription.cancel_scheduled", isStated ? { endsAt: iso(through) } : {}, means);
    if (this.#random.chance(0.4)) {
      const withdrawn = at + this.#random.int(minute, through - at);
      this.#post(withdrawn, "subscription.cancel_withdrawn", {}, { kind: "continues" });
      return;
    }
    if (this.#random.chance(0.8)) this.#post(through, "subscription.cancelled", {}, { kind: "ended" });
    this.#hasEnded = true;
  }

  #comeBack(through: number): void {
    this.#hasEnded = false;
    this.#since = through + this.#random.int(hour, 20 * day);
    this.#months = 0;
  }

  #pay(at: number, from: number, to: number): string {
    const payment = this.#paymentId();
    const { months } = this.#plan;
    const covers = this.#countsMonths ? { months } : { paidThrough: iso(to) };
    const means: Meaning = this.#countsMonths
      ? { kind: "paid", payment, months }
      : // Without a stated start, the period begins with the payment if that is earlier.
        { kind: "paid", payment, from: Math.min(at, from), to, isFromUnstated: true };
    const [sold, ...sells] = this.#sold(at);
    const data = { payment, ...covers, ...sold };
    this.#post(at, "payment.succeeded", data, means, ...sells);
    if (this.#random.chance(0.12)) this.#restate(at, data, means, sells);
    return payment;
  }

  /** Sends the same payment again, days or months later, with the later time. The webhook has a new id or the old one. */
  #restate(at: number, data: Record<string, unknown>, means: Meaning, sells: Meaning[]): void {
    const later = at + this.#random.int(hour, this.#random.chance(0.5) ? 20 * day : 200 * day);
    const { id } = this.#facts.at(-1) as Fact;
    this.#post(later, "payment.succeeded", data, means, ...sells.map((one) => ({ ...one, asOf: later })));
    const restated = this.#facts.at(-1) as Fact;
    if (this.#random.chance(0.5)) this.#facts[this.#facts.length - 1] = { ...restated, id };
  }

  #paymentId = (): string => `p-${this.#subscription.slice(0, 60)}-${this.#facts.length}`;

  #items(): Sold[] {
    const { name } = this.#plan;
    const plan = { plan: name, quantity: this.#quantity };
    if (this.#extras === undefined || !name.startsWith("vm")) return [plan];
    return [plan, { plan: "vm-node", quantity: this.#extras }, { plan: "support", quantity: 1 }];
  }

  #sold(asOf: number): [Record<string, unknown>, Meaning] {
    const items = this.#items();
    const [only] = items;
    return [items.length === 1 && only ? only : { items }, { kind: "sells", items, asOf }];
  }

  #post(at: number, type: string, data: Record<string, unknown>, ...means: Meaning[]): void {
    const id = `e-${this.#subscription.slice(0, 60)}-${this.#facts.length}`;
    const customer = this.#customer && { customer: this.#customer };
    const posted = { type, data: { subscription: this.#subscription, ...customer, ...data } };
    this.#facts.push({ storefront: "standard", id, at: Math.floor(at), ...posted, means });
  }
}
