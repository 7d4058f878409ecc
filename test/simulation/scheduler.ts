import type { Random } from "./random.ts";

export const noEnd = "no end";

type Planned = { at: number; order: number; act: () => void };

/** Virtual time. Planned acts run one after another, and between two acts only promises settle. */
export class Scheduler {
  now: number;
  /** Acts so far. */
  steps = 0;
  readonly #random: Random;
  readonly #mostSteps: number;
  readonly #heap: Planned[] = [];

  constructor(start: number, random: Random, mostSteps = 400_000) {
    this.now = start;
    this.#random = random;
    this.#mostSteps = mostSteps;
  }

  /** Plans an act. Acts of the same moment run in random order. */
  at(moment: number, act: () => void): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(moment, this.now), order: this.#random.next(), act });
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#swap(parent, i)) break;
      i = parent;
    }
  }

  after(ms: number, act: () => void): void {
    this.at(this.now + ms, act);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Runs all acts up to a moment. @throws after too many steps */
  async runUntil(moment: number): Promise<void> {
    for (let next = this.#heap[0]; next && next.at <= moment; next = this.#heap[0]) {
      this.#take();
      this.now = next.at;
      if (++this.steps > this.#mostSteps) throw new Error(`${noEnd} after ${this.#mostSteps} steps`);
      next.act();
      // In the next turn of the event loop, all settled promises have continued to their next request.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.now = moment;
  }

  #take(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const least = right < heap.length && before(heap[right], heap[left]) ? right : left;
      if (least >= heap.length || !this.#swap(i, least)) break;
      i = least;
    }
  }

  /** Puts the earlier of two acts first. Returns false if the order was right. */
  #swap(above: number, below: number): boolean {
    const [a, b] = [this.#heap[above], this.#heap[below]];
    if (!a || !b || !before(b, a)) return false;
    this.#heap[above] = b;
    this.#heap[below] = a;
    return true;
  }
}

const before = (a: Planned | undefined, b: Planned | undefined): boolean =>
  a !== undefined && b !== undefined && (a.at === b.at ? a.order < b.order : a.at < b.at);
