import type { Clock } from "../../local/clock.ts";
import { instantPlusMonths, toInstant } from "../../shared/licensing/time.ts";
import type { Random } from "../simulation/random.ts";
import { signStandard } from "../support/local.ts";

export type Customer = {
  id: string;
  plan: "vm6-monthly" | "dci6-monthly";
  quantity: number;
  is: "new" | "active" | "paused" | "cancelled";
  /** The ends of the paid months, and the times of the payments. */
  paid: { through: string; at: string }[];
};

export type Webhook = { id: string; customer: string; body: string; answered: boolean };

const senders = 8;
const aheadDays = 12;

/** A storefront with its customers. It sends each webhook until it is answered 200, and sometimes once more. */
export class Shop {
  readonly customers: Customer[];
  readonly webhooks: Webhook[] = [];
  readonly #random: Random;
  readonly #clock: Clock;

  constructor(customers: number, random: Random, clock: Clock) {
    this.#random = random;
    this.#clock = clock;
    this.customers = Array.from({ length: customers }, (_, i) => ({
      id: `shop-${i}`,
      plan: random.chance(0.7) ? "vm6-monthly" : "dci6-monthly",
      quantity: random.int(1, 3),
      is: "new",
      paid: [],
    }));
  }

  /** Each customer does at most one thing, in addition to being charged. */
  open(): void {
    for (const customer of this.customers) {
      if (customer.is === "new" && this.#random.chance(0.4)) this.#buy(customer);
      else if (customer.is === "active") this.#change(customer);
      else if (customer.is === "paused" && this.#random.chance(0.5)) this.#resume(customer);
    }
    this.charge();
  }

  /** Each active customer pays for the next month some days before it begins. */
  charge(): void {
    const soon = this.#clock.now().getTime() + aheadDays * 86_400_000;
    for (const customer of this.customers) {
      while (customer.is === "active" && Date.parse(paidThrough(customer)) < soon) this.#pay(customer);
    }
  }

  /** Sends until everything is answered, or the functions are dead. */
  async deliver(url: string, over: AbortSignal): Promise<void> {
    const waiting = this.webhooks.filter(({ answered }) => !answered || this.#random.chance(0.05));
    const send = async () => {
      for (let webhook = waiting.shift(); webhook && !over.aborted; webhook = waiting.shift()) {
        if (await this.#send(url, webhook, over)) webhook.answered = true;
        else waiting.push(webhook);
      }
    };
    await Promise.all(Array.from({ length: senders }, send));
  }

  async #send(url: string, { id, body }: Webhook, signal: AbortSignal): Promise<boolean> {
    try {
      const headers = { "content-type": "application/json", ...signStandard(body, this.#clock.now(), id) };
      return (await fetch(`${url}/webhooks/standard`, { method: "POST", body, headers, signal })).status === 200;
    } catch {
      return false;
    }
  }

  #buy(customer: Customer): void {
    customer.is = "active";
    this.#pay(customer);
  }

  #change(customer: Customer): void {
    const what = this.#random.weighted([
      ["nothing", 24],
      ["quantity", 8],
      ["pause", 4],
      ["cancel", 1],
    ]);
    if (what === "quantity") {
      customer.quantity = this.#random.int(1, 4);
      this.#queue(customer, "subscription.changed", { plan: customer.plan, quantity: customer.quantity });
    } else if (what === "pause") {
      customer.is = "paused";
      this.#queue(customer, "subscription.paused");
    } else if (what === "cancel") {
      customer.is = "cancelled";
      this.#queue(customer, "subscription.cancelled");
    }
  }

  #resume(customer: Customer): void {
    customer.is = "active";
    this.#queue(customer, "subscription.resumed");
  }

  #pay(customer: Customer): void {
    const at = toInstant(this.#clock.now());
    const last = paidThrough(customer);
    const through = instantPlusMonths(last > at ? last : at, 1);
    customer.paid.push({ through, at });
    const payment = `${customer.id}-${customer.paid.length}`;
    const { plan, quantity } = customer;
    this.#queue(customer, "payment.succeeded", { payment, plan, quantity, paidThrough: through });
  }

  #queue({ id: subscription }: Customer, type: string, data: object = {}): void {
    const timestamp = this.#clock.now().toISOString();
    const body = JSON.stringify({ type, timestamp, data: { subscription, ...data } });
    this.webhooks.push({ id: `msg-${this.webhooks.length}`, customer: subscription, body, answered: false });
  }
}

export const paidThrough = ({ paid }: Customer): string => paid.at(-1)?.through ?? "";
