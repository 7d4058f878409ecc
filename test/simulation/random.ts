/** Random numbers from one seed. Mulberry32 is small, and good enough for choices. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighboring seeds must not begin with similar numbers.
    this.#state = Math.imul((seed | 0) ^ 0x9e3779b9, 0x85ebca6b) ^ (seed >>> 13);
    this.next();
  }

  /** From 0 to less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number, both ends included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** Mostly near the least, sometimes up to the most. */
  skewed(least: number, most: number): number {
    return least + (most - least) * this.next() ** 4;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.next() * choices.length)] ?? choices[0];
  }

  /** A word of any length up to the most. */
  text(most: number): string {
    const letters = this.pick(["x", "ж", "a-", "0"]);
    return letters.repeat(Math.ceil(most / letters.length)).slice(0, Math.ceil(this.skewed(1, most)));
  }

  /** Picks an entry with a probability in proportion to its weight. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    let left = this.next() * choices.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [choice, weight] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    const last = choices.at(-1);
    if (!last) throw new Error("nothing to choose from");
    return last[0];
  }

  /** Returns an independent generator, so that an additional choice in one place does not change all others. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 4294967296));
  }
}
