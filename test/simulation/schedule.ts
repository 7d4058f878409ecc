import type { Observer } from "./observer.ts";
import type { Scheduler } from "./scheduler.ts";

const minute = 60_000;
/** How often the schedule wakes subscriptions that need attention (functions/renew). */
const attentionEvery = 10 * minute;
const maxBackoff = 144;

/**
 * Runs the schedule only in the minutes in which it would find a subscription. If nothing changes, it runs less and less
 * often, as if it had failed at times.
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

  /** A subscription is due at this moment. */
  dueAt(moment: number): void {
    this.#plan(Math.max(moment, this.#scheduler.now), minute);
  }

  /** A subscription needs attention, maybe since long ago. */
  needsAttention(): void {
    if (this.#inAttention() !== this.#attention.text) this.#plan(this.#scheduler.now, attentionEvery);
  }

  #plan(from: number, every: number): void {
    const at = (Math.floor(from / every) + 1) * every;
    if (this.#planned.has(at)) return;
    this.#planned.add(at);
    this.#scheduler.at(at, () => this.#tick(at));
  }

  #tick(at: number): void {
    this.#planned.delete(at);
    const attentionToo = this.#inAttention() !== "" && at % attentionEvery === 0;
    if (this.#dueNow() !== "" || attentionToo) void this.#run(attentionToo).then(() => this.#again(attentionToo));
  }

  #again(attentionToo: boolean): void {
    const { now } = this.#scheduler;
    const due = this.#dueNow();
    const wait = this.#due.times(due);
    if (due !== "") this.#plan(now + (Math.min(wait, 60) - 1) * minute, minute);
    if (!attentionToo) return;
    const inAttention = this.#inAttention();
    const backoff = this.#attention.times(inAttention);
    if (inAttention !== "") this.#plan(now + (Math.min(backoff, maxBackoff) - 1) * attentionEvery, attentionEvery);
  }

  #dueNow(): string {
    const now = new Date(this.#scheduler.now).toISOString();
    return this.#observer
      .states()
      .filter(({ agenda, agendaAt = "" }) => agenda?.startsWith("due#") && agendaAt <= now)
      .map(({ key, version }) => `${key} ${version}`)
      .join();
  }

  #inAttention(): string {
    return this.#observer
      .states()
      .filter(({ attention }) => attention !== undefined)
      .map(({ key, subscription: { operation } }) => `${key} ${operation?.n} ${operation?.state}`)
      .join();
  }
}

/** A count that doubles while the text stays the same. */
class Unmoved {
  text = "";
  #times = 1;

  times(text: string): number {
    this.#times = text === this.text ? 2 * this.#times : 1;
    this.text = text;
    return this.#times;
  }
}
