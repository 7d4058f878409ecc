import type { Trace } from "./alteration.ts";
import type { Faults } from "./faults.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** One invocation of a function. After its death, its awaited requests never settle, so it does nothing more. */
export class Process {
  readonly name: string;
  readonly startedAt: number;
  dead = false;
  /** It has returned. */
  ended = false;
  /** Runs when it dies. */
  onDeath: () => void = () => {};
  readonly #machine: Machine;
  readonly #skew: number;

  constructor(machine: Machine, name: string, skew: number) {
    this.name = name;
    this.#machine = machine;
    this.#skew = skew;
    this.startedAt = machine.scheduler.now;
  }

  /** The time on its own clock, which may be wrong. */
  readonly now = (): Date => new Date(this.#machine.scheduler.now + this.#skew);

  die(why: string): void {
    if (this.dead) return;
    this.dead = true;
    this.#machine.crashes++;
    this.#machine.trace?.(this.name, `dies: ${why}`);
    this.onDeath();
  }
}

type Settled<T> = { value: T } | { error: unknown };

/**
 * The machines that run functions, and the network between them and all services. At each request time passes, other
 * processes can go first, and a fault can happen. Code between two requests affects no other process, so these are all the
 * points at which a death makes a difference.
 */
export class Machine {
  crashes = 0;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #skewMs: number;
  #count = 0;

  constructor(scheduler: Scheduler, random: Random, faults: Faults, skewSeconds: number, trace: Trace) {
    this.scheduler = scheduler;
    this.trace = trace;
    this.#random = random;
    this.#faults = faults;
    this.#skewMs = skewSeconds * 1000;
  }

  start(name: string): Process {
    const skew = Math.round(this.#random.between(-this.#skewMs, this.#skewMs));
    return new Process(this, `${name}-${++this.#count}`, skew);
  }

  /** Milliseconds that a message takes one way, mostly few. */
  latency(most = 50): number {
    return Math.ceil(this.#random.skewed(1, most));
  }

  slowness(most = 40_000): number {
    return this.#random.int(500, most);
  }

  /** Sends a request to a store. The effect happens at one moment, even if the process has died by then. */
  request<T>(process: Process, what: string, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (process.dead) return;
      const fault = this.#faults.atEdge();
      const note = (more: string) => this.trace?.(process.name, `${what}${more}`);
      // Renew only reads and sends, so without a fault the moment makes no difference.
      if (!fault && process.name.startsWith("renew")) return settle(outcomeOf(effect), resolve, reject);
      const isSlowThere = fault === "slow" && this.#random.chance(0.5);
      const there = this.latency() + (isSlowThere ? this.slowness() : 0);
      if (fault === "crash_before") return process.die(`before ${what}`);
      if (fault === "fail_before" || fault === "late") {
        this.scheduler.after(there, () => !process.dead && reject(new Unreachable(what)));
      }
      if (fault === "fail_before") return note(": fails");
      this.scheduler.after(there + (fault === "late" ? this.slowness() : 0), () => {
        let settled = outcomeOf(effect);
        if (fault === "twice") settled = outcomeOf(effect);
        note(shown(settled, fault));
        if (fault === "crash_after") return process.die(`after ${what}`);
        if (fault === "fail_after") settled = { error: new Unreachable(what) };
        const answer = () => !process.dead && settle(settled, resolve, reject);
        // A slow answer only lets time pass: other processes can also act before the next request arrives.
        if (fault === "slow" && !isSlowThere) this.scheduler.after(this.slowness(), answer);
        else answer();
      });
    });
  }
}

/** The error of the SDK after its last retry. */
class Unreachable extends Error {
  override name = "TimeoutError";
  constructor(what: string) {
    super(`no answer to ${what}`);
  }
}

function settle<T>(settled: Settled<T>, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  if ("error" in settled) reject(settled.error);
  else resolve(settled.value);
}

function outcomeOf<T>(effect: () => T): Settled<T> {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
}

const shown = (settled: Settled<unknown>, fault: string | undefined): string =>
  `${fault ? ` [${fault}]` : ""}${"error" in settled ? `: ${(settled.error as Error).name}` : ""}`;
