import type { CallOutcome, Change } from "../../shared/licensing/operation.ts";
import { claim, type FreshObservation, record, recordObservation } from "../../shared/licensing/operation-lifecycle.ts";
import { formatReason } from "../../shared/licensing/reasons.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { instantPlus } from "../../shared/licensing/time.ts";
import { licensed, orderOf, paid, slot, utc } from "./events.ts";

/** The time of all calls in these tests. The times of observations are minutes after it. */
export const start = utc("2027-01-10T10:00");
export const held = { slot: 1, elid: "101", family: "platform" };
export const order = orderOf({ generation: 3, addons: { "55165": 1 } });
export const prolong: Change & { kind: "prolong" } = {
  ...held,
  kind: "prolong",
  plan: "vm-yearly",
  period: 1,
  expiry: "2027-03-01",
  spends: { from: utc("2027-02-01"), to: utc("2027-03-01") },
};
export const edit: Change = { ...held, kind: "edit", plan: "vm-yearly", addons: { "55165": 4 } };
export const suspend: Change = { ...held, kind: "suspend" };
export const resume: Change = { ...held, kind: "resume" };
export const remove: Change = { ...held, kind: "delete" };
export const done = { outcome: "done", response: "ok" } satisfies CallOutcome;
export const unknown = { outcome: "unknown", response: "no answer within 60 s" } satisfies CallOutcome;

/** A change whose call has this outcome, that many minutes after the start. */
export function called(
  change: Change,
  outcome: CallOutcome,
  slots = [slot({ suspended: change.kind === "resume" })],
  minutes = 0,
): Subscription {
  const intent = { change, why: "wanted", before: { expiry: "2027-02-01" } };
  const onto = licensed(slots, paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"] }));
  const claimed = claim(onto, intent, { params: { comment: "bw-1" }, now: start, deadline: start });
  return record(claimed, outcome, instantPlus(start, { seconds: minutes * 60 }));
}

export const observation = (minutes: number, of: Partial<FreshObservation>): FreshObservation => ({
  at: instantPlus(start, { seconds: minutes * 60 }),
  verdict: "absent",
  evidence: "nothing of it",
  ...of,
});

/** Observes whenever it is due, until the operation is finished, needs attention, or was observed `most` times. */
export function observeWhenDue(subscription: Subscription, of: Partial<FreshObservation>, most = 50) {
  let current = subscription;
  const at: number[] = [];
  while (current.operation?.due && !current.attention && at.length < most) {
    at.push((Date.parse(current.operation.due) - Date.parse(start)) / 60_000);
    current = recordObservation(current, observation(at.at(-1) ?? 0, of));
  }
  return { current, at };
}

export const codesOf = ({ attention = [] }: Subscription) => attention.map(({ reason }) => reason.code);
export const textsOf = ({ attention = [] }: Subscription) =>
  attention.map(({ reason }) => formatReason(reason)).join(" ");
