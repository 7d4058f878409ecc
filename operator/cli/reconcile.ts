/** `ops reconcile` */
import { count } from "../actions/format.ts";
import { type Reconciled, reconcile } from "../actions/reconcile.ts";
import type { Command } from "./command.ts";
import { formatColumns } from "./text.ts";

export const reconcileCommand: Command = {
  parameters: [],
  summary: "compare all recorded licenses with billmgr's lists",
  help: "  Only reads. The exit code is 1 if there is a difference.",
  async run({ connect, progress }) {
    const result = await reconcile(await connect(), (read) =>
      progress(
        "family" in read
          ? `${read.family}: ${count(read.licenses, "license")}`
          : count(read.subscriptions, "subscription"),
      ),
    );
    const lasting = result.differences.filter(({ settling }) => !settling);
    return { data: result, text: formatResult(result), failed: lasting.length + result.orphans.length > 0 };
  },
};

function formatResult({
  subscriptions,
  licenses,
  differences,
  orphans,
  expired,
  others,
  incomplete,
}: Reconciled): string {
  const parts = [`${count(licenses, "license")} of ${count(subscriptions, "subscription")} recorded`];
  for (const [family, why] of Object.entries(incomplete))
    parts.push(`the list of ${family} is incomplete, so a license missing there may still exist: ${why}`);
  if (differences.length > 0) {
    const rows = differences.map(({ subscription, elid, what, recorded, billmgr, settling }) => [
      subscription,
      elid,
      what,
      recorded,
      billmgr,
      settling ? "an operation is open" : "",
    ]);
    parts.push(formatColumns([["subscription", "license", "difference", "recorded", "billmgr"], ...rows]));
  }
  if (orphans.length > 0) {
    const rows = orphans.map(({ elid, family, reference, subscription = "unknown" }) => [
      elid,
      family,
      reference,
      subscription,
    ]);
    parts.push(
      `licenses with one of our references that are not assigned to a subscription:\n${formatColumns([["license", "family", "reference", "belongs to"], ...rows])}`,
    );
  }
  if (expired.length > 0) {
    const rows = expired.map(({ subscription, elid, expiry }) => [subscription, elid, expiry]);
    parts.push(
      `licenses that billmgr stopped at expiry, until they are paid:\n${formatColumns([["subscription", "license", "expiry"], ...rows])}`,
    );
  }
  const verdict = differences.length + orphans.length === 0 ? "no differences; " : "";
  parts.push(`${verdict}${count(others, "other license")} at billmgr without one of our references`);
  return parts.join("\n\n");
}
