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
/** Of the workers, of billmgr, the reply as recorded, the result of an observation, and the state after a table was lost. */
type Does =
  | ("claim" | "adopt" | "call" | "notSent" | "resolve")
  | ("acts" | "dropped" | "payCart")
  | ("Lost" | "Ok" | "Refused" | "Cart" | "Elsewhere")
  | ("seen" | "absent" | "absenceBelieved" | "unclear")
  | ("restoreFree" | "restoreClaimed" | "restoreUnconfirmed");

/** The steps of each order and prolong in the simulation's run of a seed. */
export async function purchasesOf(seed: number): Promise<Map<string, Step[]>> {
  const recorders: Recorder[] = [];
  const watch = (system: System) => {
    const recorder = new Recorder(system);
    recorders.push(recorder);
    const { observer } = system;
    const stored = observer.stored.bind(observer);
    observer.stored = (item) => {
      recorder.stored(item);
      stored(item);
    };
    const removed = observer.removed.bind(observer);
    observer.removed = (key) => {
      recorder.lost(key);
      removed(key);
    };
  };
  await run(seed, { watch });
  return new Map(recorders.flatMap((recorder) => [...recorder.purchases()]));
}

/** An operation, as far as it is known. `table`: how often its table had been lost before. */
type Known = { key: string; table: number; claimedAt: number; purchase: string; operation: Operation };
type Found = Step & { of: Known };

const openOf = ({ operation, parked = [] }: Subscription): Operation[] => (operation ? [...parked, operation] : parked);

class Recorder {
  readonly #system: System;
  readonly #operations = new Map<string, Known>();
  readonly #steps: Found[] = [];
  readonly #unpaid = new Set<Known>();
  readonly #versions = new Map<string, number>();
  /** How often each subscription was lost. */
  readonly #losses = new Map<string, number>();
  /** The names of orders whose license was deleted before a loss. The table may use their slot and generation again. */
  readonly #ended = new Map<string, number>();

  constructor(system: System) {
    this.#system = system;
  }

