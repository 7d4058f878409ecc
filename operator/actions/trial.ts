/** Runs the life of one trial license at a billmgr account: order, edit, suspend, resume, delete. */
import { compareToTarget } from "../../shared/billmgr/readback.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { PreconditionFailed, ReadError } from "../../shared/errors.ts";
import { demandsOf } from "../../shared/licensing/demand.ts";
import { type Change, describe } from "../../shared/licensing/operation.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { suggest } from "../../shared/problems.ts";
import type { ProbeDependencies } from "./probe.ts";

export type TrialDependencies = ProbeDependencies & {
  /** Identifies this trial's license. */
  reference: string;
  /** Waits between two reads. */
  wait: () => Promise<void>;
};

/** One call on the trial license: billmgr's response, and what a read showed afterwards. */
export type TrialStep = { change: string; outcome: string; response: string; evidence: string };

/** `left`: the trial license that was not deleted, or the reference under which one may still appear. */
export type Trial = { steps: TrialStep[]; left?: string };

type Order = Change & { kind: "order" };

/** Limits the reads of a license that billmgr is still processing. */
const maxReads = 12;

/** Returns the trial order of a plan. @throws PreconditionFailed if the plan has no trial */
export function trialOrderOf(name: string, { catalog }: Pick<TrialDependencies, "catalog">): Order {
  const withTrial = Object.keys(catalog.plans).filter((plan) => catalog.plans[plan]?.trial);
  const trial = withTrial.includes(name) ? catalog.plans[name]?.trial : undefined;
  const items = { value: [{ names: [name] }], at: "", event: "" };
  const [demand] = demandsOf({ ...newSubscription("standard", "trial"), items }, catalog).demands;
  const product = demand && catalog.products[demand.product];
  if (!trial || !product)
    throw new PreconditionFailed(`the catalog has no plan "${name}" with a trial${suggest(name, withTrial)}`);
  const { family, pricelist } = product;
  const { plan, addons } = demand;
  const slot = { slot: 1, generation: 1, plan, product: demand.product };
  return { kind: "order", ...slot, family, pricelist, period: trial.period, addons, autoprolong: null, trial: true };
}

/** Reads the license after every step. @param report is called after each step @throws PreconditionFailed */
export async function runTrial(
  plan: string,
  deps: TrialDependencies,
  report: (step: TrialStep) => void,
): Promise<Trial> {
  const steps: TrialStep[] = [];
  const run = async (change: Change): Promise<TrialStep & { elid?: string }> => {
    const step = await callAndRead(change, deps);
    steps.push(step);
    report(step);
    return step;
  };
  const order = trialOrderOf(plan, deps);
  const { outcome, elid } = await run(order);
  if (elid === undefined) return outcome === "unknown" ? { steps, left: deps.reference } : { steps };

  const license = { slot: 1, elid, family: order.family };
  const [code] = Object.values(deps.catalog.products[order.product]?.addons ?? {});
  if (code !== undefined) {
    const addons = { ...order.addons, [code]: (order.addons[code] ?? 0) + 1 };
    await run({ kind: "edit", ...license, plan, addons });
  }
  await run({ kind: "suspend", ...license });
  await run({ kind: "resume", ...license });
  await run({ kind: "delete", ...license });
  return (await isGone(order.family, elid, deps)) ? { steps } : { steps, left: elid };
}

async function callAndRead(change: Change, deps: TrialDependencies): Promise<TrialStep & { elid?: string }> {
  const { billmgr, reference } = deps;
  const call = await billmgr.call(change.kind, requestOf(change, reference));
  const step = { change: describe(change), outcome: call.outcome, response: call.response };
  if (call.outcome === "refused" && call.error.type === "auth")
    return { ...step, evidence: "not read, because the login was refused" };
  try {
    if (change.kind !== "order")
      return { ...step, evidence: await readEvidence(change, change.elid, call.outcome === "done", deps) };
    const listed = await findInList(change.family, deps);
    const elid = (call.outcome === "done" && call.elid) || listed.elid;
    if (elid === undefined) return { ...step, evidence: listed.evidence };
    return { ...step, elid, evidence: `${await readEvidence(change, elid, true, deps)}; ${listed.evidence}` };
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    const elid = call.outcome === "done" ? call.elid : undefined;
    return { ...step, evidence: error.message, ...(elid !== undefined && { elid }) };
  }
}

async function findInList(
  family: string,
  { billmgr, reference }: TrialDependencies,
): Promise<{ elid?: string; evidence: string }> {
  const { rows } = await billmgr.licenses(family);
  const row = rows.find(({ remoteid, comment }) => remoteid === reference || comment === reference);
  if (!row) return { evidence: `none of ${rows.length} listed licenses shows ${reference}` };
  const columns = (["remoteid", "comment"] as const).filter((name) => row[name] === reference);
  return { elid: row.elid, evidence: `the list shows its reference as ${columns.join(" and ")}` };
}

async function readEvidence(
  change: Change,
  elid: string,
  answeredOk: boolean,
  { billmgr, wait }: TrialDependencies,
): Promise<string> {
  for (let reads = 1; ; reads++) {
    const license = await billmgr.license(change.family, elid);
    if (!license) return `billmgr has no license ${elid}`;
    const { verdict, evidence } = compareToTarget(change, { answeredOk }, license);
    if (verdict === "achieved" || reads === maxReads) return `${verdict}: ${evidence}`;
    await wait();
  }
}

async function isGone(family: string, elid: string, { billmgr }: TrialDependencies): Promise<boolean> {
  try {
    const license = await billmgr.license(family, elid);
    return license === undefined || license.status === "deleted";
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return false;
  }
}
