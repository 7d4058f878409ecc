import { count } from "../actions/format.ts";
import { type Reconciled, reconcile } from "../actions/reconcile.ts";
import type { Command } from "./command.ts";
import { columns } from "./text.ts";

export const reconcileCommand: Command = {
  takes: [],
  about: "compare every license that is known with billmgr's lists",
  help: "  Reads only. Ends with exit code 1 when there is a difference.",
  async run({ connect, progress }) {
    const found = await reconcile(await connect(), (read) =>
      progress(
        "family" in read
          ? `${read.family}: ${count(read.licenses, "license")}`
          : count(read.subscriptions, "subscription"),
      ),
    );
    const lasting = found.differences.filter(({ settling }) => !settling);
    return { data: found, text: textOf(found), failed: lasting.length + found.orphans.length > 0 };
  },
};

function textOf({ subscriptions, licenses, differences, orphans, expired, others, incomplete }: Reconciled): string {
  const parts = [`${count(licenses, "license")} of ${count(subscriptions, "subscription")}`];
  for (const [family, why] of Object.entries(incomplete))
    parts.push(`the list of ${family} proves nothing missing: ${why}`);
  if (differences.length > 0) {
    const rows = differences.map(({ subscription, elid, what, known, billmgr, settling }) => [
      subscription,
      elid,
      what,
      known,
      billmgr,
      settling ? "an operation is open" : "",
    ]);
    parts.push(columns([["subscription", "license", "differs in", "known", "billmgr"], ...rows]));
  }
  if (orphans.length > 0) {
    const rows = orphans.map(({ elid, family, reference, of = "" }) => [elid, family, reference, of]);
    parts.push(
      `alive at billmgr with a reference like ours, and held by no subscription:\n${columns([["license", "family", "reference", "would be of"], ...rows])}`,
    );
  }
  if (expired.length > 0) {
    const rows = expired.map(({ subscription, elid, expiry }) => [subscription, elid, expiry]);
    parts.push(
      `stopped by billmgr at expiry, until they are paid:\n${columns([["subscription", "license", "expiry"], ...rows])}`,
    );
  }
  const agree = differences.length + orphans.length === 0 ? "all agree; " : "";
  parts.push(`${agree}${count(others, "other license")} at billmgr without a reference of ours`);
  return parts.join("\n\n");
}
