// Decides whether the model allows what a purchase went through in a run of the simulation.
import type { Step } from "./purchases.ts";
import { type Argument, format, Model, type Source, type State } from "./quint.ts";

const second = 1000;
const minute = 60 * second;

/** The waits of the code, and the limits of the simulation, in milliseconds. */
const constants = {
  // A call is on its way for up to 63 s, and billmgr then acts within 25 minutes.
  effectWithin: 63 * second + 25 * minute,
  // The function's time limit. A write can take effect up to 40 s after its client gave up.
  runWithin: 180 * second + 40 * second,
  // Each clock is off by up to 30 s, and a write is dated up to a minute before it takes effect.
  skew: 2 * 30 * second + minute,
  absentAfter: 30 * minute,
  absences: 3,
  // A filter that is set between its check and the list hides a license. How often that may happen is up to the caller.
  wrongReads: 1000,
  restores: true,
};

class Refusal extends Error {}

/** `refusal`: the first step that the model does not allow. `wrongReads`: observations that missed a license. */
export type Verdict = { refusal?: string; wrongReads: number };

export function replay(source: Source, steps: readonly Step[]): Verdict {
  const replayed = new Replay(new Model(source, constants), Math.floor(steps[0]?.at ?? 0));
  for (const [i, step] of steps.entries()) {
    try {
      replayed.take(step, steps.slice(i + 1));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const refusal = `step ${i + 1}, ${step.does} at ${new Date(step.at).toISOString()}: ${error.message}`;
      return { refusal, wrongReads: replayed.wrongReads };
    }
  }
  return { wrongReads: replayed.wrongReads };
}

/** The worker that claims and calls, and the one that observes. */
const caller = 1;
const observer = 2;

class Replay {
  readonly #model: Model;
  readonly #isFree: (state: State) => boolean;
  readonly #isSettled: (state: State) => boolean;
  readonly #isSafe: (state: State) => boolean;
  #state: State;
  #now: number;
  wrongReads = 0;
  /** When each worker that is not idle looked. */
  readonly #lookedAt = new Map<number, number>();

  constructor(model: Model, now: number) {
    this.#model = model;
    this.#isFree = model.property("isFree");
    this.#isSettled = model.property("isSettled");
    this.#isSafe = model.property("isSafe");
    this.#state = model.initial;
    this.#now = now;
  }

  take({ at, does }: Step, later: readonly Step[]): void {
    this.#elapse(at);
    // A license that was found is only confirmed from then on.
    const isKnown = this.#isSettled(this.#state);
    switch (does) {
      case "claim":
        this.#look(caller);
        this.#do("claim", caller);
        break;
      case "adopt":
        if (isKnown) break;
        this.#look(observer);
        this.#end("adopt", observer);
        break;
      case "call":
        this.#do("call", caller);
        break;
      case "notSent":
        this.#end("notSent", caller);
        break;
      case "Lost":
      case "Ok":
      case "Cart":
      case "Elsewhere":
      case "Refused":
        this.#end("record", caller, does);
        break;
      case "acts":
        // A read that began before this can end after it.
        if (isReadUnderWay(at, later)) this.#look(observer);
        this.#do("act", 0, true);
        break;
      case "dropped":
        this.#do("act", 0, false);
        break;
      case "payCart":
        this.#do("payCart");
        break;
      case "resolve":
        if (!isKnown) this.#do("resolve");
        break;
      case "restoreFree":
      case "restoreClaimed":
      case "restoreUnconfirmed":
        for (const worker of this.#lookedAt.keys()) this.#end("die", worker);
        this.#do("restore", does.replace("restore", ""));
        break;
      default:
        if (!isKnown) this.#observe(does);
    }
  }

  #observe(does: "seen" | "absent" | "absenceBelieved" | "unclear"): void {
    // An absence that is believed is never excused.
    this.#look(observer, does === "absent" && this.#isAllowed("look", observer, true));
    if (does === "unclear") {
      if (this.#isAllowed("observeNothing", observer)) this.#end("observeNothing", observer);
      else this.#end("die", observer);
      return;
    }
    this.#end("observe", observer, does === "absenceBelieved" ? constants.skew : -constants.skew);
    const concluded = this.#isSettled(this.#state) ? "seen" : this.#isFree(this.#state) ? "absenceBelieved" : "absent";
    if (concluded !== does) throw new Refusal(`the model concludes "${concluded}" in ${format(this.#state)}`);
  }

  #elapse(at: number): void {
    for (const [worker, lookedAt] of this.#lookedAt) if (at - lookedAt > constants.runWithin) this.#end("die", worker);
    const now = Math.floor(at);
    if (now > this.#now) this.#do("tick", now - this.#now);
    this.#now = now;
  }

  #look(worker: number, isWrong = false): void {
    if (this.#lookedAt.has(worker)) return;
    this.#do("look", worker, isWrong);
    if (isWrong) this.wrongReads++;
    this.#lookedAt.set(worker, this.#now);
  }

  #end(action: string, worker: number, ...args: Argument[]): void {
    this.#do(action, worker, ...args);
    this.#lookedAt.delete(worker);
  }

  #isAllowed = (action: string, ...args: Argument[]): boolean =>
    this.#model.after(this.#state, action, ...args) !== undefined;

  #do(action: string, ...args: Argument[]): void {
    const next = this.#model.after(this.#state, action, ...args);
    if (!next) throw new Refusal(`${action}(${args}) is not allowed in ${format(this.#state)}`);
    if (!this.#isSafe(next)) throw new Refusal(`${action}(${args}) is not safe: ${format(next)}`);
    this.#state = next;
  }
}

/** The next step observed an absence that had ended at `at`. */
function isReadUnderWay(at: number, [next]: readonly Step[]): boolean {
  return (next?.does === "absent" || next?.does === "absenceBelieved") && next.at - at <= constants.runWithin;
}
