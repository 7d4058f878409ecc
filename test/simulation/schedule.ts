import type { Observer } from "./observer.ts";
import type { Scheduler } from "./scheduler.ts";

const minute = 60_000;
/** How often the schedule wakes what waits for a person (functions/renew). */
const attentionEvery = 10 * minute;
const longestPause = 144;

/**
 * The minutes in which the schedule would find something. Those between are left out, and what stays as it was is looked at
 * less and less often: as if the schedule had failed now and then.
 */
export class Schedule {
  readonly #scheduler: Scheduler;
  readonly #observer: Observer;
  readonly #run: (attentionToo: boolean) => Promise<unknown>;
  readonly #planned = new Set<number>();
  readonly #due = new Unmoved();
  readonly #attention = new Unmoved();

  constructor(scheduler: Scheduler, observer: Observer, run: (attentionToo: boolean) => Promise<unknown>) {
    this.#scheduler = scheduler;
    this.#observer = observer;
    this.#run = run;
  }

  /** Something is due then. */
  dueAt(moment: number): void {
    this.#plan(Math.max(moment, this.#scheduler.now), minute);
  }

  /** Something waits for a person, maybe since long ago. */
  waits(): void {
    if (this.#waiting() !== this.#attention.word) this.#plan(this.#scheduler.now, attentionEvery);
  }

  #plan(from: number, every: number): void {
    const at = (Math.floor(from / every) + 1) * every;
    if (this.#planned.has(at)) return;
    this.#planned.add(at);
    this.#scheduler.at(at, () => this.#tick(at));
  }

  #tick(at: number): void {
    this.#planned.delete(at);
    const attentionToo = this.#waiting() !== "" && at % attentionEvery === 0;
    if (this.#dueNow() !== "" || attentionToo) void this.#run(attentionToo).then(() => this.#again(attentionToo));
  }

  #again(attentionToo: boolean): void {
    const { now } = this.#scheduler;
    const due = this.#dueNow();
    const wait = this.#due.times(due);
    if (due !== "") this.#plan(now + (Math.min(wait, 60) - 1) * minute, minute);
    if (!attentionToo) return;
    const waiting = this.#waiting();
    const backoff = this.#attention.times(waiting);
    if (waiting !== "") this.#plan(now + (Math.min(backoff, longestPause) - 1) * attentionEvery, attentionEvery);
  }

  #dueNow(): string {
    const now = new Date(this.#scheduler.now).toISOString();
    return this.#observer
      .states()
      .filter(({ agenda, agendaAt = "" }) => agenda?.startsWith("due#") && agendaAt <= now)
      .map(({ key, version }) => `${key} ${version}`)
      .join();
  }

  #waiting(): string {
    return this.#observer
      .states()
      .filter(({ attention }) => attention !== undefined)
      .map(({ key, subscription: { operation } }) => `${key} ${operation?.n} ${operation?.state}`)
      .join();
  }
}

/** Doubles while the word stays the same. */
class Unmoved {
  word = "";
  #times = 1;

  times(word: string): number {
    this.#times = word === this.word ? 2 * this.#times : 1;
    this.word = word;
    return this.#times;
  }
}
