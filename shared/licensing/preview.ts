import type { Catalog } from "./catalog.ts";
import { type Decision, decide } from "./decide.ts";
import type { Change } from "./operation.ts";
import { claim, record, recordObservation } from "./operation-lifecycle.ts";
import type { Subscription } from "./subscription.ts";
import { addDays, addMonths, type Day, dayOf, type Instant } from "./time.ts";

/** One predicted change, and the license's expiry before and after it. */
export type Step = { change: Change; why: string; before?: Day | undefined; after?: Day | undefined };

/** A guess. ISPsystem does not document the length of a trial. */
const trialDays = 14;

/**
 * Predicts the changes that follow if billmgr makes each change immediately. Calls nothing.
 * @param newElid returns an id for each ordered license
 * @param most the maximum number of steps; if it is reached, `decision` is the next change
 */
export function follow(
  subscription: Subscription,
  catalog: Catalog,
  now: Instant,
  newElid: (step: number) => string,
  most = 2000,
): { subscription: Subscription; steps: Step[]; decision: Decision } {
  const steps: Step[] = [];
  let current = subscription;
  for (;;) {
    const decision = decide(current, catalog, now);
    if (decision.kind !== "change" || steps.length === most) return { subscription: current, steps, decision };
    const { change, why } = decision;
    const elid = change.kind === "order" ? newElid(steps.length) : change.elid;
    const before = expiryOf(current, elid);
    const after = expiryAfter(change, before, now);
    steps.push({ change, why, before, after });
    const intent = { change, why, before: before === undefined ? {} : { expiry: before } };
    const claimed = claim(current, intent, { params: {}, now, deadline: now });
    const done = change.kind === "order" ? { elid } : {};
    const recorded = record(claimed, { outcome: "done", response: "ok", ...done }, now);
    current = recordObservation(recorded, { at: now, verdict: "achieved", evidence: "it is so", expiry: after });
  }
}

/**
 * Predicts the changes between two moments, each with its time, if no event arrives and billmgr makes each change. The
 * forecast ends at the first step that needs an observation or an operator.
 */
export function forecast(
  subscription: Subscription,
  catalog: Catalog,
  { from, until }: { from: Instant; until: Instant },
  newElid: (step: number) => string,
  most = 200,
): { steps: (Step & { at: Instant })[]; decision: Decision; at: Instant } {
  const steps: (Step & { at: Instant })[] = [];
  let current = subscription;
  for (let at = from; ; ) {
    const made = steps.length;
    const followed = follow(current, catalog, at, (step) => newElid(made + step), most - made);
    steps.push(...followed.steps.map((step) => ({ ...step, at })));
    current = followed.subscription;
    const { decision } = followed;
    const later = "until" in decision ? decision.until : undefined;
    if (later === undefined || later <= at || later > until || steps.length >= most) return { steps, decision, at };
    at = later;
  }
}

const expiryOf = ({ slots }: Subscription, elid: string): Day | undefined =>
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
