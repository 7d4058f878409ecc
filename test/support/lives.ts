import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect } from "vitest";
import type { LocalStack } from "../../infra/local/stack.ts";
import { signLemonSqueezy } from "./lemonsqueezy.ts";
import {
  lemonsqueezySecret,
  paddleSecret,
  polarSecret,
  post,
  type Sent,
  startTestStack,
  stateOf,
  stripeSecret,
} from "./local.ts";
import { paddleHeader } from "./paddle.ts";
import { signPolarAsOfOld } from "./polar.ts";
import { stripeHeader } from "./stripe.ts";

/** An event of a fixture; its name stands for the storefront's id of it where that is in a header. */
export type Told = { name: string; at: Date; body: Record<string, unknown> };

/** How a storefront tells the time of an event, and signs it. */
type Shop = {
  timeOf: (body: never) => string | number;
  sign: (payload: string, seconds: number, name: string) => Record<string, string>;
};

const shops = {
  stripe: {
    timeOf: ({ created }: { created: number }) => created * 1000,
    sign: (payload, seconds) => ({ "stripe-signature": stripeHeader(payload, stripeSecret, seconds) }),
  },
  paddle: {
    timeOf: ({ occurred_at }: { occurred_at: string }) => occurred_at,
    sign: (payload, seconds) => ({ "paddle-signature": paddleHeader(payload, paddleSecret, seconds) }),
  },
  lemonsqueezy: {
    timeOf: ({ data }: { data: { attributes: { updated_at: string } } }) => data.attributes.updated_at,
    sign: (payload) => signLemonSqueezy(payload, lemonsqueezySecret),
  },
  polar: {
    timeOf: ({ timestamp }: { timestamp: string }) => timestamp,
    sign: (payload, seconds, name) => signPolarAsOfOld(payload, polarSecret, seconds, name),
  },
} satisfies Record<string, Shop>;

/** A customer's life at a storefront, in the order in which it is delivered. */
export class Life {
  readonly storefront: keyof typeof shops;
  readonly subscription: string;
  readonly events: readonly Told[];

  constructor(storefront: keyof typeof shops, subscription: string, folder: string = storefront) {
    const place = new URL(`../fixtures/${folder}/`, import.meta.url);
    const timeOf = shops[storefront].timeOf as (body: object) => string | number;
    this.storefront = storefront;
    this.subscription = `${storefront}/${subscription}`;
    this.events = readdirSync(place)
      .sort()
      .map((name) => {
        const body = JSON.parse(readFileSync(new URL(name, place), "utf8"));
        return { name, body, at: new Date(timeOf(body)) };
      });
  }

  deliver(stack: LocalStack, { body, name }: Pick<Told, "body" | "name">): Promise<Sent> {
    const payload = JSON.stringify(body);
    const seconds = Math.floor(stack.clock.now().getTime() / 1000);
    return post(
      `${stack.url}/webhooks/${this.storefront}`,
      payload,
      shops[this.storefront].sign(payload, seconds, name),
    );
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
