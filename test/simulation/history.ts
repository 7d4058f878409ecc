import type { LedgerEntry, License } from "../../local/simulators/billmgr/index.ts";
import type { Life } from "./life.ts";
import { differences } from "./oracle.ts";
import { day } from "./shop.ts";
import { type Rules, Truth } from "./truth.ts";

const hour = day / 24;
/** The longest time that a change takes without faults. billmgr's own queue is the slowest part. */
const settlesWithin = 6 * hour;

/** Moments at which a customer had less or more than was paid for. Only for runs without a fault that explains it. */
export function unservedMoments(life: Life, ledger: readonly LedgerEntry[], rules: Rules, until: number): string[] {
  const moments = new Truth(life.facts, rules).moments;
  return moments.flatMap((from, i) => {
    const to = Math.min(moments[i + 1] ?? until, until);
    for (let at = from + settlesWithin; at + settlesWithin < to; at += day) {
      const [found] = differencesAt(at, life, ledger, rules);
      // A change that only the clock causes also takes time.
      const still = found && differencesAt(at + settlesWithin, life, ledger, rules);
      if (still?.some(({ what }) => what === found?.what)) return [`${new Date(at).toISOString()} ${found?.what}`];
    }
    return [];
  });
}

function differencesAt(at: number, life: Life, ledger: readonly LedgerEntry[], rules: Rules) {
  const facts = life.facts.filter((fact) => fact.at <= at);
  const done = ledger.filter((entry) => Date.parse(entry.at) <= at);
  const found = differences({ ...life, facts }, licensesOf(done, at), done, rules, at);
  return found.filter(({ what }) => what !== "sells something unknown");
}

/** The licenses that result from the ledger. */
function licensesOf(ledger: readonly LedgerEntry[], at: number): License[] {
  const licenses = new Map<string, License>();
  for (const entry of ledger) {
    const license = licenses.get(entry.elid);
    const change = (more: Partial<License>) => license && licenses.set(entry.elid, { ...license, ...more });
    switch (entry.operation) {
      case "order": {
        const { elid: id, pricelist, period, addons, remoteid, comment, expiry } = entry;
        const none = { family: "platform", substatus: "2", createdAt: entry.at, autoprolong: null } as const;
        const rest = { licname: "", ip: "", lickey: "", suspendedByRequest: false, deleting: false };
        const made = { ...none, ...rest, id, pricelist, period, addons, remoteid, comment, expiry };
        licenses.set(id, { ...made, status: entry.unpaid ? 1 : 2, processingUntil: null });
        break;
      }
      case "prolong":
        change({
          expiry: entry.expiry,
          period: entry.period,
          ...(entry.staysStopped && { staysStopped: entry.staysStopped }),
        });
        break;
      case "edit":
        change({ addons: entry.addons });
        break;
      case "suspend":
        change({ suspendedByRequest: true });
        break;
      case "resume": {
        const { staysStopped, ...started } = license ?? ({} as License);
        if (license) licenses.set(entry.elid, { ...started, suspendedByRequest: false });
        break;
      }
      case "delete":
        change({ status: 4 });
    }
  }
  const today = new Date(at).toISOString().slice(0, 10);
  return [...licenses.values()].map((license) =>
    license.status === 2 && (license.suspendedByRequest || license.staysStopped || license.expiry <= today)
      ? { ...license, status: 3 }
      : license,
  );
}
