import type { Instant } from "./time.ts";

/**
 * The storefronts of the public contract, each with its address `/webhooks/<name>`, its secrets, and its `soldAs`.
 * The only list of them: the registries of parsers, simulators, and test signers are typed by it.
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

/** What was sold, in the storefront's own names (a Stripe price and its product, a plan of the catalog, "sku:vm6"). */
export type Item = {
  names: string[];
  /** Where it is not told, what was told of it last counts, and one before that. */
  quantity?: number;
};

export type Customer = { id?: string; email?: string };

type Fact = {
  /** The storefront's id of the event: the same on every delivery of it. */
  id: string;
  occurredAt: Instant;
  customer?: Customer;
  /**
   * All that the subscription holds, where the event tells it. `asOf` is when that was true, which can be earlier than
   * the event: an invoice paid today lists what was in the subscription on the day it was made.
   */
  items?: { asOf: Instant; list: Item[] };
  /** When the period that runs now is over: how far a payment reaches that tells no more than when its period began. */
  renewsAt?: Instant;
  /** For how many months one payment pays: how far those reach that tell no more than that they pay. */
  interval?: number;
};

/** Why a payment may not stand. */
export const revocationTypes = ["payment.refunded", "payment.disputed", "payment.voided", "payment.unlinked"] as const;
export type RevocationType = (typeof revocationTypes)[number];

/** A canonical fact about one subscription, from a storefront. */
export type Event = Fact &
  (
    | {
        type: "payment.succeeded";
        payment: string;
        /**
         * What it pays: to a moment, from one where that is told; or so many months after what was paid before it; or the
         * period that began then, to the renewal that other events tell; or so many of the intervals that those tell.
         */
        covers:
          | { from?: Instant; through: Instant }
          | { months: number }
          | { periodFrom: Instant }
          | { intervals: number };
        /** True of a payment of nothing for a trial; a full discount is an ordinary payment. */
        trial: boolean;
      }
    | { type: "payment.failed"; payment?: string }
    /** One of the charges that paid it. With several, the payment falls only when every one was taken back. */
    | { type: "payment.part"; payment: string; part: string }
    /**
     * Reasons for which a payment does not stand, each on its own: the money went back in full, the bank disputes it, the
     * merchant voided it, or it belongs to another subscription. `part`: one of its charges only. `reversed`: the reason is
     * gone (the refund failed, the dispute was won).
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
