import fc from "fast-check";
import { expect } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import type { StorefrontName } from "../../shared/licensing/event.ts";
import { type Delivery, deliveriesIn } from "./fixtures.ts";
import { post, type Sent, startTestStack, stateOf } from "./local.ts";
import { headersOf } from "./signers.ts";

/** A customer's life at a storefront, in the order in which it is delivered. */
export class Life {
  readonly storefront: StorefrontName;
  readonly subscription: string;
  readonly events: readonly Delivery[];

  constructor(storefront: StorefrontName, subscription: string, folder: string = storefront) {
    this.storefront = storefront;
    this.subscription = `${storefront}/${subscription}`;
    this.events = deliveriesIn(storefront, folder);
  }

  deliver(stack: LocalStack, delivery: Omit<Delivery, "at">): Promise<Sent> {
    const { text = JSON.stringify(delivery.body) } = delivery;
    const headers = headersOf(this.storefront, delivery, text, stack.clock.now());
    return post(`${stack.url}/webhooks/${this.storefront}`, text, headers);
  }

  /** Delivers each event at its time. */
  async play(stack: LocalStack, events: readonly Delivery[] = this.events): Promise<void> {
    for (const event of events) {
      if (event.at > stack.clock.now()) await stack.advanceTo(event.at);
      expect((await this.deliver(stack, event)).status).toBe(200);
    }
  }

  /** Delivers all webhooks sent before `until` in several orders, with repeats, and expects the same licenses each time. */
  async expectSameInAnyOrder(until: Date): Promise<void> {
    const events = this.events.filter(({ at }) => at < until);
    const again = [...events, ...events.slice(0, 6)];
    const orders = fc.sample(fc.shuffledSubarray(again, { minLength: again.length }), 5);
    const inOrder = await this.#outcome(events, until);
    expect(inOrder.licenses).not.toEqual([]);
    for (const order of orders) expect(await this.#outcome(order, until)).toEqual(inOrder);
  }

  async #outcome(events: readonly Delivery[], until: Date) {
    const stack = await startTestStack({ clock: until });
    try {
      for (const event of events) expect((await this.deliver(stack, event)).status).toBe(200);
      await stack.advanceTo(new Date(until.getTime() + 86_400_000));
      const { slots: stored = [], payments, renewals, failures, end } = (await stateOf(stack, this.subscription)) ?? {};
      // A period begins at the time of the order, so only its day is the same.
      const slots = stored.map(({ spentThrough, ...slot }) => ({ ...slot, spentThrough: spentThrough?.slice(0, 10) }));
      const licenses = stack.sandbox?.licenses().map(({ status, addons, expiry }) => ({ status, addons, expiry }));
      return { slots, payments, renewals, failures, end, licenses };
    } finally {
      await stack.stop();
    }
  }
}

/** The operations in billmgr's ledger: day, operation, and addons if it has any. */
export const doneAt = (stack: LocalStack): unknown[][] =>
  (stack.sandbox?.ledger() ?? []).map(({ at, operation, ...entry }) => [
    at.slice(0, 10),
    operation,
    ...("addons" in entry ? [entry.addons] : []),
  ]);
