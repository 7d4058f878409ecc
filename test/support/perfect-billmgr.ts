import type { Catalog } from "../../shared/licensing/catalog.ts";
import type { Decision } from "../../shared/licensing/decide.ts";
import { follow, type Step } from "../../shared/licensing/preview.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Instant } from "../../shared/licensing/time.ts";

/** One change that billmgr made, and the license's expiry before and after it. */
export type Entry = Step & { at: Instant };

export type Settled = Exclude<Decision, { kind: "change" | "observe" }>;

/** Enough for nine monthly licenses over some years. Each is ordered once, and once more after a gap. */
const mostChanges = 500;
const mostOrders = 30;

/** A billmgr that makes every change immediately, and one subscription that converges against it. */
export class PerfectBillmgr {
  readonly ledger: Entry[] = [];
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Makes changes until the subscription needs none. @throws if the changes do not end */
  converge(subscription: Subscription, now: Instant): { subscription: Subscription; decision: Settled } {
    const elid = (step: number) => String(1000 + this.ledger.length + step);
    const followed = follow(subscription, this.#catalog, now, elid, mostChanges);
    const { decision, steps } = followed;
    this.ledger.push(...steps.map((step) => ({ ...step, at: now })));
    if (decision.kind === "observe") throw new Error("an operation was left open");
    if (decision.kind === "change" || steps.filter(({ change }) => change.kind === "order").length > mostOrders) {
      throw new Error(`after ${steps.length} changes there is no end: ${JSON.stringify(steps.at(-1))}`);
    }
    return { subscription: followed.subscription, decision };
  }

  /** Converges now, and at each time that the decision names, up to and including `end`. */
  convergeUntil(
    subscription: Subscription,
    from: Instant,
    end: Instant,
    check: (resolution: { subscription: Subscription; decision: Settled; now: Instant }) => void = () => {},
  ): Subscription {
    let current = subscription;
    let now = from;
    for (let wakes = 0; ; wakes++) {
      const settled = this.converge(current, now);
      check({ ...settled, now });
      current = settled.subscription;
      const { decision } = settled;
      const { until } = decision;
      if (until === undefined || until > end) return current;
      if (until <= now) throw new Error(`at ${now} it is to wake at ${until}`);
      if (wakes > 500) throw new Error(`wakes without end, at ${now}`);
      now = until;
    }
  }
}

export const isPurchase = ({ change }: Entry): boolean => change.kind === "order" || change.kind === "prolong";
