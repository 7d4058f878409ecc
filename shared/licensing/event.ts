import type { Instant } from "./time.ts";

/**
 * The supported storefronts. Each has its path `/webhooks/<name>`, its secrets, and its `soldAs`. This is the only
 * list: the types of the registries of parsers, simulators, and test signers follow from it.
 */
export const storefrontNames = [
  "standard",
  "stripe",
  "paddle",
  "lemonsqueezy",
  "shopify",
  "woocommerce",
  "chargebee",
  "fastspring",
  "polar",
  "hostbill",
  "appstle",
  "recharge",
] as const;

export type StorefrontName = (typeof storefrontNames)[number];

/** One thing that was sold, by the storefront's names: a Stripe price and its product, a plan, "sku:vm6". */
export type Item = {
  names: string[];
  /** If it is absent, the last stated quantity counts, or 1 if none was stated. */
  quantity?: number;
};

export type Customer = { id?: string; email?: string };

type Fact = {
  /** The storefront's id of the event: the same on every delivery of it. */
  id: string;
  occurredAt: Instant;
  customer?: Customer;
  /**
   * All items of the subscription, if the event contains them. `asOf` is when the list was true. It can be earlier than
   * the event: an invoice that is paid today lists the items of the day on which it was made.
   */
  items?: { asOf: Instant; list: Item[] };
  /** The end of the current period. A payment that states only the start of its period covers the time until then. */
  renewsAt?: Instant;
  /** The months that one payment pays for. It applies to payments that state no period. */
  interval?: number;
};

/** The reasons for which a payment can stop to count. */
export const revocationTypes = ["payment.refunded", "payment.disputed", "payment.voided", "payment.unlinked"] as const;
export type RevocationType = (typeof revocationTypes)[number];

/** A canonical fact about one subscription, from a storefront. */
export type Event = Fact &
  (
    | {
        type: "payment.succeeded";
        payment: string;
        /**
         * The time that the payment pays for, in one of four forms:
         * - through a moment, and from a moment if the event states it
         * - a number of months, added after the time that was paid before
         * - the period from a moment to the renewal that other events state
         * - a number of the intervals that other events state
         */
        covers:
          | { from?: Instant; through: Instant }
          | { months: number }
          | { periodFrom: Instant }
          | { intervals: number };
        /** True for a payment of zero for a trial. A full discount is an ordinary payment. */
        trial: boolean;
      }
    | { type: "payment.failed"; payment?: string }
    /** One of the charges that paid a payment. The payment stops to count when every one of them was taken back. */
    | { type: "payment.part"; payment: string; part: string }
    /**
     * A reason for which a payment does not count. Each is enough: the money went back in full, the bank disputes it,
     * the merchant voided it, or it belongs to another subscription. `part` limits the reason to one charge. `reversed`
     * means that the reason no longer applies: the refund failed, or the dispute was won.
     */
    | { type: RevocationType; payment: string; part?: string; reversed: boolean }
    | { type: "subscription.cancel_scheduled"; endsAt?: Instant }
    | {
        type:
          | "subscription.changed"
          | "subscription.paused"
          | "subscription.resumed"
          | "subscription.cancel_withdrawn"
          | "subscription.cancelled";
      }
  );
