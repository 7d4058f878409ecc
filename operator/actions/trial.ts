import { compareToTarget } from "../../shared/billmgr/readback.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { PreconditionFailed, ReadError } from "../../shared/errors.ts";
import { demandsOf } from "../../shared/licensing/demand.ts";
import { type Change, describe } from "../../shared/licensing/operation.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { suggest } from "../../shared/problems.ts";
import type { ProbeWorld } from "./probe.ts";

export type TrialWorld = ProbeWorld & {
  /** Tells this trial from all others. */
  reference: string;
  /** Waits between two readings. */
  pause: () => Promise<void>;
};

/** One call on the trial license: what billmgr answered, and what a reading showed then. */
export type Step = { did: string; outcome: string; said: string; saw: string };

/** `left`: the trial license that could not be deleted, or may come into being yet under its reference. */
export type Trial = { steps: Step[]; left?: string };

type Order = Change & { kind: "order" };

/** How often a license that billmgr processes is read. */
const mostReadings = 12;

/** The trial order of a plan. @throws Unfit where the plan has no trial */
export function trialOrderOf(name: string, { catalog }: Pick<TrialWorld, "catalog">): Order {
  const withTrial = Object.keys(catalog.plans).filter((plan) => catalog.plans[plan]?.trial);
  const trial = withTrial.includes(name) ? catalog.plans[name]?.trial : undefined;
  const items = { value: [{ names: [name] }], at: "", event: "" };
  const claimed = demandsOf({ ...newSubscription("standard", "trial"), items }, catalog);
  const claim = "claims" in claimed ? claimed.claims[0] : undefined;
  const product = claim && catalog.products[claim.product];
  if (!trial || !product)
    throw new PreconditionFailed(`the catalog has no plan "${name}" with a trial${suggest(name, withTrial)}`);
  const { family, pricelist } = product;
  const { plan, addons } = claim;
  const at = { slot: 1, generation: 1, plan, product: claim.product };
  return { kind: "order", ...at, family, pricelist, period: trial.period, addons, autoprolong: null, trial: true };
}

/** Orders, edits, suspends, resumes and deletes one trial license, and reads after each. @throws Unfit */
export async function tryTrial(plan: string, deps: TrialWorld, tell: (step: Step) => void): Promise<Trial> {
  const steps: Step[] = [];
  const step = async (change: Change): Promise<Step & { elid?: string }> => {
    const done = await callAndRead(change, deps);
    steps.push(done);
    tell(done);
    return done;
  };
  const order = trialOrderOf(plan, deps);
  const { outcome, elid } = await step(order);
  if (elid === undefined) return outcome === "unknown" ? { steps, left: deps.reference } : { steps };

  const of = { slot: 1, elid, family: order.family };
  const [code] = Object.values(deps.catalog.products[order.product]?.addons ?? {});
  if (code !== undefined) {
    const addons = { ...order.addons, [code]: (order.addons[code] ?? 0) + 1 };
    await step({ kind: "edit", ...of, plan, addons });
  }
  await step({ kind: "suspend", ...of });
  await step({ kind: "resume", ...of });
  await step({ kind: "delete", ...of });
  return (await isGone(order.family, elid, deps)) ? { steps } : { steps, left: elid };
}

async function callAndRead(change: Change, deps: TrialWorld): Promise<Step & { elid?: string }> {
  const { billmgr, reference } = deps;
  const call = await billmgr.call(change.kind, requestOf(change, reference));
  const step = { did: describe(change), outcome: call.outcome, said: call.response };
  if (call.outcome === "refused" && call.error.type === "auth") return { ...step, saw: "nothing is read any more" };
  try {
    if (change.kind !== "order")
      return { ...step, saw: await seen(change, change.elid, call.outcome === "done", deps) };
    const listed = await inList(change.family, deps);
    const elid = (call.outcome === "done" && call.elid) || listed.elid;
    if (elid === undefined) return { ...step, saw: listed.saw };
    return { ...step, elid, saw: `${await seen(change, elid, true, deps)}; ${listed.saw}` };
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    const elid = call.outcome === "done" ? call.elid : undefined;
    return { ...step, saw: error.message, ...(elid !== undefined && { elid }) };
  }
}

async function inList(family: string, { billmgr, reference }: TrialWorld): Promise<{ elid?: string; saw: string }> {
  const { rows } = await billmgr.licenses(family);
  const row = rows.find(({ remoteid, comment }) => remoteid === reference || comment === reference);
  if (!row) return { saw: `none of ${rows.length} licenses in the list shows ${reference}` };
  const by = ["remoteid", "comment"].filter((name) => row[name as "remoteid" | "comment"] === reference);
  return { elid: row.elid, saw: `the list shows its reference as ${by.join(" and ")}` };
}

async function seen(
  change: Change,
  elid: string,
  answeredOk: boolean,
  { billmgr, pause: backoff }: TrialWorld,
): Promise<string> {
  for (let reading = 1; ; reading++) {
    const license = await billmgr.license(change.family, elid);
    if (!license) return `billmgr knows no license ${elid}`;
    const { verdict, evidence } = compareToTarget(change, { answeredOk }, license);
    if (verdict === "achieved" || reading === mostReadings) return `${verdict}: ${evidence}`;
    await backoff();
  }
}

async function isGone(family: string, elid: string, { billmgr }: TrialWorld): Promise<boolean> {
  try {
    const license = await billmgr.license(family, elid);
    return license === undefined || license.status === "deleted";
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return false;
  }
}
