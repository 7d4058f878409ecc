import fc from "fast-check";
import { expect } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { type Told, toldBy } from "./fixtures.ts";
import { post, type Sent, startTestStack, stateOf } from "./local.ts";
import { headersOf } from "./signers.ts";

/** A customer's life at a storefront, in the order in which it is delivered. */
export class Life {
  readonly storefront: string;
  readonly subscription: string;
  readonly events: readonly Told[];

  constructor(storefront: string, subscription: string, folder = storefront) {
    this.storefront = storefront;
    this.subscription = `${storefront}/${subscription}`;
    this.events = toldBy(storefront, folder);
  }

  deliver(stack: LocalStack, told: Omit<Told, "at">): Promise<Sent> {
    const { text = JSON.stringify(told.body) } = told;
    const headers = headersOf(this.storefront, told, text, stack.clock.now());
    return post(`${stack.url}/webhooks/${this.storefront}`, text, headers);
  }

  /** Delivers each at its time. */
  async play(stack: LocalStack, events: readonly Told[] = this.events): Promise<void> {
    for (const event of events) {
      if (event.at > stack.clock.now()) await stack.advanceTo(event.at);
      expect((await this.deliver(stack, event)).status).toBe(200);
    }
  }

  /** What was told until then, delivered at once, gives the same in any order, with repeats. */
  async expectSameInAnyOrder(until: Date): Promise<void> {
    const events = this.events.filter(({ at }) => at < until);
    const again = [...events, ...events.slice(0, 6)];
    const orders = fc.sample(fc.shuffledSubarray(again, { minLength: again.length }), 5);
    const inOrder = await this.#outcome(events, until);
    expect(inOrder.licenses).not.toEqual([]);
    for (const order of orders) expect(await this.#outcome(order, until)).toEqual(inOrder);
  }

  async #outcome(events: readonly Told[], until: Date) {
    const stack = await startTestStack({ clock: until });
    try {
      for (const event of events) expect((await this.deliver(stack, event)).status).toBe(200);
      await stack.advanceTo(new Date(until.getTime() + 86_400_000));
      const { slots, payments, renewals, failures, end } = (await stateOf(stack, this.subscription)) ?? {};
      const licenses = stack.sandbox?.licenses().map(({ status, addons, expiry }) => ({ status, addons, expiry }));
      return { slots, payments, renewals, failures, end, licenses };
    } finally {
      await stack.stop();
    }
  }
}

/** What billmgr did: the day, the operation, and its addons where it has any. */
export const doneAt = (stack: LocalStack): unknown[][] =>
  (stack.sandbox?.ledger() ?? []).map(({ at, operation, ...entry }) => [
    at.slice(0, 10),
    operation,
    ...("addons" in entry ? [entry.addons] : []),
  ]);
