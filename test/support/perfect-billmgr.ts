import type { Catalog } from "../../shared/licensing/catalog.ts";
import { type Decision, next } from "../../shared/licensing/next.ts";
import type { Change } from "../../shared/licensing/operation.ts";
import { claim, record, recordLook } from "../../shared/licensing/progress.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { addDays, addMonths, type Day, dayOf, type Instant, instantPlus } from "../../shared/licensing/time.ts";

/** One change that billmgr made, and the license's expiry before and after it. */
export type Entry = { at: Instant; change: Change; before?: Day | undefined; after?: Day | undefined };

export type Settled = Exclude<Decision, { do: "change" | "look" }>;

const trialDays = 14;

/** Nine licenses by the month for some years; each is ordered once, or once more after a gap. */
const mostChanges = 500;
const mostOrders = 30;

/** A billmgr that does at once whatever it is asked, and one subscription that converges against it. */
export class PerfectBillmgr {
  readonly ledger: Entry[] = [];
  readonly #catalog: Catalog;
  readonly #expiries = new Map<string, Day>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Makes changes until none is wanted. @throws when there is no end to them */
  converge(subscription: Subscription, now: Instant): { subscription: Subscription; decision: Settled } {
    let current = subscription;
    let orders = 0;
    for (let count = 0; ; count++) {
      const decision = next(current, this.#catalog, now);
      if (decision.do === "look") throw new Error("an operation was left open");
      if (decision.do !== "change") return { subscription: current, decision };
      if (decision.change.kind === "order") orders++;
      if (count > mostChanges || orders > mostOrders) {
        throw new Error(`after ${count} changes it still wants ${JSON.stringify(decision.change)}`);
      }
      current = this.#carryOut(current, decision, now);
    }
  }

  /** Converges, and again at each moment that the decision names, up to and including `end`. */
  convergeUntil(
    subscription: Subscription,
    from: Instant,
    end: Instant,
    check: (settled: { subscription: Subscription; decision: Settled; now: Instant }) => void = () => {},
  ): Subscription {
    let current = subscription;
    let now = from;
    for (let wakes = 0; ; wakes++) {
      const settled = this.converge(current, now);
      check({ ...settled, now });
      current = settled.subscription;
      const { decision } = settled;
      const until = decision.do === "attention" ? undefined : decision.until;
      if (until === undefined || until > end) return current;
      if (until <= now) throw new Error(`at ${now} it is to wake at ${until}`);
      if (wakes > 500) throw new Error(`wakes without end, at ${now}`);
      now = until;
    }
  }

  #carryOut(subscription: Subscription, { change, why }: { change: Change; why: string }, now: Instant): Subscription {
    const elid = change.kind === "order" ? String(1000 + this.ledger.length) : change.elid;
    const before = this.#expiries.get(elid) ?? held(subscription, elid);
    const after = expiryAfter(change, before, now);
    if (after) this.#expiries.set(elid, after);
    this.ledger.push({ at: now, change, before, after });
    const deadline = instantPlus(now, { seconds: 70 });
    const intent = { change, why, before: before === undefined ? {} : { expiry: before } };
    const claimed = claim(subscription, intent, { params: {}, now, deadline });
    const done = change.kind === "order" ? { elid } : {};
    const recorded = record(claimed, { outcome: "done", said: "ok", ...done }, now);
    return recordLook(recorded, { at: now, verdict: "achieved", saw: "it is so", expiry: after });
  }
}

const held = ({ slots }: Subscription, elid: string): Day | undefined =>
  slots.find(({ license }) => license?.elid === elid)?.license?.expiry;

function expiryAfter(change: Change, before: Day | undefined, now: Instant): Day | undefined {
  switch (change.kind) {
    case "order":
      return change.trial ? addDays(dayOf(now), trialDays) : addMonths(dayOf(now), change.period);
    case "prolong":
      return before && addMonths(before, change.period);
    case "delete":
      return undefined;
    default:
      return before;
  }
}

export const isPurchase = ({ change }: Entry): boolean => change.kind === "order" || change.kind === "prolong";
