// Reads the steps of each purchase off a run of the simulation: from what was stored, what was called, and billmgr's ledger.
import { isDeepStrictEqual } from "node:util";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { isPurchase, type Observation, type Operation } from "../../shared/licensing/operation.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Item } from "../simulation/memory-dynamo.ts";
import type { Called } from "../simulation/observer.ts";
import { run } from "../simulation/run.ts";
import type { System } from "../simulation/system.ts";

export type Step = { at: number; does: Does };
/** Of the workers, of billmgr, the reply as recorded, and what an observation showed. */
type Does =
  | ("claim" | "adopt" | "call" | "notSent" | "resolve")
  | ("acts" | "dropped" | "payCart")
  | ("Lost" | "Ok" | "Refused" | "Cart" | "Elsewhere")
  | ("seen" | "absent" | "absenceBelieved" | "unclear");

/** The steps of each order and prolong in the simulation's run of a seed. */
export async function purchasesOf(seed: number): Promise<Map<string, Step[]>> {
  const recorders: Recorder[] = [];
  const watch = (system: System) => {
    const recorder = new Recorder(system);
    recorders.push(recorder);
    const stored = system.observer.stored.bind(system.observer);
    system.observer.stored = (item) => {
      recorder.stored(item);
      stored(item);
    };
  };
  await run(seed, { watch });
  return new Map(recorders.flatMap((recorder) => [...recorder.purchases()]));
}

type Found = Step & { key: string; of: Operation };
type Known = { key: string; claimedAt: number; operation: Operation };

const idOf = (key: string, { n }: Operation): string => `${key} ${n}`;

class Recorder {
  readonly #system: System;
  /** By subscription and number. */
  readonly #operations = new Map<string, Known>();
  readonly #steps: Found[] = [];

  constructor(system: System) {
    this.#system = system;
  }

  /** A subscription has been stored. */
  stored(item: Item): void {
    const { pk: key, subscription } = unmarshall(item) as { pk: string; subscription: Subscription };
    const { operation, parked = [] } = subscription as Subscription & { parked?: Operation[] };
    for (const one of operation ? [...parked, operation] : parked) this.#became(key, one);
    // Operations that have left the state are in the log.
    for (const { key: other, operation: open } of [...this.#operations.values()]) {
      if (other !== key || open.state === "finished") continue;
      if ([operation, ...parked].some((one) => one?.n === open.n)) continue;
      const logged = this.#system.dynamo.get(key, `operation#${String(open.n).padStart(6, "0")}`);
      if (logged) this.#became(key, unmarshall(logged) as unknown as Operation);
    }
  }

  /** By the name of the purchase. */
  purchases(): Map<string, Step[]> {
    const found = [...this.#stepsOfBillmgr()];
    const acted = new Set(found.flatMap((one) => (one.does === "acts" ? [idOf(one.key, one.of)] : [])));
    const steps = [...found, ...this.#steps].sort((a, b) => a.at - b.at);
    return Map.groupBy(
      steps.map((one) =>
        one.does === "Cart" && acted.has(idOf(one.key, one.of)) ? { ...one, does: "Elsewhere" } : one,
      ),
      ({ key, of }) => `${key} ${nameOf(of)}`,
    );
  }

  #became(key: string, operation: Operation): void {
    const id = idOf(key, operation);
    const at = this.#system.scheduler.now;
    const { operation: before, claimedAt = at } = this.#operations.get(id) ?? {};
    this.#operations.set(id, { key, claimedAt, operation });
    if (!isPurchase(operation.change)) return;
    for (const does of stepsBetween(before, operation)) this.#steps.push({ at, does, of: operation, key });
  }

  /** The calls, and their effects. */
  *#stepsOfBillmgr(): Generator<Found> {
    const calls = this.#system.observer.calls.flatMap((call) => this.#operationOf(call));
    for (const { at, of, key } of calls) yield { at, does: "call", of, key };

    const open = new Set(calls.filter(({ of }) => of.attempt?.outcome !== "refused"));
    for (const entry of this.#system.sandbox.ledger()) {
      const at = Date.parse(entry.at);
      const same = [...open].filter((one) => isDeepStrictEqual(one.params, entry.params) && Math.floor(one.at) <= at);
      const direct = same.find(({ actsUntil }) => at <= actsUntil);
      const call = direct ?? same.find(({ of }) => of.inCart);
      // An order that is not paid has bought nothing.
      if (!call || entry.by || "unpaid" in entry) continue;
      open.delete(call);
      yield { at, does: direct ? "acts" : "payCart", of: call.of, key: call.key };
    }
    for (const { at, actsUntil, of, key } of open) {
      if (!of.inCart) yield { at: Math.max(actsUntil, at + 1), does: "dropped", of, key };
    }
  }

  /** Those that left, with the operation whose claim was stored before. */
  #operationOf({ key = "", at, actsUntil, params }: Called) {
    const known = [...this.#operations.values()].findLast(
      (one) => one.key === key && one.claimedAt <= at && isDeepStrictEqual(one.operation.attempt?.params, params),
    );
    if (!known || !isPurchase(known.operation.change) || known.operation.attempt?.outcome === "not_sent") return [];
    return [{ key, at, actsUntil, params, of: known.operation }];
  }
}

/** Two operations with the same name are attempts of one purchase. */
function nameOf({ change, before }: Operation): string {
  if (change.kind === "order") return `order ${change.slot}-${change.generation}`;
  return change.kind === "prolong" ? `prolong ${change.elid} from ${before.expiry}` : change.kind;
}

const recorded = { not_sent: "notSent", done: "Ok", refused: "Refused", unknown: "Lost" } as const;

/** The steps of the model that one write of the table made. */
function* stepsBetween(before: Operation | undefined, after: Operation): Generator<Does> {
  const { attempt, observations, outcome, change } = after;
  if (!before) yield attempt ? "claim" : "adopt";
  if (attempt?.outcome && !before?.attempt?.outcome) yield after.inCart ? "Cart" : recorded[attempt.outcome];
  // The oldest ones are dropped in time.
  const known = before?.observations.at(-1);
  const fresh = observations.slice(observations.findLastIndex((one) => isDeepStrictEqual(one, known)) + 1);
  const isFinished = before?.state !== "finished" && after.state === "finished";
  for (const observation of fresh) {
    const believed = isFinished && outcome === "absent" && observation === fresh.at(-1);
    yield* stepOf(observation, change.kind === "order", believed);
  }
  if (isFinished && outcome === "gave_up") yield "resolve";
}

function* stepOf({ verdict, provesAbsence }: Observation, isOrder: boolean, believed: boolean): Generator<Does> {
  if (verdict === "achieved") yield "seen";
  else if (verdict !== "absent") yield "unclear";
  // An absence that proves nothing does not count, and does not end those before it.
  else if (!isOrder || provesAbsence) yield believed ? "absenceBelieved" : "absent";
}
