import type { Scheduler } from "./scheduler.ts";

/**
 * Timers in virtual time while a run lasts. A real timer of a process that died would keep its whole run in memory for
 * the three minutes of its limit: 2.7 GB in a long simulation.
 * @returns a function that restores the real timers
 */
export function useVirtualTimers(scheduler: Scheduler): () => void {
  const { setTimeout, clearTimeout } = globalThis;
  const cleared = new WeakSet<object>();
  const virtual = (act: () => void, ms = 0): object => {
    const handle = {};
    scheduler.after(ms, () => cleared.has(handle) || act());
    return handle;
  };
  globalThis.setTimeout = virtual as unknown as typeof setTimeout;
  globalThis.clearTimeout = ((handle: object | undefined) => handle && cleared.add(handle)) as typeof clearTimeout;
  return () => Object.assign(globalThis, { setTimeout, clearTimeout });
}