  stored(item: Item): void {
    const { pk: key, ...state } = unmarshall(item) as { pk: string; version: number; subscription: Subscription };
    const { version, subscription } = state;
    if (version <= (this.#versions.get(key) ?? 0)) this.lost(key, subscription);
    this.#versions.set(key, version);
    const stored = openOf(subscription);
    // Operations that have left the state are in the log.
    for (const { key: other, table, operation: open } of [...this.#operations.values()]) {
      if (other !== key || table !== this.#lossesOf(key) || open.state === "finished") continue;
      if (stored.some(({ n }) => n === open.n)) continue;
      const logged = this.#system.dynamo.get(key, `operation#${String(open.n).padStart(6, "0")}`);
      if (logged) this.#became(key, unmarshall(logged) as unknown as Operation);
    }
    for (const one of stored) this.#became(key, one);
  }

  /** The table has lost all later writes, or the whole subscription. */
  lost(key: string, restored?: Subscription): void {
    const purchases = new Map([...this.#operations.values()].map((one) => [one.purchase, one]));
    this.#losses.set(key, this.#lossesOf(key) + 1);
    this.#versions.delete(key);
    for (const of of purchases.values()) {
      if (of.key !== key) continue;
      const open =
        restored && openOf(restored).find((one) => one.state !== "finished" && nameOf(one) === nameOf(of.operation));
      if (!open && restored && isKnown(restored, of.operation)) continue;
      const does = !open
        ? "restoreFree"
        : open.state === "unconfirmed" || open.inCart
          ? "restoreUnconfirmed"
          : "restoreClaimed";
      this.#steps.push({ at: this.#system.scheduler.now, does, of });
      if (this.#isDeleted(of.operation)) this.#ended.set(of.purchase, this.#lossesOf(key));
    }
    for (const one of restored ? openOf(restored) : []) this.#know(key, one);
  }

  purchases(): Map<string, Step[]> {
    const found = [...this.#stepsOfBillmgr()];
    const acted = new Set(found.flatMap(({ does, of }) => (does === "acts" ? [of] : [])));
    const inModel = (one: Found): Found => {
      if (one.does === "Cart" && acted.has(one.of)) return { ...one, does: "Elsewhere" };
      // A license that is not paid is found, and nothing is bought.
      return one.does === "seen" && this.#unpaid.has(one.of) ? { ...one, does: "unclear" } : one;
    };
    const steps = [...found, ...this.#steps].sort((a, b) => a.at - b.at);
    return Map.groupBy(steps.map(inModel), ({ of }) => of.purchase);
  }

  #lossesOf = (key: string): number => this.#losses.get(key) ?? 0;

  #became(key: string, operation: Operation): void {
    const before = this.#operations.get(this.#idOf(key, operation))?.operation;
    const of = this.#know(key, operation);
    if (!isPurchase(operation.change)) return;
    for (const does of stepsBetween(before, operation)) this.#steps.push({ at: this.#system.scheduler.now, does, of });
  }

  #idOf = (key: string, { n }: Operation): string => `${key} ${this.#lossesOf(key)} ${n}`;

  #know(key: string, operation: Operation): Known {
    const id = this.#idOf(key, operation);
    const known = this.#operations.get(id);
    if (known) return Object.assign(known, { operation });
    const name = `${key} ${nameOf(operation)}`;
    const purchase = this.#ended.has(name) ? `${name} after loss ${this.#ended.get(name)}` : name;
    const fresh = { key, table: this.#lossesOf(key), claimedAt: this.#system.scheduler.now, purchase, operation };
    this.#operations.set(id, fresh);
    return fresh;
  }

  #isDeleted({ change, attempt }: Operation): boolean {
    const licenses = this.#system.sandbox.licenses().filter(({ status }) => status !== deleted);
    return change.kind === "order" && !licenses.some(({ remoteid }) => remoteid === attempt?.params.remoteid);
  }

  /** The calls, and their effects. */
  *#stepsOfBillmgr(): Generator<Found> {
    const calls = this.#system.observer.calls.flatMap((call) => this.#operationOf(call));
    for (const { at, of } of calls) yield { at, does: "call", of };

    const open = new Set(calls.filter(({ of }) => of.operation.attempt?.outcome !== "refused"));
    for (const entry of this.#system.sandbox.ledger()) {
      const at = Date.parse(entry.at);
      const same = [...open].filter((one) => isDeepStrictEqual(one.params, entry.params) && Math.floor(one.at) <= at);
      const direct = same.find(({ actsUntil }) => at <= actsUntil);
      const call = direct ?? same.find(({ of }) => of.operation.inCart);
      if (!call || entry.by) continue;
      if ("unpaid" in entry) {
        this.#unpaid.add(call.of);
        continue;
      }
      open.delete(call);
      yield { at, does: direct ? "acts" : "payCart", of: call.of };
    }
    for (const { at, actsUntil, of } of open) {
      if (!of.operation.inCart) yield { at: Math.max(actsUntil, at + 1), does: "dropped", of };
    }
  }

  /** Those that left, with the operation whose claim was stored before. */
  #operationOf({ key, at, actsUntil, params }: Called) {
    const of = [...this.#operations.values()].findLast(
      (one) => one.key === key && one.claimedAt <= at && isDeepStrictEqual(one.operation.attempt?.params, params),
    );
    if (!of || !isPurchase(of.operation.change) || of.operation.attempt?.outcome === "not_sent") return [];
    return [{ at, actsUntil, params, of }];
  }
}

/** billmgr's status of a deleted license. */
const deleted = 4;

/** Whether the subscription contains what the purchase bought. */
function isKnown({ slots }: Subscription, { change, before }: Operation): boolean {
  return slots.some(({ n, generation, license }) => {
    if (change.kind === "order") return n === change.slot && generation === change.generation && license !== undefined;
    return change.kind === "prolong" && license?.elid === change.elid && (license.expiry ?? "") > (before.expiry ?? "");
  });
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
