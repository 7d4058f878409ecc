import type { License } from "../../local/simulators/billmgr/index.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { demandsOf } from "../../shared/licensing/demand.ts";
import { type Entitlement, entitlement } from "../../shared/licensing/entitlement.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { addDays, addMonths, dayOf, daysBetween, type Instant, instantPlus } from "../../shared/licensing/time.ts";

const trialPeriod = -100;

export type Alive = License & { suspendedAt?: Instant };

/** Where the licenses that billmgr really has differ from what all facts together entitle to. */
export function disagreements(facts: Subscription, alive: readonly Alive[], catalog: Catalog, now: Instant): string[] {
  const { policy } = catalog;
  const entitled = entitlement(facts, policy, now);
  const kept = alive.filter(({ suspendedByRequest }) => !suspendedByRequest);
  const serving = kept.filter(({ expiry }) => expiry > dayOf(now));
  const { ended } = entitled;
  if (ended) {
    // A day more: the system counts from when it saw the suspension.
    const isRetained = ({ suspendedAt = ended }: Alive) =>
      now < instantPlus(suspendedAt > ended ? suspendedAt : ended, { days: policy.retentionDays + 1 });
    const left =
      policy.onEnd === "delete" ? alive : policy.onEnd === "suspend" ? alive.filter((one) => !isRetained(one)) : [];
    if (left.length > 0) return [`has ended, and still has ${shown(left)}`];
    return policy.onEnd === "suspend" && serving.length > 0 ? [`has ended, and ${shown(serving)} serve`] : [];
  }
  if (entitled.withheld) return serving.length > 0 ? [`is ${entitled.withheld}, and ${shown(serving)} serve`] : [];
  const { demands, problems } = demandsOf(facts, catalog);
  if (problems.length > 0) return [`needs no attention, yet ${JSON.stringify(problems)}`];
  if (entitled.through === undefined || entitled.through <= now) return [];

  const wanted = demands.map(({ product, addons }) => shape(catalog.products[product]?.pricelist ?? 0, addons));
  const have = kept.map(({ pricelist, addons }) => shape(pricelist, addons));
  const missing = without(wanted, have);
  const excess = without(have, wanted);
  // What expired while it was withheld is prolonged before it serves again, unless what is left is not worth a period.
  const expired = alive.filter((one) => one.suspendedByRequest && one.expiry <= dayOf(now));
  return [
    ...(missing.length > expired.length ? [`lacks ${missing.join()}, has ${shown(alive)}`] : []),
    ...(excess.length > 0 && policy.onEnd !== "lapse" ? [`has ${excess.join()} beside ${wanted.join()}`] : []),
    ...kept.flatMap((license) => tooShort(license, entitled, catalog, now)),
  ];
}

function tooShort(
  { id, expiry, period }: License,
  { until = "", setToEnd, paidThrough = "" }: Entitlement,
  { policy }: Catalog,
  now: Instant,
): string[] {
  if (period === trialPeriod) return paidThrough > now ? [`is paid, and ${id} is a trial`] : [];
  const ahead = daysBetween(expiry, dayOf(until));
  if (ahead <= 0 || policy.onEnd === "lapse") return [];
  const near = dayOf(now) >= addDays(expiry, -Math.ceil(policy.renewAheadDays));
  const whole = policy.renew === "on_payment" && 2 * ahead >= daysBetween(expiry, addMonths(expiry, period));
  const isWanted = whole || (near && !(setToEnd && ahead <= policy.slackDays));
  return isWanted ? [`is paid through ${until}, and license ${id} ends ${expiry}`] : [];
}

const shape = (pricelist: number, addons: Record<string, number>): string =>
  JSON.stringify([
    pricelist,
    ...Object.entries(addons)
      .filter(([, value]) => value > 0)
      .sort(),
  ]);

const shown = (licenses: readonly License[]): string =>
  licenses
    .map(({ id, status, expiry, pricelist, addons }) => `${id} ${shape(pricelist, addons)} ${status} ${expiry}`)
    .join(", ");

/** What is left of a list when another is taken from it, each thing once. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = [...list];
  for (const one of other) {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}
