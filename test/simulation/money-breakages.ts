import type { Breakage } from "./breakages.ts";

/** Faults of the first version: it bought twice, bought without a payment, or let a paid license stop. */
export const moneyBreakages: Breakage[] = [
  {
    finding: "F1",
    what: "moves a payment in time when it is stated again",
    by: /were bought|nothing is paid/,
    modules: {
      fold: (real) => ({
        fold: (subscription, event) => {
          const folded = real.fold(subscription, event);
          if (event.type !== "payment.succeeded") return folded;
          const payments = folded.payments.map((payment) =>
            payment.id === event.payment && event.occurredAt > (payment.statedAt ?? "")
              ? { ...payment, statedAt: event.occurredAt }
              : payment,
          );
          return { ...folded, payments };
        },
      }),
    },
  },
  {
    finding: "F2",
    what: "appends periods in the order of their payments",
    by: /does not serve|has no license/,
    modules: {
      coverage: (real) => ({
        coverage: (payments, policy) => {
          const stated = [...payments].sort((a, b) => (real.statedAt(a) < real.statedAt(b) ? -1 : 1));
          const runs = real.coverage(stated, policy);
          const latest = stated.at(-1);
          const [last] = latest ? real.coverage([latest], policy) : [];
          // The latest payment ends the paid time, so periods beyond it are lost.
          return last
            ? runs.map((run) => (run.through > last.through ? { ...run, through: last.through } : run))
            : runs;
        },
      }),
    },
  },
  {
    finding: "F3",
    what: "takes a reply that leads to the cart's list for nothing done",
    modules: {
      outcome: (real) => ({
        outcomeOf: (...args) => {
          const { inCart, ...result } = real.outcomeOf(...args) as ReturnType<typeof real.outcomeOf> & {
            inCart?: true;
          };
          return /lineitem/.test(result.response) ? result : real.outcomeOf(...args);
        },
      }),
    },
  },
  {
    finding: "F4",
    what: "treats an unpaid order as bought",
    modules: {
      outcome: (real) => ({
        outcomeOf: (...args) => {
          const result = real.outcomeOf(...args);
          if (result.outcome !== "unknown" || result.elid === undefined) return result;
          return { outcome: "done", response: result.response, elid: result.elid };
        },
      }),
      license: (real) => ({
        seenLicense: (...args) => {
          const { status, ...seen } = real.seenLicense(...args);
          return status === undefined || status === "ordered" ? seen : { ...seen, status };
        },
      }),
    },
  },
  {
    finding: "F5",
    what: "buys the rest of a period again and again for a customer who pays late",
    by: /were bought/,
    modules: {
      next: (real) => ({
        decide: (subscription, ...rest) =>
          real.decide({ ...subscription, slots: subscription.slots.map(({ spentThrough, ...slot }) => slot) }, ...rest),
      }),
      progress: () => ({ assertUnspent: () => {} }),
    },
  },
  {
    finding: "F6",
    what: "adopts any license that the reply to an order names",
    modules: {
      readback: (real) => ({
        readBack: async (operation, target, billmgr) => {
          const { change, elid } = operation;
          if (change.kind !== "order" || elid === undefined) return real.readBack(operation, target, billmgr);
          const seen = await billmgr.license(change.family, elid);
          const expiry = seen?.expiry;
          return expiry === undefined
            ? real.readBack(operation, target, billmgr)
            : { verdict: "achieved", evidence: "billmgr named it", expiry };
        },
      }),
    },
  },
  {
    finding: "F7",
    what: "treats the expiry as proof that a license runs",
    by: /serve/,
    modules: {
      progress: (real) => ({
        recordObservation: (subscription, { isStopped, ...observation }) =>
          real.recordObservation(subscription, observation),
      }),
    },
  },
  {
    finding: "F8",
    what: "suspends a license that billmgr has stopped at its expiry",
    modules: {
      readback: (real) => ({
        compareToTarget: (change, known, seen) => {
          const result = real.compareToTarget(change, known, seen);
          return change.kind === "suspend" && seen.autosuspended ? { ...result, verdict: "absent" } : result;
        },
      }),
    },
  },
  {
    finding: "F9",
    what: "lets one attention item block all other changes",
    by: /only .* needs attention|serve|is there/,
    modules: {
      next: (real) => ({
        decide: (subscription, ...rest) => {
          const decision = real.decide(subscription, ...rest);
          const { attention, blocked } = decision;
          const isHeld = attention.length > 0 || (subscription.attention ?? []).length > 0;
          return isHeld && decision.kind === "change" ? { attention, blocked, kind: "settled" } : decision;
        },
      }),
    },
  },
  {
    finding: "F10",
    what: "lets an operator report an unpaid order as done",
    modules: {
      readback: (real) => ({
        compareToTarget: (change, known, seen) => {
          const result = real.compareToTarget(change, known, seen);
          return known.answeredOk && result.unpaid ? { ...result, verdict: "achieved", unpaid: false } : result;
        },
      }),
      repair: (real) => ({
        markDone: (subscription, seen, now) =>
          real.markDone(
            subscription.operation?.state === "unknown"
              ? { ...subscription, operation: { ...subscription.operation, state: "unconfirmed" } }
              : subscription,
            seen,
            now,
          ),
      }),
    },
  },
  {
    finding: "F11",
    what: "lets an operator adopt another product's license",
    modules: {
      billmgr: (real) => ({
        createBillmgr: (...args) => {
          const billmgr = real.createBillmgr(...args);
          return {
            ...billmgr,
            license: async (family, elid) => {
              const { pricelist, comment, remoteid, ...seen } = (await billmgr.license(family, elid)) ?? { elid: "" };
              return seen.elid === "" ? undefined : ({ addons: {}, autosuspended: false, ...seen } as never);
            },
          };
        },
      }),
    },
  },
  {
    finding: "F12",
    what: "reads only one form of the status",
    modules: {
      license: (real) => ({
        seenLicense: (element, ...rest) => {
          const { status, unreadableStatus, ...seen } = real.seenLicense(element, ...rest);
          return status !== undefined && Object.hasOwn(element, "status") ? { ...seen, status } : seen;
        },
      }),
    },
  },
  {
    finding: "F13",
    what: "lets the stored state grow beyond the largest item",
    modules: {
      next: (real) => ({
        decide: (subscription, ...rest) =>
          real.decide({ ...subscription, toJSON: () => ({}) } as typeof subscription, ...rest),
      }),
    },
  },
  {
    finding: "F14",
    what: "keeps a backoff that is over",
    by: /keeps a backoff/,
    modules: {
      attention: (real) => ({
        withAttention: (subscription, ...rest) => ({
          ...real.withAttention(subscription, ...rest),
          ...(subscription.backoff && { backoff: subscription.backoff }),
        }),
      }),
    },
  },
  {
    finding: "F16",
    what: "buys a period that is over",
    by: /over by then/,
    modules: {
      next: (real) => ({
        decide: (subscription, catalog, now) => {
          const decision = real.decide(subscription, catalog, now);
          if (decision.kind !== "settled" && decision.kind !== "wait") return decision;
          const expiries = subscription.slots.flatMap(({ license }) => license?.expiry ?? []);
          const expired = expiries.find((expiry) => `${expiry}T00:00:00.000Z` < now);
          const then =
            expired === undefined ? decision : real.decide(subscription, catalog, `${expired}T00:00:00.000Z`);
          return then.kind === "change" && then.change.kind === "prolong" ? then : decision;
        },
      }),
    },
  },
];
